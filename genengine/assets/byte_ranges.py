"""The Range header (RFC 9110 §14): which parts of a file are asked for."""

import re
from dataclasses import dataclass
from itertools import pairwise

MOST_RANGES = 16
_RANGE = re.compile(r"(\d*)-(\d*)")


class RangeNotSatisfiable(Exception):
    """Every asked part lies behind the end of the file."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` to `end`, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end}/{size}"


def parse_ranges(header: str, size: int) -> list[ByteRange]:
    """Return the parts of a file of `size` bytes that `header` asks for, in its order; empty means the whole file.

    A header that is malformed or asks for too many parts is ignored, as the RFC permits; parts behind the end are left
    out, and when none remains RangeNotSatisfiable is raised.
    """
    unit, _, listed = header.strip().partition("=")
    if unit.strip().lower() != "bytes" or not listed:
        return []
    specs = [part.strip() for part in listed.split(",") if part.strip()]
    parsed = [_RANGE.fullmatch(spec) for spec in specs]
    if not parsed or len(parsed) > MOST_RANGES or any(match is None or match[0] == "-" for match in parsed):
        return []
    wanted = [(match[1], match[2]) for match in parsed if match is not None]
    if any(first and last and int(last) < int(first) for first, last in wanted):
        return []
    ranges = [found for first, last in wanted if (found := _resolve(first, last, size)) is not None]
    if not ranges:
        raise RangeNotSatisfiable(f"bytes */{size}")
    return [] if _overlap(ranges) else ranges


def _resolve(first: str, last: str, size: int) -> ByteRange | None:
    if not first:
        length = min(int(last), size)
        return ByteRange(size - length, size - 1) if length else None
    start = int(first)
    if start >= size:
        return None
    return ByteRange(start, min(int(last), size - 1) if last else size - 1)


def _overlap(ranges: list[ByteRange]) -> bool:
    """Overlapping parts multiply the work of one request: such a header is answered with the whole file."""
    ordered = sorted(ranges, key=lambda one: one.start)
    return any(later.start <= earlier.end for earlier, later in pairwise(ordered))
