"""What was expected, what was found, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Verdict(StrEnum):
    """``unknown`` means that a check could not be made; it never counts as passed."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


POINTS = {Verdict.PASS: 1.0, Verdict.WARN: 0.6, Verdict.UNKNOWN: 0.3, Verdict.FAIL: 0.0}
CRITICAL_CAP = 4.0
"""A file that fails any check never scores better than this."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the file has to be; None leaves a check out, ``require_audio`` False allows a file without a track.

    Loudness is not judged when ``lufs`` is None. ``allow_black_edges`` is for work that fades from or to black.
    """

    width: int | None = None
    height: int | None = None
    fps: Fraction | None = None
    frames: int | None = None
    duration_ms: int | None = None
    duration_tolerance_ms: int = 40
    lufs: float | None = None
    loudness_tolerance: float = 0.5
    true_peak_dbtp: float | None = None
    require_audio: bool = True
    silent: bool = False
    max_bytes: int | None = None
    min_bit_rate: int | None = None
    allow_black_edges: bool = False
    max_black_s: float = 0.7
    max_freeze_s: float = 4.0
    stills_allowed: bool = True
    """Text cards and unmoved pictures stand still on purpose: a freeze is then only a warning."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``evidence`` names frames and time codes, or the values behind the judgement."""

    check: str
    verdict: Verdict
    measured: str
    threshold: str
    message: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QCReport:
    """Findings with the overall verdict and a score from 0 to 10."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        present = {finding.verdict for finding in self.findings}
        for worst in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN):
            if worst in present:
                return worst
        return Verdict.PASS if self.findings else Verdict.UNKNOWN

    @property
    def passed(self) -> bool:
        """True for pass and warn; never for fail or unknown."""
        return self.verdict in (Verdict.PASS, Verdict.WARN)

    @property
    def score(self) -> float:
        if not self.findings:
            return 0.0
        mean = 10 * sum(POINTS[finding.verdict] for finding in self.findings) / len(self.findings)
        return round(min(mean, CRITICAL_CAP) if self.verdict is Verdict.FAIL else mean, 1)

    def by_check(self, name: str) -> Finding:
        """The finding of one check; ``KeyError`` when it was not asked for."""
        for finding in self.findings:
            if finding.check == name:
                return finding
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        rows = [
            asdict(finding) | {"verdict": finding.verdict.value, "evidence": list(finding.evidence)}
            for finding in self.findings
        ]
        return {"verdict": self.verdict.value, "passed": self.passed, "score": self.score, "findings": rows}


def worst(findings: Iterable[Finding]) -> Verdict:
    return QCReport(tuple(findings)).verdict
