"""Versions of everything that decides the bytes of a render; part of every cache key."""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from genengine.media.native.build import resampler
from genengine.media.version import ENGINE_VERSION

TOOLS = ("av", "numpy", "opencv-python-headless", "pillow", "budoux", "imageio-ffmpeg")


@cache
def tool_builds() -> dict[str, str]:
    """Name and version of the engine and its tools; another ffmpeg chosen by the environment counts by its path."""
    ours = {"engine": ENGINE_VERSION, "ffmpeg": os.environ.get("GE_FFMPEG", ""), "resampler": resampler()}
    return ours | {name: _version(name) for name in TOOLS}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
