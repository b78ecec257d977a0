"""The main job without a browser: `manage.py generate`."""
