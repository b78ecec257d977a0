"""Read the few MP4 facts that ffprobe does not report: box order and edit lists. Only headers are read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CONTAINERS = frozenset({b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"})
MAX_BOXES = 20_000


@dataclass(frozen=True, slots=True)
class Mp4Layout:
    """``faststart``: the index comes before the samples, so playback starts before the download ends."""

    faststart: bool
    edit_lists: int


def mp4_layout(path: Path) -> Mp4Layout | None:
    """The layout of an ISO file; None when it is none or is cut off before its index."""
    order: list[bytes] = []
    edit_lists = 0
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            for kind, depth in _walk(file, 0, size, 0):
                edit_lists += kind == b"elst"
                if depth == 0:
                    order.append(kind)
    except (OSError, struct.error):
        return None
    if b"moov" not in order or b"mdat" not in order:
        return None
    return Mp4Layout(faststart=order.index(b"moov") < order.index(b"mdat"), edit_lists=edit_lists)


def _walk(file: BinaryIO, start: int, end: int, depth: int) -> Iterator[tuple[bytes, int]]:
    position, seen = start, 0
    while position + 8 <= end and seen < MAX_BOXES:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if length == 1:
            length, header = struct.unpack(">Q", file.read(8))[0], 16
        elif length == 0:
            length = end - position
        if length < header:
            return
        yield kind, depth
        seen += 1
        if kind in CONTAINERS:
            yield from _walk(file, position + header, min(end, position + length), depth + 1)
        position += length
