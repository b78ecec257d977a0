"""Text cards: a headline and a smaller text on one colour or a vertical gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.channels import CHANNELS
from genengine.media.legibility import contrast, luminance, rgb
from genengine.media.spec.model import Output, TextSegment
from genengine.media.text.draw import Ink, draw_block, haloed, padding
from genengine.media.text.fonts import chain
from genengine.media.text.layout import Block, fit, minimum_size, text_base

HEADLINE, BODY = 0.075, 0.034
ACCENT_HEIGHT = 0.006
MOST_LINES, WHEN_CROWDED = {"headline": 3, "body": 4}, 3
"""A card has room: words that do not fit these lines take up to ``WHEN_CROWDED`` more before any is lost."""

READABLE = 4.5


@dataclass(frozen=True, slots=True)
class CardText:
    """One text of a card as it is set. ``field`` is its name in the spec, ``ink`` how it is drawn."""

    field: str
    block: Block
    ink: Ink


def card_rgb(segment: TextSegment, output: Output, files: Mapping[str, Path]) -> NDArray[np.uint8]:
    """The finished card in the frame's size."""
    ground = _gradient(segment, output)
    _, y0, _, y1 = _safe(output)
    parts = []
    for text in card_texts(segment, output, files):
        parts.append(draw_block(text.block, text.ink))
        if text.field == "headline" and segment.accent:
            parts.append(_bar(segment.accent, output))
    _stack(ground, parts, (y0, y1), gap=round(output.height * 0.02))
    return np.asarray(ground, np.uint8)


def card_texts(segment: TextSegment, output: Output, files: Mapping[str, Path]) -> list[CardText]:
    """Headline and body as they are set, in that order."""
    x0, y0, x1, y1 = _safe(output)
    box = x1 - x0, y1 - y0
    out = []
    if segment.headline:
        out.append(_set("headline", segment.headline, segment, output, (box[0], box[1] // 2), files))
    if segment.body:
        out.append(_set("body", segment.body, segment, output, (box[0], box[1] // 3), files))
    return out


def _safe(output: Output) -> tuple[int, int, int, int]:
    """The safe box, made even to the left and right of the frame's middle."""
    x0, y0, x1, y1 = CHANNELS[output.channel].safe_box(output.width, output.height).pixels(output.width, output.height)
    x0 = max(x0, output.width - x1)
    return x0, y0, output.width - x0, y1


def _stack(ground: Image.Image, parts: list[Image.Image], rows: tuple[int, int], *, gap: int) -> None:
    """The parts under each other in the middle of the rows."""
    total = sum(part.height for part in parts) + gap * (len(parts) - 1)
    y = rows[0] + max(0, (rows[1] - rows[0] - total) // 2)
    for part in parts:
        ground.paste(part, ((ground.width - part.width) // 2, y), part)
        y += part.height + gap


def _bar(color: str, output: Output) -> Image.Image:
    height = max(2, round(output.height * ACCENT_HEIGHT))
    return Image.new("RGBA", (round(min(output.width, output.height) * 0.12), height), (*rgb(color), 255))


def _set(
    field: str, text: str, segment: TextSegment, output: Output, box: tuple[int, int], files: Mapping[str, Path]
) -> CardText:
    font = segment.font if field == "headline" else segment.body_font
    fonts = chain(field, brand_font=files.get(font) if font else None, text=text)
    size = round(text_base(output.width, output.height) * (HEADLINE if field == "headline" else BODY))
    smallest = minimum_size(output.height)
    ink = _ink(segment)
    pad = padding(size, ink)
    width, height, lines = box[0] - 2 * pad, box[1] - 2 * pad, MOST_LINES[field]
    block = fit(text, fonts, width=width, height=height, size=size, smallest=smallest, max_lines=lines)
    if block.rest:
        lines += WHEN_CROWDED
        block = fit(text, fonts, width=width, height=height, size=size, smallest=smallest, max_lines=lines)
    return CardText(field, block, ink)


def _ink(segment: TextSegment) -> Ink:
    """Plain letters where the ground lets them stand out, else with a halo."""
    color = rgb(segment.color)
    grounds = (luminance(rgb(segment.background_from)), luminance(rgb(segment.background_to)))
    clear = min(contrast(luminance(color), ground) for ground in grounds) >= READABLE
    return Ink(color=color) if clear else haloed(color)


def _gradient(segment: TextSegment, output: Output) -> Image.Image:
    top, bottom = (np.array(rgb(value), np.float32) for value in (segment.background_from, segment.background_to))
    share = np.linspace(0, 1, output.height, dtype=np.float32)[:, None]
    column = np.rint(top * (1 - share) + bottom * share).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(column[:, None], (output.height, output.width, 3))))
