"""Do words and logo stand out from what is really behind them (WCAG contrast, measured on pixels).

Every style of text brings its own help: captions and labels a plate, headlines a halo, memes an outline. So words are
only refused where that help cannot work: a plate of nearly the letters' own colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.compose.graphics import ink_of
from genengine.media.compose.placing import Placed
from genengine.media.legibility import RGB, contrast, luminance
from genengine.media.preflight.behind import Behind
from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import RenderSpec

READABLE = 4.5
LOGO_VISIBLE = 1.6
WORST = 5
"""Percentile of pixels that counts as the worst; a single odd pixel does not."""


def contrasts(spec: RenderSpec, files: Mapping[str, Path], items: list[Placed]) -> Iterator[LintFinding]:
    """Errors for words that nothing helps, warnings for a logo that drowns, notes on the help that is drawn."""
    behind = Behind(spec, files)
    for item in items:
        pixels = behind.part((item.graphic.start + item.graphic.end) // 2, item.box)
        if item.graphic.text:
            yield from _words(item, pixels)
        elif pixels is not None and item.graphic.area == "safe":
            yield from _logo(item, pixels, files[item.graphic.image])


def _words(item: Placed, pixels: NDArray[np.uint8] | None) -> Iterator[LintFinding]:
    ink = ink_of(item.graphic)
    light = luminance(ink.color)
    bare = None if pixels is None else _worst(light, luminances(pixels))
    if ink.plate is None:
        if bare is not None and bare < READABLE:
            helped = contrast(light, luminance(ink.outline_color))
            name = "An outline" if item.graphic.style == "outline" else "A halo"
            message = f"Against the picture alone the words have {bare:.1f} to 1. {name} is drawn: {helped:.1f} to 1."
            yield LintFinding("contrast_helped", Severity.NOTE, item.path, message)
        return
    opaque = ink.plate[3] == 255
    if pixels is None and not opaque:
        return
    plate = luminances(_mixed(ink.plate, np.zeros((1, 1, 3), np.uint8) if pixels is None else pixels))
    reached = _worst(light, plate)
    if reached < READABLE:
        message = f"The words have {reached:.1f} to 1 against their plate; {READABLE} to 1 can be read."
        fix = "Make the letters lighter or darker, or choose another plate colour."
        yield LintFinding("low_contrast", Severity.ERROR, item.path, message, fix)
    elif bare is not None and bare < READABLE:
        message = f"Against the picture alone the words have {bare:.1f} to 1. A plate is drawn: {reached:.1f} to 1."
        yield LintFinding("contrast_helped", Severity.NOTE, item.path, message)


def _logo(item: Placed, pixels: NDArray[np.uint8], path: Path) -> Iterator[LintFinding]:
    best = logo_contrast(path, pixels)
    if best is not None and best < LOGO_VISIBLE:
        message = f"The picture nearly has its tone there: {best:.1f} to 1 against what is behind it."
        fix = "Use the logo's other version, another corner, or give it a shadow."
        yield LintFinding("logo_contrast", Severity.WARNING, item.path, message, fix)


def logo_contrast(path: Path, pixels: NDArray[np.uint8]) -> float | None:
    """How well a logo stands out from the pixels behind it, as a WCAG ratio; None for a picture without solid parts.

    A quarter of it must stand out: a mark of several colours needs no more to be seen.
    """
    solid = _solid_parts(path, path.stat().st_mtime_ns)
    if not solid:
        return None
    ground = float(np.median(luminances(pixels)))
    return float(np.percentile([contrast(value, ground) for value in solid], 75))


@lru_cache(maxsize=16)
def _solid_parts(path: Path, _changed: int) -> tuple[float, ...]:
    """Luminances of what is not transparent in a small copy. Kept, because a logo is tried in many places."""
    with Image.open(path) as image:
        rgba = np.asarray(image.convert("RGBA").resize((96, 96)), np.uint8)
    return tuple(float(value) for value in luminances(rgba[rgba[..., 3] > 128][:, :3]))


def luminances(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of every pixel (… × 3 → …)."""
    unit = pixels.astype(np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def _worst(light: float, behind: NDArray[np.float64]) -> float:
    low, high = np.percentile(behind, [WORST, 100 - WORST])
    if low <= light <= high:
        return 1.0
    return min(contrast(light, float(low)), contrast(light, float(high)))


def _mixed(plate: tuple[int, int, int, int], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = plate[3] / 255
    color: RGB = plate[:3]
    return np.rint(np.array(color) * share + pixels * (1 - share)).astype(np.uint8)
