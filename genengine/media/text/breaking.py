"""Where a line may end: after blanks, inside addresses and compounds, between phrases of scripts without blanks.

A short form of UAX #14. Thai and Japanese are cut between words and phrases by BudouX's small models; Chinese may
break between any two signs. Neither a closing sign starts a line nor an opening one ends it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Protocol

from genengine.media.text.runs import clusters

SOFT_HYPHEN, ZERO_SPACE = "\u00ad", "\u200b"
NO_BREAK = frozenset("\u00a0\u202f\u2007\u2060\ufeff")
NOT_AT_LINE_START = frozenset(
    "、。，．：；！？）」』】〉》〕］｝・…‥ー々ゝゞヽヾ〜ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ%‰°!?,.:;)]}»”’ฯๆ।॥،؛؟"
)
NOT_AT_LINE_END = frozenset("（「『【〈《〔［｛([{«“‘¿¡$€£¥￥#@")
HYPHENS = frozenset("-\u2010\u2013\u2014")
IN_WORDS = frozenset("-\u2010")
"""Hyphens that join parts of one word; dashes stand between words."""

ADDRESS = re.compile(r"^(?:\w+://|www\.)|^[\w.-]+\.\w{2,}/|^[@#]\w{12,}")
ADDRESS_BREAKS = frozenset("/?&=_.#-+")


class _Phrases(Protocol):
    def parse(self, sentence: str) -> list[str]: ...


def breakable(paragraph: str) -> list[str]:
    """The paragraph in pieces between which a line may end; joined they give the paragraph again."""
    pieces = clusters(paragraph)
    cuts = _cuts(pieces)
    units: list[str] = []
    for index, piece in enumerate(pieces):
        if index == 0 or index in cuts:
            units.append(piece)
        else:
            units[-1] += piece
    return units


def splits_word(unit: str) -> bool:
    """Whether a line that ends with this piece of ``breakable`` ends inside a hyphenated word."""
    return unit[-1] in IN_WORDS


def shown(line: str) -> str:
    """The line as it is drawn: a soft hyphen only at its end, no-break blanks as plain ones."""
    line = line.rstrip()
    ends = line.endswith(SOFT_HYPHEN)
    plain = line.replace(SOFT_HYPHEN, "").replace(ZERO_SPACE, "").replace("\ufeff", "").replace("\u2060", "")
    for blank in "\u00a0\u202f\u2007":
        plain = plain.replace(blank, " ")
    return plain + "-" if ends else plain


def _cuts(pieces: list[str]) -> set[int]:
    """Indices of the clusters that may start a line."""
    cuts = _phrase_starts(pieces)
    tokens = _address_marks(pieces)
    for index in range(1, len(pieces)):
        before, after = pieces[index - 1], pieces[index]
        hyphenated = before[-1] in (SOFT_HYPHEN, ZERO_SPACE) or (before in HYPHENS and after[0].isalpha())
        in_address = index - 1 in tokens and after not in ADDRESS_BREAKS
        if (_blank(before) and not _blank(after)) or hyphenated or in_address:
            cuts.add(index)
    return {index for index in cuts if _allowed(pieces[index - 1], pieces[index])}


def _allowed(before: str, after: str) -> bool:
    if after in NOT_AT_LINE_START or before in NOT_AT_LINE_END or _blank(after):
        return False
    return not (before[-1] in NO_BREAK or after[0] in NO_BREAK)


def _blank(piece: str) -> bool:
    return piece.isspace() and piece[0] not in NO_BREAK


def _phrase_starts(pieces: list[str]) -> set[int]:
    """Starts of phrases inside scripts without blanks, and of those scripts beside others."""
    starts: set[int] = set()
    index = 0
    japanese = any(_is_kana(piece[0]) for piece in pieces)
    while index < len(pieces):
        kind = script(piece=pieces[index])
        end = index + 1
        while end < len(pieces) and script(piece=pieces[end]) == kind:
            end += 1
        if kind:
            starts |= {index, end} | _inside(pieces, index, end, "ja" if kind == "wide" and japanese else kind)
        index = end
    return starts - {0, len(pieces)}


def _inside(pieces: list[str], start: int, end: int, kind: str) -> set[int]:
    if kind == "wide":
        return set(range(start + 1, end))
    ends, done = set(), 0
    for phrase in _parser(kind).parse("".join(pieces[start:end])):
        done += len(phrase)
        ends.add(done)
    found, done = set(), 0
    for index in range(start, end):
        if done in ends:
            found.add(index)
        done += len(pieces[index])
    return found


@cache
def _parser(kind: str) -> _Phrases:
    import budoux

    return budoux.load_default_thai_parser() if kind == "thai" else budoux.load_default_japanese_parser()


def script(*, piece: str) -> str:
    """``thai``, ``wide`` (Chinese and Japanese) or nothing for scripts that have blanks between words."""
    code = ord(piece[0])
    if 0x0E00 <= code <= 0x0E7F:
        return "thai"
    if 0x1100 <= code <= 0x11FF or 0xAC00 <= code <= 0xD7FF or 0x3130 <= code <= 0x318F or code >= 0x1F000:
        return "wide" if 0x20000 <= code <= 0x3FFFF else ""
    return "wide" if code >= 0x2E80 and unicodedata.east_asian_width(piece[0]) in ("W", "F") else ""


def _is_kana(char: str) -> bool:
    return 0x3040 <= ord(char) <= 0x30FF


def _address_marks(pieces: list[str]) -> set[int]:
    """Clusters after which an internet address or a long tag may break."""
    marks: set[int] = set()
    start = 0
    for index in range(len(pieces) + 1):
        if index < len(pieces) and not pieces[index].isspace():
            continue
        if ADDRESS.search("".join(pieces[start:index])):
            marks |= {at for at in range(start + 1, index - 1) if pieces[at] in ADDRESS_BREAKS}
        start = index + 1
    return marks
