"""Fit words into a box: at most two lines, whole words, shrinking down to a legible size, the rest to the next card."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from genengine.media.text.breaking import (
    IN_WORDS,
    NOT_AT_LINE_END,
    NOT_AT_LINE_START,
    breakable,
    shown,
    splits_word,
)
from genengine.media.text.fonts import EMOJI, EMOJI_STRIKE, FontChain, sized
from genengine.media.text.runs import Run, base_is_rtl, clusters, visual_runs

MIN_HEIGHT_FRACTION = 0.022
"""Letters are never smaller than this part of the frame's height."""

WHOLE_WORDS_SHRINK = 0.82
"""Letters may become this much smaller so that no line ends inside a hyphenated word."""

BLANKS = re.compile(r"[ \t\f\v\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]+")
"""Blanks that may be collapsed and end a line; those that hold words together (U+00A0, U+202F, U+2007) stay."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as runs from left to right, with its width in pixels."""

    text: str
    runs: tuple[Run, ...]
    width: float


@dataclass(frozen=True, slots=True)
class Block:
    """A fitted text: its lines, size and line height in pixels, and what did not fit (for the next card)."""

    lines: tuple[Line, ...]
    size: int
    line_height: int
    ascent: int
    rest: str

    @property
    def width(self) -> int:
        return max((int(line.width + 0.999) for line in self.lines), default=0)

    @property
    def height(self) -> int:
        return self.line_height * len(self.lines)


