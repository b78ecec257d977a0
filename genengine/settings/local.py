"""One machine: development, a demo, a small installation behind a proxy."""

from genengine.settings.base import *
