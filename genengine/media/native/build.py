"""Compile the C sources here once a machine and load them; None where that cannot be done."""

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

SOURCES = (Path(__file__).with_name("resample.c"), Path(__file__).with_name("sound.c"))
FLAGS = ("-O3", "-fPIC", "-shared", "-std=c11", "-fno-math-errno", "-ffp-contract=off")
SWITCH = "GE_NATIVE"
"""Set to 0 to do without."""


@cache
def library() -> ctypes.CDLL | None:
    """The loaded functions, built first if need be."""
    if os.environ.get(SWITCH) == "0":
        return None
    path = cache_folder() / f"media-{_key()}.so"
    if not path.exists() and not _build(path):
        return None
    try:
        loaded = ctypes.CDLL(str(path))
        _declare(loaded)
    except (OSError, AttributeError):
        return None
    return loaded


def _declare(loaded: ctypes.CDLL) -> None:
    pointer, number, long, real = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_double
    plane = [pointer, number, number, number]
    signatures: tuple[tuple[str, type | None, list[type]], ...] = (
        ("resample_plane", number, [*plane, *plane, real, real, real, real, number]),
        ("hop_energies", None, [pointer, long, long, pointer]),
        ("peak_envelope", number, [pointer, long, pointer, number, pointer]),
        ("limiting_gain", number, [pointer, long, real, long, real, pointer]),
    )
    for name, result, arguments in signatures:
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments


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
            made = Path(scratch) / "media.so"
            run([compiler, *FLAGS, *SOURCES, "-o", made, "-lm"], timeout=60)
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
    words = [
        *(source.read_text(encoding="utf-8") for source in SOURCES),
        *FLAGS,
        platform.machine(),
        sysconfig.get_platform(),
    ]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]
