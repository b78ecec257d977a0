"""Cues from a script: short, readable portions with times in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LINE_CHARACTERS = 42
MAX_LINES = 2
READING_CPS = 20
SENTENCE_END = re.compile(r"(?<=[.!?…。！？؟।])\s+|\n+")
CLAUSE_END = re.compile(r"(?<=[,;:،、，—–])\s+")


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption; ``text`` may hold one line break."""

    start_ms: int
    end_ms: int
    text: str

    @property
    def characters_per_second(self) -> float:
        return len(self.text.replace("\n", " ")) / max(0.001, (self.end_ms - self.start_ms) / 1000)


def cues_from_script(passages: Sequence[tuple[str, int]], *, start_ms: int = 0, gap_ms: int = 0) -> list[Cue]:
    """Cues for passages (text, duration in ms) that follow one another from ``start_ms``.

    Inside a passage, portions share its time by their number of characters; a passage without text is a pause.
    """
    cues: list[Cue] = []
    at = start_ms
    for text, duration in passages:
        cues += _passage(" ".join(text.split()), at, duration, gap_ms)
        at += duration
    return cues


def lines(text: str) -> str:
    """The portion in at most two lines of nearly one length, broken between words."""
    if len(text) <= LINE_CHARACTERS:
        return text
    cuts = [match.start() for match in re.finditer(r"\s", text)]
    if not cuts:
        return text
    best = min(cuts, key=lambda cut: max(cut, len(text) - cut - 1))
    return text[:best].rstrip() + "\n" + text[best:].lstrip()


def portions(text: str) -> list[str]:
    """Pieces of at most two lines, cut after sentences, else after clauses, else between words."""
    out: list[str] = []
    for sentence in filter(None, SENTENCE_END.split(text.strip())):
        out += _shorter(sentence.strip())
    return out


def _shorter(sentence: str) -> list[str]:
    limit = LINE_CHARACTERS * MAX_LINES
    if len(sentence) <= limit and _breaks_well(sentence):
        return [sentence]
    clauses = [clause for clause in CLAUSE_END.split(sentence) if clause]
    parts = _packed(clauses, limit) if len(clauses) > 1 else [sentence]
    out: list[str] = []
    for part in parts:
        fits = len(part) <= limit and _breaks_well(part)
        out += [part] if fits else _packed(_words(part), limit)
    return out


def _breaks_well(text: str) -> bool:
    return all(len(line) <= LINE_CHARACTERS for line in lines(text).split("\n"))


def _words(text: str) -> list[str]:
    """Words; a script without blanks is cut by length."""
    out: list[str] = []
    for word in text.split():
        out += [word[i : i + LINE_CHARACTERS] for i in range(0, len(word), LINE_CHARACTERS)]
    return out


def _packed(units: Sequence[str], limit: int) -> list[str]:
    out: list[str] = []
    for unit in units:
        joined = f"{out[-1]} {unit}" if out else unit
        if out and len(joined) <= limit and _breaks_well(joined):
            out[-1] = joined
        else:
            out.append(unit)
    return out


def _passage(text: str, start: int, duration: int, gap: int) -> list[Cue]:
    parts = portions(text)
    if not parts or duration <= 0:
        return []
    weights = [max(6, len(part)) for part in parts]
    total, done, cues = sum(weights), 0, []
    for part, weight in zip(parts, weights, strict=True):
        begin = start + duration * done // total
        done += weight
        end = start + duration * done // total - gap
        cues.append(Cue(begin, max(begin + 1, end), lines(part)))
    return cues