def minimum_size(frame_height: int) -> int:
    """Smallest letter size in pixels for a frame of this height (never rounded down)."""
    return max(9, -(-int(frame_height * MIN_HEIGHT_FRACTION * 1000) // 1000))


def text_base(width: int, height: int) -> float:
    """What letter sizes are a fraction of: the height, but in wide and square frames as if they were taller, so that
    words are as readable there as in a tall one."""
    return max(height, 1.5 * min(width, height))


@lru_cache(maxsize=2048)
def fit(
    text: str,
    fonts: FontChain,
    *,
    width: int,
    height: int,
    size: int,
    smallest: int,
    max_lines: int = 2,
    leading: float = 1.22,
) -> Block:
    """Largest size from ``size`` down to ``smallest`` at which all of ``text`` fits ``width`` × ``height`` pixels.

    Lines end at blanks; inside a hyphenated word only where the whole word is wider than the box, or where letters
    a little smaller would not help. What cannot be placed even then is returned as ``rest``, cut between words. Kept,
    because a check and a render of one film ask for the same words several times.
    """
    text, box = clean(text), (width, height)
    largest = max(size, smallest)
    if not IN_WORDS.isdisjoint(text):
        least = max(smallest, round(largest * WHOLE_WORDS_SHRINK))
        block = _shrunk(text, fonts, box, (largest, least), max_lines, leading, split=False)
        if not block.rest:
            return block
    return _shrunk(text, fonts, box, (largest, smallest), max_lines, leading, split=True)


def _shrunk(
    text: str,
    fonts: FontChain,
    box: tuple[int, int],
    sizes: tuple[int, int],
    max_lines: int,
    leading: float,
    *,
    split: bool,
) -> Block:
    """The text at the largest of ``sizes`` (first to last) at which it fits; ``split`` lets lines end in words."""
    attempt, smallest = sizes
    while True:
        allowed = min(max_lines, max(1, int(box[1] / (attempt * leading))))
        block = _set(text, fonts, box[0], attempt, allowed, leading, split)
        if not block.rest or attempt <= smallest:
            return block
        attempt = max(smallest, min(attempt - 1, int(attempt * 0.94)))


def cards(text: str, fonts: FontChain, **box: int | float) -> list[str]:
    """The text in the portions that fit one card each (same arguments as ``fit``)."""
    out: list[str] = []
    rest = clean(text)
    while rest:
        block = fit(rest, fonts, **box)
        shown = rest[: len(rest) - len(block.rest)].strip() if block.rest else rest
        if not shown:
            return [*out, rest]
        out.append(shown)
        rest = block.rest
    return out


def clean(text: str) -> str:
    """Composed characters, no control characters, blanks collapsed; line breaks stay."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(char for char in text if char == "\n" or unicodedata.category(char) not in ("Cc", "Co", "Cs", "Cn"))
    lines = (BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


@lru_cache(maxsize=8192)
def width_of(text: str, fonts: FontChain, size: int, *, base_rtl: bool | None = None) -> float:
    """Advance width in pixels of the text as it is drawn."""
    return sum(run_width(run, size) for run in visual_runs(shown(text), fonts, base_rtl=base_rtl))


def run_width(run: Run, size: int) -> float:
    if run.is_emoji:
        return sized(EMOJI, EMOJI_STRIKE).getlength(run.text) * emoji_scale(size)
    if run.font is None:
        return size * 0.6 * len(clusters(run.text))
    return float(sized(run.font, size).getlength(run.text, direction="rtl" if run.rtl else "ltr"))


def emoji_scale(size: int) -> float:
    """Emoji stand a little higher than capitals, like on phones."""
    return size * 1.12 / 128


@lru_cache(maxsize=4096)
def _set(text: str, fonts: FontChain, width: int, size: int, max_lines: int, leading: float, split: bool) -> Block:
    rtl = base_is_rtl(text)
    placed, rest = _wrap(text, fonts, width, size, max_lines, rtl, split)
    if len(placed) == 2 and not rest and "\n" not in text:
        placed = _balanced(text, fonts, width, size, rtl, split) or placed
    lines = []
    for line in placed:
        drawn = shown(line)
        runs = tuple(visual_runs(drawn, fonts, base_rtl=rtl))
        lines.append(Line(drawn, runs, sum(run_width(run, size) for run in runs)))
    return Block(tuple(lines), size, round(size * leading), round(size * (leading + 0.68) / 2), rest)


def _wrap(
    text: str, fonts: FontChain, width: int, size: int, max_lines: int, rtl: bool, split: bool
) -> tuple[list[str], str]:
    lines: list[str] = []
    rest = text
    while rest and len(lines) < max_lines:
        paragraph, newline, after = rest.partition("\n")
        line, left = _take_line(paragraph, fonts, width, size, rtl, split)
        lines.append(line)
        rest = (left + newline + after if left else after).strip()
    return lines, rest


def _take_line(paragraph: str, fonts: FontChain, width: int, size: int, rtl: bool, split: bool) -> tuple[str, str]:
    """As many whole words as fit; a single word that is too long is cut between clusters."""
    units = breakable(paragraph)
    low, high = 0, len(units)
    while low < high:
        middle = (low + high + 1) // 2
        if width_of("".join(units[:middle]).rstrip(), fonts, size, base_rtl=rtl) <= width:
            low = middle
        else:
            high = middle - 1
    if not split and low < len(units):
        low = next((count for count in range(low, 0, -1) if not splits_word(units[count - 1])), low)
    if low:
        return "".join(units[:low]).rstrip(), "".join(units[low:]).lstrip()
    return _cut_word(paragraph, fonts, width, size, rtl)


def _cut_word(paragraph: str, fonts: FontChain, width: int, size: int, rtl: bool) -> tuple[str, str]:
    pieces, count = clusters(paragraph), 1
    while count < len(pieces) and width_of("".join(pieces[: count + 1]), fonts, size, base_rtl=rtl) <= width:
        count += 1
    while 1 < count < len(pieces) and (pieces[count] in NOT_AT_LINE_START or pieces[count - 1] in NOT_AT_LINE_END):
        count -= 1
    return "".join(pieces[:count]), "".join(pieces[count:]).lstrip()


def _balanced(text: str, fonts: FontChain, width: int, size: int, rtl: bool, split: bool) -> list[str] | None:
    """Two lines of nearly one length, the upper one rather the shorter: easier to read than one orphan word."""
    units, best = breakable(text), None
    for cut in range(max(1, len(units) // 4), len(units) - len(units) // 4):
        if not split and splits_word(units[cut - 1]):
            continue
        upper, lower = "".join(units[:cut]).rstrip(), "".join(units[cut:]).lstrip()
        widths = [width_of(part, fonts, size, base_rtl=rtl) for part in (upper, lower)]
        if max(widths) <= width and (best is None or max(widths) < best[0]):
            best = (max(widths), [upper, lower])
        if widths[0] >= widths[1]:
            break  # from here on the upper line only grows
    return best[1] if best else None
