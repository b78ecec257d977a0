"""Draw a fitted block as an RGBA bitmap: emoji in colour, outline under all letters, plate behind."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from genengine.media.legibility import RGB, contrast, luminance
from genengine.media.text.fonts import EMOJI, EMOJI_STRIKE, sized
from genengine.media.text.layout import Block, Line, emoji_scale, run_width
from genengine.media.text.runs import Run, clusters

HALO_SOFTNESS, HALO_STRENGTH, HALO_DROP = 0.6, 0.86, 0.3
"""Of a halo: blur against its reach, opacity, and how far it hangs below the letters."""

SURE = 12.0
"""Contrast to black or white from which a halo alone keeps 4.5 to 1 on any ground."""


@dataclass(frozen=True, slots=True)
class Ink:
    """How letters look. ``outline`` and ``halo`` (a soft rim) are fractions of the letter size; ``plate`` is RGBA.
    ``outline_color`` is the colour of both rims."""

    color: RGB = (255, 255, 255)
    outline: float = 0.0
    outline_color: RGB = (0, 0, 0)
    halo: float = 0.0
    plate: tuple[int, int, int, int] | None = None
    plate_padding: float = 0.42
    plate_radius: float = 0.34
    align: str = "center"


def rim(color: RGB) -> RGB:
    """Black or white, whichever the colour stands out from; one of them always gives 4.5 to 1."""
    light = luminance(color)
    return (0, 0, 0) if contrast(light, 0.0) >= contrast(light, 1.0) else (255, 255, 255)


def haloed(color: RGB) -> Ink:
    """Letters without a plate that can be read on any picture: a soft halo; a hard rim too for colours between light
    and dark, for which a halo that lets the picture through is not enough."""
    edge = rim(color)
    sure = contrast(luminance(color), luminance(edge)) >= SURE
    return Ink(color=color, halo=0.055, outline=0.012 if sure else 0.06, outline_color=edge)


def padding(block_size: int, ink: Ink) -> int:
    """Pixels around the letters that the outline, shadow and plate need."""
    around = ink.plate_padding if ink.plate else max(ink.outline, ink.halo * (1 + 2.5 * HALO_SOFTNESS + HALO_DROP))
    return int(block_size * around + 0.999) + 2


def draw_block(block: Block, ink: Ink, *, highlight: tuple[int, int, RGB] | None = None) -> Image.Image:
    """The block on a transparent ground, as tight as its padding.

    ``highlight`` is (first, past-last character of the whole block's text, colour): the word being spoken.
    """
    pad = padding(block.size, ink)
    size = (block.width + 2 * pad, block.height + 2 * pad)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    if ink.plate:
        _plate(image, block, ink, pad)
    letters = _letter_mask(block, size, pad, ink.align)
    if ink.halo:
        image.alpha_composite(_halo(block, ink, size, pad))
    if ink.outline:
        width = max(1, round(block.size * ink.outline))
        image.alpha_composite(_inked(_letter_mask(block, size, pad, ink.align, stroke=width), ink.outline_color))
    image.alpha_composite(_inked(letters, ink.color))
    if highlight is not None:
        first, last, color = highlight
        image.alpha_composite(_inked(_letter_mask(block, size, pad, ink.align, only=(first, last)), color))
    _emoji(image, block, pad, ink.align)
    return image


def _halo(block: Block, ink: Ink, size: tuple[int, int], pad: int) -> Image.Image:
    """A soft rim, dense beside the letters, that keeps them readable on any picture."""
    reach = max(1, round(block.size * ink.halo))
    wide = _letter_mask(block, size, pad, ink.align, stroke=reach)
    dropped = ImageChops.offset(wide, 0, round(reach * HALO_DROP))
    soft = ImageChops.lighter(wide, dropped).filter(ImageFilter.GaussianBlur(reach * HALO_SOFTNESS))
    return _inked(soft.point(lambda value: round(value * HALO_STRENGTH)), ink.outline_color)


def _inked(mask: Image.Image, color: RGB) -> Image.Image:
    layer = Image.new("RGBA", mask.size, (*color, 0))
    layer.putalpha(mask)
    return layer


def _plate(image: Image.Image, block: Block, ink: Ink, pad: int) -> None:
    """One rounded plate behind all lines, drawn at four times the size for smooth corners."""
    inset, scale = 2, 4
    big = Image.new("L", (image.width * scale, image.height * scale), 0)
    box = [
        inset * scale,
        inset * scale,
        (image.width - inset) * scale - 1,
        (image.height - inset) * scale - 1,
    ]
    ImageDraw.Draw(big).rounded_rectangle(box, round(block.size * ink.plate_radius * scale), fill=255)
    assert ink.plate is not None
    alpha = ink.plate[3]
    mask = big.resize(image.size, Image.Resampling.BOX).point(lambda value: value * alpha // 255)
    image.alpha_composite(_inked(mask, ink.plate[:3]))


def _letter_mask(
    block: Block,
    size: tuple[int, int],
    pad: int,
    align: str,
    *,
    stroke: int = 0,
    only: tuple[int, int] | None = None,
) -> Image.Image:
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    at = 0
    for row, line in enumerate(block.lines):
        x, baseline = _line_origin(block, line, row, pad, align)
        for run in line.runs:
            if only is not None:
                _draw_part(draw, run, block.size, x, baseline, only, at + line.text.find(run.text))
            elif not run.is_emoji:
                _draw_run(draw, run, block.size, x, baseline, stroke)
            x += run_width(run, block.size)
        at += len(line.text) + 1
    return mask


def _draw_run(draw: ImageDraw.ImageDraw, run: Run, size: int, x: float, baseline: float, stroke: int) -> None:
    if run.font is None:
        for index in range(len(clusters(run.text))):
            left = x + index * size * 0.6
            draw.rectangle([left + 2, baseline - size * 0.7, left + size * 0.5, baseline], outline=255, width=2)
        return
    font = sized(run.font, size)
    direction = "rtl" if run.rtl else "ltr"
    draw.text((x, baseline), run.text, font=font, fill=255, anchor="ls", direction=direction, stroke_width=stroke)


def _draw_part(
    draw: ImageDraw.ImageDraw,
    run: Run,
    size: int,
    x: float,
    baseline: float,
    only: tuple[int, int],
    run_at: int,
) -> None:
    """The spoken word inside a left-to-right run, again, in the highlight colour."""
    first, last = max(only[0] - run_at, 0), min(only[1] - run_at, len(run.text))
    if first >= last or run.rtl or run.is_emoji or run.font is None:
        return
    font = sized(run.font, size)
    draw.text(
        (x + font.getlength(run.text[:first]), baseline),
        run.text[first:last],
        font=font,
        fill=255,
        anchor="ls",
    )


def _emoji(image: Image.Image, block: Block, pad: int, align: str) -> None:
    for row, line in enumerate(block.lines):
        x, baseline = _line_origin(block, line, row, pad, align)
        for run in line.runs:
            if run.is_emoji:
                picture = _emoji_picture(run.text, block.size)
                top = round(baseline - block.size * 0.36 - picture.height / 2)
                image.alpha_composite(picture, (max(0, round(x)), max(0, top)))
            x += run_width(run, block.size)


def _emoji_picture(text: str, size: int) -> Image.Image:
    font = sized(EMOJI, EMOJI_STRIKE)
    big = Image.new("RGBA", (max(1, round(font.getlength(text))), 128), (0, 0, 0, 0))
    ImageDraw.Draw(big).text((0, 102), text, font=font, embedded_color=True, anchor="ls")
    scale = emoji_scale(size)
    target = max(1, round(big.width * scale)), max(1, round(big.height * scale))
    return big.resize(target, Image.Resampling.LANCZOS)


def _line_origin(block: Block, line: Line, row: int, pad: int, align: str) -> tuple[float, float]:
    slack = block.width - line.width
    shift = {"left": 0.0, "center": slack / 2, "right": slack}[align]
    return pad + shift, pad + row * block.line_height + block.ascent
