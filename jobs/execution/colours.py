"""Which colours of a brand can be read where. Values in, values out; colours are `#rrggbb`."""

import re
from collections.abc import Mapping

INK, DARK_INK = "#ffffff", "#111111"
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
SPOKEN_FIRST = ("accent", "secondary", "background", "primary", "text")
WORDS_FIRST = ("text", "primary")
READS_WELL = 7.0
READ_ON_PLATE = 0.43
"""Relative luminance from which letters have 4.5 to 1 on a caption's dark plate, even where it lies over white."""


def luminance(colour: str) -> float:
    """Return the relative luminance 0 … 1 of a colour (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(ground: str) -> str:
    """Return near-black or white, whichever reads better on a colour."""
    return DARK_INK if luminance(ground) > 0.179 else INK


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 … 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def words_on(ground: str, colours: Mapping[str, str]) -> str:
    """Return the brand's colour for words on a plain ground; near-black or white where it has none that reads well."""
    named = [colours[name] for name in WORDS_FIRST if COLOUR.fullmatch(colours.get(name, ""))]
    return next((code.lower() for code in named if contrast(code, ground) >= READS_WELL), ink_on(ground))


def spoken_colour(colours: Mapping[str, str]) -> str:
    """Return the brand's colour for the word that is being said; white where none of them can be read on a plate, and
    nothing where the brand has no colours."""
    named = {name: code for name, code in colours.items() if COLOUR.fullmatch(code)}
    if not named:
        return ""
    ordered = [*(name for name in SPOKEN_FIRST if name in named), *named]
    return next((named[name].lower() for name in ordered if luminance(named[name]) >= READ_ON_PLATE), INK)
