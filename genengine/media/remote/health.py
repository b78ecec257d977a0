"""Whether this machine can render now: room on the disk, memory, and an ffmpeg with the filters that are needed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from genengine.media.errors import MediaError
from genengine.media.ffmpeg.binaries import NEEDED_FILTERS, ffmpeg, ffprobe, filters

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Needs:
    """The least that a render needs here, in bytes."""

    free_disk: int = 512 * MEGABYTE
    free_memory: int = 200 * MEGABYTE


def ill_health(folder: Path, needs: Needs) -> str:
    """Why nothing should be rendered here now, in words; empty when all is well. ``folder`` is where files go."""
    free = shutil.disk_usage(folder).free
    if free < needs.free_disk:
        return f"the disk has {free // MEGABYTE} MB left and {needs.free_disk // MEGABYTE} MB are needed"
    memory = psutil.virtual_memory().available
    if memory < needs.free_memory:
        return f"{memory // MEGABYTE} MB of memory are available and {needs.free_memory // MEGABYTE} MB are needed"
    try:
        lacking = sorted(NEEDED_FILTERS - filters(ffmpeg()))
        ffprobe()
    except (MediaError, OSError) as error:
        return f"a tool is missing: {error}"
    return f"ffmpeg lacks {', '.join(lacking)}" if lacking else ""
