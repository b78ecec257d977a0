"""Where every caption, label, logo and mark will stand, without drawing any: for lint and the brand's clear space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genengine.media.compose.graphics import Graphic, fitted_block, placed_box, sourced
from genengine.media.compose.keeping_clear import Box
from genengine.media.spec.model import RenderSpec


@dataclass(frozen=True, slots=True)
class Placed:
    """One bitmap to be. ``box`` is (x0, y0, x1, y1) in pixels of the frame with plate, halo and shadow;
    ``letters`` is the size of the letters in pixels (0 for a picture); ``lost`` is what found no place."""

    path: str
    graphic: Graphic
    box: Box
    letters: int = 0
    lines: int = 0
    lost: str = ""


def placed(spec: RenderSpec, files: Mapping[str, Path]) -> list[Placed]:
    """Everything over the picture with its box. Pictures whose file is not given are left out."""
    return [
        _placed(path, graphic, spec, files)
        for path, graphic in sourced(spec, files)
        if graphic.text or graphic.image in files
    ]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share pixels."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def grown(box: Box, by: int) -> Box:
    """The box with ``by`` pixels around it."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _placed(path: str, graphic: Graphic, spec: RenderSpec, files: Mapping[str, Path]) -> Placed:
    if not graphic.text:
        return Placed(path, graphic, placed_box(graphic, spec.output, files))
    block = fitted_block(graphic, files, spec.output)
    box = placed_box(graphic, spec.output, files, block)
    return Placed(path, graphic, box, block.size, len(block.lines), block.rest)
