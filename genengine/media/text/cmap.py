"""Which characters a font has: a small reader of the OpenType ``cmap`` table (formats 4 and 12).

Pillow does not tell, and drawing to compare with the "missing" glyph is slow and wrong for blank ones.
Source: OpenType specification 1.9, chapter "cmap".
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path


class FontUnreadable(ValueError):
    """The file is not a TrueType or OpenType font with a Unicode character map."""


@lru_cache(maxsize=64)
def coverage(path: str) -> frozenset[int]:
    """Code points that the font maps to a glyph other than "missing"."""
    try:
        return _read(Path(path).read_bytes())
    except (struct.error, IndexError) as error:
        raise FontUnreadable(f"{Path(path).name} is damaged or not a font.") from error


def _read(data: bytes) -> frozenset[int]:
    if data[:4] not in (b"\x00\x01\x00\x00", b"OTTO", b"true"):
        raise FontUnreadable("Only single TrueType and OpenType fonts (.ttf, .otf) can be used.")
    count = struct.unpack(">H", data[4:6])[0]
    tables = {data[12 + 16 * i : 16 + 16 * i]: 12 + 16 * i for i in range(count)}
    if b"cmap" not in tables:
        raise FontUnreadable("The font has no character map.")
    start = struct.unpack(">I", data[tables[b"cmap"] + 8 : tables[b"cmap"] + 12])[0]
    points: set[int] = set()
    for index in range(struct.unpack(">H", data[start + 2 : start + 4])[0]):
        platform, _, offset = struct.unpack(">HHI", data[start + 4 + 8 * index : start + 12 + 8 * index])
        table = start + offset
        form = struct.unpack(">H", data[table : table + 2])[0]
        if platform not in (0, 3):
            continue
        if form == 4:
            points |= _format_4(data, table)
        elif form == 12:
            points |= _format_12(data, table)
    return frozenset(points)


def _format_4(data: bytes, table: int) -> set[int]:
    segments = struct.unpack(">H", data[table + 6 : table + 8])[0] // 2
    at = table + 14
    ends = struct.unpack(f">{segments}H", data[at : at + 2 * segments])
    starts_at = at + 2 * segments + 2
    starts = struct.unpack(f">{segments}H", data[starts_at : starts_at + 2 * segments])
    deltas = struct.unpack(f">{segments}h", data[starts_at + 2 * segments : starts_at + 4 * segments])
    ranges_at = starts_at + 4 * segments
    ranges = struct.unpack(f">{segments}H", data[ranges_at : ranges_at + 2 * segments])
    points: set[int] = set()
    for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            if ranges[index] == 0:
                glyph = (code + deltas[index]) & 0xFFFF
            else:
                where = ranges_at + 2 * index + ranges[index] + 2 * (code - first)
                glyph = struct.unpack(">H", data[where : where + 2])[0]
            if glyph:
                points.add(code)
    return points


def _format_12(data: bytes, table: int) -> set[int]:
    groups = struct.unpack(">I", data[table + 12 : table + 16])[0]
    points: set[int] = set()
    for index in range(min(groups, 100_000)):
        first, last, _ = struct.unpack(">III", data[table + 16 + 12 * index : table + 28 + 12 * index])
        if last > 0x10FFFF or last < first:
            raise FontUnreadable("The font's character map is damaged.")
        points.update(range(first, last + 1))
    return points
