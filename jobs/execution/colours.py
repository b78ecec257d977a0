"""Which colours of a brand can be read where. Values in, values out; colours are `#rrggbb`."""

import re
from collections.abc import Mapping

from genengine.media.legibility import contrast, luminance, rgb

INK, DARK_INK = "#ffffff", "#111111"
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
SPOKEN_FIRST = ("accent", "secondary", "background", "primary", "text")
WORDS_FIRST = ("text", "primary")
READS_WELL = 7.0
READ_ON_PLATE = 0.43
"""Relative luminance from which letters have 4.5 to 1 on a caption's dark plate, even where it lies over white."""


def ink_on(ground: str) -> str:
    """Return near-black or white, whichever reads better on a colour."""
    return DARK_INK if luminance(rgb(ground)) > 0.179 else INK


def words_on(ground: str, colours: Mapping[str, str]) -> str:
    """Return the brand's colour for words on a plain ground; near-black or white where it has none that reads well."""
    named = [colours[name] for name in WORDS_FIRST if COLOUR.fullmatch(colours.get(name, ""))]
    return next((code.lower() for code in named if _contrast(code, ground) >= READS_WELL), ink_on(ground))


def spoken_colour(colours: Mapping[str, str]) -> str:
    """Return the brand's colour for the word that is being said; white where none of them can be read on a plate, and
    nothing where the brand has no colours."""
    named = {name: code for name, code in colours.items() if COLOUR.fullmatch(code)}
    if not named:
        return ""
    ordered = [*(name for name in SPOKEN_FIRST if name in named), *named]
    return next((named[name].lower() for name in ordered if luminance(rgb(named[name])) >= READ_ON_PLATE), INK)


def _contrast(one: str, other: str) -> float:
    return contrast(luminance(rgb(one)), luminance(rgb(other)))
