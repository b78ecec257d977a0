"""The media engine on the command line, without Django: ``python -m genengine.media --help``."""

from __future__ import annotations

import sys

from genengine.media.cli import main

if __name__ == "__main__":
    sys.exit(main())
