"""Room for words: a picture's crop made so much smaller that its subject stands clear of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genengine.media.framing.boxes import Box

LEAST = 0.66
"""A crop is not made smaller than this: the subject is what the film is about."""

WORTH = 0.97


@dataclass(frozen=True, slots=True)
class Roomy:
    """``inset`` for the ``fit`` of a segment, and where the subject then stands in the frame."""

    inset: Mapping[str, Any]
    subject: Box


def with_room(subject: Box, lowest: float, closest: float) -> Roomy | None:
    """The crop whose subject ends at ``lowest`` (a fraction of the frame's height), even ``closest`` times larger.

    Its upper edge stays where it is, and it comes to the middle. None where there is room enough already, or where
    it would have to become so small that room is not worth it.
    """
    wanted = (lowest - subject.top) / max(1e-6, subject.height * closest)
    if not LEAST <= wanted <= WORTH:
        return None
    scale = round(wanted, 4)
    middle = (subject.left + subject.right) / 2
    across = min(1 - scale, max(0.0, 0.5 - scale * middle))
    down = (1 - scale) * subject.top
    inset = {"scale": scale, "x": round(across / (1 - scale), 4), "y": round(down / (1 - scale), 4)}
    placed = Box(
        round(across + scale * subject.left, 4),
        round(down + scale * subject.top, 4),
        round(across + scale * subject.right, 4),
        round(down + scale * subject.bottom, 4),
    )
    return Roomy(inset, placed)
