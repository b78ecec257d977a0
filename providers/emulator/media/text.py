"""Words on the emulator's pictures, as small masks. Prompts may be in any script."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import genengine.media.version as engine

FONTS = Path(engine.__file__).parent / "fonts"
SCRIPTS = (
    (0x0590, 0x05FF, "NotoSansHebrew-SemiBold.ttf"),
    (0x0600, 0x06FF, "NotoSansArabic-SemiBold.ttf"),
    (0x0900, 0x097F, "NotoSansDevanagari-SemiBold.ttf"),
    (0x0E00, 0x0E7F, "NotoSansThai-SemiBold.ttf"),
    (0x3040, 0x30FF, "NotoSansJP-SemiBold-subset.ttf"),
    (0xAC00, 0xD7AF, "NotoSansKR-SemiBold-subset.ttf"),
    (0x4E00, 0x9FFF, "NotoSansSC-SemiBold-subset.ttf"),
)


def font_file(text: str) -> Path:
    """The shipped font of the first script in the text that Inter does not have."""
    for character in text:
        for low, high, name in SCRIPTS:
            if low <= ord(character) <= high:
                return FONTS / name
    return FONTS / "Inter-SemiBold.ttf"


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def text_mask(text: str, *, size: int, width: int, lines: int) -> np.ndarray:
    """Alpha of wrapped text, 0 to 255, ``width`` pixels wide; what does not fit ends in an ellipsis."""
    font = _font(font_file(text), size)
    columns = max(8, int(width / (size * 0.56)))
    wrapped = textwrap.wrap(" ".join(text.split()), columns, max_lines=lines, placeholder=" …") or [""]
    step = round(size * 1.3)
    image = Image.new("L", (width, step * len(wrapped) + size // 3), 0)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(wrapped):
        draw.text((0, row * step), line, fill=255, font=font)
    return np.asarray(image)


def paste_mask(luma: np.ndarray, mask: np.ndarray, *, left: int, top: int, level: int) -> None:
    """Blend a mask into a luma plane in place, cut at the plane's edges."""
    height = max(0, min(mask.shape[0], luma.shape[0] - top))
    width = max(0, min(mask.shape[1], luma.shape[1] - left))
    if not height or not width:
        return
    box = luma[top : top + height, left : left + width]
    alpha = mask[:height, :width].astype(np.uint16)
    box[:] = ((box * (255 - alpha) + level * alpha) // 255).astype(np.uint8)
