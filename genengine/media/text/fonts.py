"""The fonts we ship, by role, and the chain that finds a glyph for every script they cover."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from genengine.media.text.cmap import coverage

FOLDER = Path(__file__).resolve().parent.parent / "fonts"
EMOJI = str(FOLDER / "NotoColorEmoji.ttf")
EMOJI_STRIKE = 109
"""The emoji font holds bitmaps of this one size; other sizes are scaled from it."""

ROLES = {
    "body": "Inter-SemiBold.ttf",
    "headline": "Montserrat-Bold.ttf",
    "display": "Anton-Regular.ttf",
    "regular": "Inter-Regular.ttf",
}
FALLBACK = (
    "Inter-SemiBold.ttf",
    "NotoSansArabic-SemiBold.ttf",
    "NotoSansHebrew-SemiBold.ttf",
    "NotoSansThai-SemiBold.ttf",
    "NotoSansDevanagari-SemiBold.ttf",
    "NotoSansSC-SemiBold-subset.ttf",
    "NotoSansJP-SemiBold-subset.ttf",
    "NotoSansKR-SemiBold-subset.ttf",
)
KANA = range(0x3040, 0x3100)
IGNORABLE = frozenset({0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFE0E, 0xFE0F, 0x00AD})


@dataclass(frozen=True, slots=True)
class FontChain:
    """A first font and those asked after it. Paths, so that a chain can be part of a cache key."""

    paths: tuple[str, ...]

    def font_for(self, cluster: str) -> str | None:
        """Path of the first font that has every visible character of ``cluster``; None when none has."""
        needed = [ord(char) for char in cluster if ord(char) not in IGNORABLE and not char.isspace()]
        for path in self.paths:
            have = coverage(path)
            if all(code in have for code in needed):
                return path
        return None

    def missing(self, text: str) -> list[str]:
        """Characters nobody has a glyph for, in order of appearance."""
        seen: dict[str, None] = {}
        for char in text:
            unseen = ord(char) not in IGNORABLE and not char.isspace() and char not in seen
            if unseen and self.font_for(char) is None and ord(char) not in coverage(EMOJI):
                seen[char] = None
        return list(seen)


def chain(role: str = "body", *, brand_font: Path | None = None, text: str = "") -> FontChain:
    """Fonts for a role, a brand's own first. Japanese text prefers Japanese glyphs over Chinese ones."""
    rest = [str(FOLDER / name) for name in FALLBACK]
    if any(ord(char) in KANA for char in text):
        rest.sort(key=lambda path: "NotoSansSC" in path)
    first = [str(brand_font)] if brand_font else []
    paths = [*first, str(FOLDER / ROLES[role]), *rest]
    return FontChain(tuple(dict.fromkeys(paths)))


@lru_cache(maxsize=128)
def sized(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels, shaped by HarfBuzz through RAQM."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)
