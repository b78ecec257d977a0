"""Cut the timeline into pieces: transitions, and the bodies between them. Each piece is rendered on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genengine.media.spec.model import RenderSpec

MAX_SECONDS = 5
"""Longer bodies are cut, so that two processors share one long scene."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames ``start`` … ``end`` (excluded). ``slot`` is what is seen; ``before`` the slot that still shows under
    the transition that opens it, or None in a body."""

    start: int
    end: int
    slot: int
    before: int | None = None

    @property
    def length(self) -> int:
        return self.end - self.start


def pieces(spec: RenderSpec) -> list[Piece]:
    """The pieces in order; together they are exactly the timeline."""
    longest = max(1, round(spec.output.fps * MAX_SECONDS))
    out: list[Piece] = []
    for slot, (start, segment) in enumerate(zip(spec.slot_starts, spec.segments, strict=True)):
        opened = start + segment.transition.frames
        if segment.transition.frames:
            out.append(Piece(start, opened, slot, slot - 1))
        out += _bodies(opened, start + segment.duration_frames, slot, longest)
    return out


def _bodies(start: int, end: int, slot: int, longest: int) -> Iterator[Piece]:
    """Nearly equal parts; each cut is rounded from its own place, never added up."""
    length = end - start
    count = -(-length // longest)
    for index in range(count):
        yield Piece(start + length * index // count, start + length * (index + 1) // count, slot)


def thumbnail_frame(spec: RenderSpec) -> int:
    """Middle of the first slot after its transition: the first picture, at rest."""
    first = spec.segments[0]
    return min(first.duration_frames // 2, spec.duration_frames - 1)
