"""Cut a line into runs of one font and one direction, in the order in which they stand on the line.

Pillow shapes a run well but cannot change fonts inside one, so we split first. The order follows the Unicode
Bidirectional Algorithm (UAX #9) for plain text: levels 0 to 2, numbers, neutrals; no embedding controls.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from genengine.media.text.cmap import coverage
from genengine.media.text.fonts import EMOJI, IGNORABLE, FontChain

VARIATION_TEXT, VARIATION_EMOJI, JOINER = "\ufe0e", "\ufe0f", "\u200d"
KEYCAP = "\u20e3"
STRONG_RIGHT = frozenset({"R", "AL"})
NUMBERS = frozenset({"EN", "AN"})
THAI_LEADING_VOWELS = frozenset("เแโใไ")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one font. ``font`` None means that nobody has its glyphs."""

    text: str
    font: str | None
    rtl: bool

    @property
    def is_emoji(self) -> bool:
        return self.font == EMOJI


def clusters(text: str) -> list[str]:
    """Characters as a reader sees them: marks, joiners, skin tones and flags stay with their base."""
    out: list[str] = []
    for char in text:
        if out and _extends(out[-1], char):
            out[-1] += char
        else:
            out.append(char)
    return out


def base_is_rtl(text: str) -> bool:
    """Direction of the paragraph: that of its first letter (UAX #9, P2 and P3)."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind == "L" or kind in STRONG_RIGHT:
            return kind in STRONG_RIGHT
    return False


def visual_runs(text: str, fonts: FontChain, *, base_rtl: bool | None = None) -> list[Run]:
    """Runs of a line from left to right as drawn."""
    if not text:
        return []
    rtl = base_is_rtl(text) if base_rtl is None else base_rtl
    pieces = clusters(text)
    levels = _levels(pieces, 1 if rtl else 0)
    chosen = _fonts(pieces, fonts)
    runs: list[tuple[Run, int]] = []
    for piece, level, font in zip(pieces, levels, chosen, strict=True):
        if runs and runs[-1][1] == level and runs[-1][0].font == font:
            runs[-1] = (Run(runs[-1][0].text + piece, font, bool(level % 2)), level)
        else:
            runs.append((Run(piece, font, bool(level % 2)), level))
    return _reordered(runs)


def _extends(before: str, char: str) -> bool:
    code = ord(char)
    if unicodedata.category(char) in ("Mn", "Me", "Mc") or code in IGNORABLE or 0x1F3FB <= code <= 0x1F3FF:
        return True
    if before.endswith(JOINER) or 0xE0020 <= code <= 0xE007F:
        return True
    if before[-1:] == "\u094d" and unicodedata.category(char) == "Lo":
        return True
    if before in THAI_LEADING_VOWELS:
        return True
    is_flag = 0x1F1E6 <= code <= 0x1F1FF
    return is_flag and len(before) == 1 and 0x1F1E6 <= ord(before) <= 0x1F1FF


def _fonts(pieces: list[str], fonts: FontChain) -> list[str | None]:
    """A font for each cluster; blanks and marks that stand alone take their neighbour's."""
    out: list[str | None] = []
    for piece in pieces:
        if _wants_emoji(piece):
            out.append(EMOJI)
        elif piece.isspace() and out and out[-1] != EMOJI:
            out.append(out[-1])
        else:
            found = fonts.font_for(piece)
            if found is None and ord(piece[0]) in coverage(EMOJI):
                found = EMOJI
            out.append(found)
    return out


def _wants_emoji(piece: str) -> bool:
    if VARIATION_TEXT in piece:
        return False
    first = ord(piece[0])
    if VARIATION_EMOJI in piece or KEYCAP in piece:
        return first in coverage(EMOJI)
    return first >= 0x1F000 and first in coverage(EMOJI)


def _levels(pieces: list[str], base: int) -> list[int]:
    """Embedding level of each cluster: letters, then numbers, then neutrals between them (W and N rules, short)."""
    kinds = [_kind(piece) for piece in pieces]
    for index, kind in enumerate(kinds):
        if kind == "ES" and 0 < index < len(kinds) - 1 and kinds[index - 1] == kinds[index + 1] == "N":
            kinds[index] = "N"
    levels: list[int | None] = []
    last_strong = "R" if base else "L"
    for kind in kinds:
        if kind in ("L", "R"):
            last_strong = kind
            levels.append((0 if base == 0 else 2) if kind == "L" else 1)
        elif kind == "N":
            levels.append(2 if last_strong == "R" or base else 0)
        else:
            levels.append(None)
    return _neutrals(levels, base)


def _kind(piece: str) -> str:
    kind = unicodedata.bidirectional(piece[0])
    if kind == "L":
        return "L"
    if kind in STRONG_RIGHT:
        return "R"
    if kind in NUMBERS or kind == "ET":
        return "N"
    return "ES" if kind in ("CS", "ES") else "neutral"


def _neutrals(levels: list[int | None], base: int) -> list[int]:
    """Neutrals between two of one direction join it, others take the paragraph's (N1, N2)."""
    out: list[int] = []
    for index, level in enumerate(levels):
        if level is not None:
            out.append(level)
            continue
        before = next((value for value in reversed(levels[:index]) if value is not None), base)
        after = next((value for value in levels[index + 1 :] if value is not None), base)
        same = (before % 2 or before == 2) == (after % 2 or after == 2) if base == 0 else before == after
        out.append(
            min(before, after)
            if same and before % 2 == after % 2
            else (1 if same and base == 0 and (before or after) else base)
        )
    return out


def _reordered(runs: list[tuple[Run, int]]) -> list[Run]:
    """Reverse from the highest level down to 1 (UAX #9, L2)."""
    order = list(runs)
    for level in range(max(value for _, value in runs), 0, -1):
        start = 0
        while start < len(order):
            if order[start][1] < level:
                start += 1
                continue
            end = start
            while end < len(order) and order[end][1] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = end
    return [run for run, _ in order]
