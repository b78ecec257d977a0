"""Where every caption, label, logo and mark will stand, without drawing any: for lint and the brand's clear space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from genengine.media.compose.graphics import Graphic, fitted_block, ink_of, picture_size, position, sourced
from genengine.media.spec.model import RenderSpec
from genengine.media.text.draw import padding

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """One bitmap to be. ``box`` is (x0, y0, x1, y1) in pixels of the frame with plate and halo; ``letters`` is the
    size of the letters in pixels (0 for a picture); ``lost`` is what found no place."""

    path: str
    graphic: Graphic
    box: Box
    letters: int = 0
    lines: int = 0
    lost: str = ""


def placed(spec: RenderSpec, files: Mapping[str, Path]) -> list[Placed]:
    """Everything over the picture with its box. Pictures whose file is not given are left out."""
    return [
        _words(path, graphic, spec, files) if graphic.text else _picture(path, graphic, spec, files)
        for path, graphic in sourced(spec, files)
        if graphic.text or graphic.image in files
    ]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share pixels."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def grown(box: Box, by: int) -> Box:
    """The box with ``by`` pixels around it."""
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _words(path: str, graphic: Graphic, spec: RenderSpec, files: Mapping[str, Path]) -> Placed:
    block = fitted_block(graphic, files, spec.output)
    pad = padding(block.size, ink_of(graphic))
    size = block.width + 2 * pad, block.height + 2 * pad
    return Placed(path, graphic, _at(graphic, spec, size), block.size, len(block.lines), block.rest)


def _picture(path: str, graphic: Graphic, spec: RenderSpec, files: Mapping[str, Path]) -> Placed:
    with Image.open(files[graphic.image]) as image:
        size = picture_size(graphic, spec.output, image.size)
    return Placed(path, graphic, _at(graphic, spec, size))


def _at(graphic: Graphic, spec: RenderSpec, size: tuple[int, int]) -> Box:
    x, y = position(graphic, spec.output, size)
    return x, y, x + size[0], y + size[1]
