#!/usr/bin/env python
"""Every command of the Generation Engine. `manage.py up` runs the whole product; see `manage.py help`."""

import os
import sys

from genengine.commandline import run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genengine.settings.local")
    run(sys.argv)
