"""Boxes in fractions of a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """0 … 1 from the picture's left and top."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it, as of a subject outside the crop."""
        return self.width <= 0 or self.height <= 0

    def grown(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Larger by these fractions of the picture, cut at its edges."""
        return Box(
            max(0.0, self.left - left),
            max(0.0, self.top - top),
            min(1.0, self.right + right),
            min(1.0, self.bottom + bottom),
        )

    def share_of(self, other: Box) -> float:
        """How much of ``other`` this box covers, 0 … 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height) / max(1e-9, other.width * other.height)


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def union(boxes: Iterable[Box]) -> Box | None:
    """The smallest box around all of them; None for none."""
    every = list(boxes)
    if not every:
        return None
    return Box(
        min(box.left for box in every),
        min(box.top for box in every),
        max(box.right for box in every),
        max(box.bottom for box in every),
    )
