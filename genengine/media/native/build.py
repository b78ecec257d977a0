"""Compile ``resample.c`` once a machine and load it; None where that cannot be done."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import sysconfig
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.run import run

SOURCE = Path(__file__).with_name("resample.c")
FLAGS = ("-O3", "-fPIC", "-shared", "-std=c11", "-fno-math-errno", "-ffp-contract=off")
SWITCH = "GE_NATIVE"
"""Set to 0 to do without."""


@cache
def library() -> ctypes.CDLL | None:
    """The loaded resampler, built first if need be."""
    if os.environ.get(SWITCH) == "0":
        return None
    path = cache_folder() / f"resample-{_key()}.so"
    if not path.exists() and not _build(path):
        return None
    try:
        loaded = ctypes.CDLL(str(path))
        loaded.resample_plane.restype = ctypes.c_int
    except (OSError, AttributeError):
        return None
    pointer, number, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_double
    loaded.resample_plane.argtypes = [
        pointer,
        number,
        number,
        number,
        pointer,
        number,
        number,
        number,
        real,
        real,
        real,
        real,
    ]
    return loaded


@cache
def resampler() -> str:
    """Which one is in use, for cache keys and reports."""
    return f"native {_key()}" if library() is not None else "opencv"


def _build(path: Path) -> bool:
    """Compile beside the target and rename, so that no process ever loads half a library."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            made = Path(scratch) / "resample.so"
            run([compiler, *FLAGS, SOURCE, "-o", made], timeout=60)
            os.replace(made, path)
    except (OSError, RenderFailed):
        return False
    return True


def cache_folder() -> Path:
    """The user's cache folder, or one of our own under the temporary folder. Never one that others can write."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(home) / "generation-engine"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    return Path(tempfile.gettempdir()) / f"generation-engine-{os.getuid()}"


def _key() -> str:
    words = [SOURCE.read_text(encoding="utf-8"), *FLAGS, platform.machine(), sysconfig.get_platform()]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
