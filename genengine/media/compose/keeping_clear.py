"""Captions keep clear of what a video is about: boxes in, the place of the words out. Nothing is drawn or read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from genengine.media.compose.geometry import window_at
from genengine.media.spec.model import Motion, RenderSpec, TextSegment

Box = tuple[int, int, int, int]

LITTLE = 0.03
"""Share of the subject that words may cover without being moved."""

BETTER = 0.5
"""Where no place is clear, another one must cover at most this share of what the planned one does."""

STEPS = 120
LOOKS = 5


def shown_subjects(spec: RenderSpec, start: int, end: int) -> list[Box]:
    """Boxes in pixels of the frame that the subjects named by the slots take in frames ``start`` … ``end``, wherever
    the camera moves them."""
    boxes, starts = [], spec.slot_starts
    for index in slots_in(starts, start, end):
        segment, first = spec.segments[index], starts[index]
        if isinstance(segment, TextSegment) or segment.subject is None:
            continue
        length = segment.duration_frames + spec.run_on(index)
        low, high = max(start, first), min(end, first + segment.duration_frames)
        above = segment.bar.rows(spec.output.height) if segment.bar else 0
        area, size = segment.subject.edges, (spec.output.width, spec.output.height - above)
        box = _swept(area, segment.motion, ((low - first) / length, (high - first) / length), size)
        boxes.append((box[0], box[1] + above, box[2], box[3] + above))
    return boxes


def slots_in(starts: Sequence[int], start: int, end: int) -> range:
    """The slots that are on screen in frames ``start`` … ``end`` (excluded); ``starts`` are their first frames."""
    return range(max(0, bisect_right(starts, start) - 1), bisect_left(starts, end))


def clear_top(block: Box, zone: Box, subjects: Sequence[Box], taken: Sequence[Box]) -> int:
    """The upper edge for ``block`` (its own place when that is clear) inside ``zone``.

    Best is the nearest place that covers next to nothing of a subject and touches no box of ``taken``; a place that
    is only a little better is not worth a move away from where captions are looked for.
    """
    planned = block[1]
    now = _most_covered(block, subjects)
    if now <= LITTLE:
        return planned
    height, last = block[3] - block[1], zone[3] - (block[3] - block[1])
    tops = [zone[1] + round((last - zone[1]) * step / STEPS) for step in range(STEPS + 1)] if last > zone[1] else []
    free = [top for top in tops if not any(_touch((block[0], top, block[2], top + height), box) for box in taken)]
    judged = [(_most_covered((block[0], top, block[2], top + height), subjects), top) for top in free]
    clear = [top for share, top in judged if share <= LITTLE]
    if clear:
        return min(clear, key=lambda top: abs(top - planned))
    share, _, top = min(((share, abs(top - planned), top) for share, top in judged), default=(1.0, 0, planned))
    return top if share <= BETTER * now else planned


def _most_covered(block: Box, subjects: Sequence[Box]) -> float:
    return max((_area(_common(block, box)) / max(1, _area(box)) for box in subjects), default=0.0)


def _common(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def _touch(one: Box, other: Box) -> bool:
    return _area(_common(one, other)) > 0


def _swept(
    area: tuple[float, float, float, float], motion: Motion, span: tuple[float, float], size: tuple[int, int]
) -> Box:
    """Around all places that ``area`` (fractions of the fitted picture) takes while the camera moves."""
    edges = []
    for look in range(LOOKS):
        window = window_at(motion, span[0] + (span[1] - span[0]) * look / (LOOKS - 1), 1, 1)
        corners = zip(area, (window.x, window.y) * 2, (window.w, window.h) * 2, size * 2, strict=True)
        edges.append([min(1.0, max(0.0, (value - at) / wide)) * side for value, at, wide, side in corners])
    left, top, right, bottom = zip(*edges, strict=True)
    return round(min(left)), round(min(top)), round(max(right)), round(max(bottom))
