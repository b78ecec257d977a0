"""Settings: `base` gathers one module a concern; `local`, `test` and `production` are what a process names.

Every value that an installation may change is declared once through `environment` and appears, with its
default and its sentence, in `docs/reference/settings.md` (`manage.py settings_reference`).
"""
