"""How well one colour is read on another (WCAG 2.2). Plain values: nothing is drawn or loaded."""

from __future__ import annotations

RGB = tuple[int, int, int]


def rgb(text: str) -> RGB:
    """``#rrggbb`` as three bytes."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def luminance(color: RGB) -> float:
    """Relative luminance 0 … 1."""
    unit = (value / 255 for value in color)
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in unit)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """Contrast of two luminances, 1 … 21."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
