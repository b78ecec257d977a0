"""Text cards: a headline and a smaller text on one colour or a vertical gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.channels import CHANNELS
from genengine.media.spec.model import Output, TextSegment
from genengine.media.text.draw import Ink, draw_block, padding, rgb
from genengine.media.text.fonts import chain
from genengine.media.text.layout import fit, minimum_size, text_base

HEADLINE, BODY = 0.075, 0.034
ACCENT_HEIGHT = 0.006
MOST_LINES = {"headline": 3, "body": 4}


def card_rgb(segment: TextSegment, output: Output) -> NDArray[np.uint8]:
    """The finished card in the frame's size."""
    ground = _gradient(segment, output)
    x0, y0, x1, y1 = CHANNELS[output.channel].safe_box(output.width, output.height).pixels(output.width, output.height)
    x0 = max(x0, output.width - x1)
    width, height = output.width - 2 * x0, y1 - y0
    parts = []
    if segment.headline:
        parts.append(_block(segment.headline, "headline", HEADLINE, segment, output, (width, height // 2)))
    if segment.headline and segment.accent:
        parts.append(_bar(segment.accent, output))
    if segment.body:
        parts.append(_block(segment.body, "body", BODY, segment, output, (width, height // 3)))
    _stack(ground, parts, (y0, y1), gap=round(output.height * 0.02))
    return np.asarray(ground, np.uint8)


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


def _block(
    text: str, role: str, size: float, segment: TextSegment, output: Output, box: tuple[int, int]
) -> Image.Image:
    fonts = chain(role, text=text)
    wanted, smallest = round(text_base(output.width, output.height) * size), minimum_size(output.height)
    ink = Ink(color=rgb(segment.color))
    pad = padding(wanted, ink)
    width, height = box[0] - 2 * pad, box[1] - 2 * pad
    lines = MOST_LINES[role]
    return draw_block(
        fit(text, fonts, width=width, height=height, size=wanted, smallest=smallest, max_lines=lines), ink
    )


def _gradient(segment: TextSegment, output: Output) -> Image.Image:
    top, bottom = (np.array(rgb(value), np.float32) for value in (segment.background_from, segment.background_to))
    share = np.linspace(0, 1, output.height, dtype=np.float32)[:, None]
    column = np.rint(top * (1 - share) + bottom * share).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(column[:, None], (output.height, output.width, 3))))
