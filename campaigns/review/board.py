"""The review page as values: one card a finished file, with its checks, its approval and what must be said of it."""

import re
from dataclasses import dataclass
from typing import Any

from campaigns.review.models import Approval
from campaigns.review.queries import standing_approvals
from jobs.execution.models import Job, Master
from jobs.execution.states import MasterState

TIME_CODE = re.compile(r"(\d+(?:\.\d+)?)\s?s\b")
WORDS = {
    "duration": "Length",
    "resolution": "Picture size",
    "fps": "Frame rate",
    "black": "Black frames",
    "freeze": "Frozen picture",
    "flash": "Flashes",
    "loudness": "Loudness",
    "true_peak": "True peak",
    "faststart": "Starts while loading",
    "colour": "Colour tags",
    "color": "Colour tags",
    "decodable": "Plays to the end",
}


@dataclass(frozen=True)
class Evidence:
    """A piece of evidence; `seconds` is set when it names a moment of the film."""

    text: str
    seconds: float | None


@dataclass(frozen=True)
class Check:
    """One row of the scorecard."""

    name: str
    verdict: str
    measured: str
    threshold: str
    message: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Card:
    """One master."""

    master: Master
    approval: Approval | None
    checks: tuple[Check, ...]
    noticed: int
    passed: int
    simulated: bool
    filename: str

    @property
    def ready(self) -> bool:
        """Whether there is a file to look at."""
        return self.master.state == MasterState.READY and self.master.blob_id is not None


@dataclass(frozen=True)
class ReviewBoard:
    """All cards of a job, by variant; counts for the head of the page."""

    cards: tuple[Card, ...]
    ratios: tuple[str, ...]
    ready: int
    approved: int


def review_board(*, job: Job) -> ReviewBoard:
    """Read the finished and coming masters of a job with their approvals, in three queries."""
    masters = list(
        Master.objects.filter(job=job)
        .select_related("branch", "blob", "thumbnail", "vtt", "srt", "quality")
        .order_by("branch__position", "locale", "ratio")
    )
    standing = standing_approvals(masters)
    cards = tuple(_card(job, master, standing.get(master.pk)) for master in masters)
    return ReviewBoard(
        cards=cards,
        ratios=tuple(dict.fromkeys(master.ratio for master in masters)),
        ready=sum(card.ready for card in cards),
        approved=sum(card.approval is not None for card in cards),
    )


def _card(job: Job, master: Master, approval: Approval | None) -> Card:
    findings = master.quality.findings if master.quality else []
    checks = sorted((_check(finding) for finding in findings), key=lambda c: _ORDER.get(c.verdict, 1))
    return Card(
        master=master,
        approval=approval,
        checks=tuple(checks),
        noticed=sum(c.verdict != "pass" for c in checks),
        passed=sum(c.verdict == "pass" for c in checks),
        simulated=job.mode == "simulated",
        filename=_filename(job, master),
    )


_ORDER = {"fail": 0, "unknown": 1, "warn": 2, "pass": 3}


def _check(finding: dict[str, Any]) -> Check:
    evidence = finding.get("evidence") or ()
    name = str(finding.get("check", ""))
    return Check(
        name=WORDS.get(name, name.replace("_", " ").capitalize()),
        verdict=str(finding.get("verdict", "unknown")),
        measured=str(finding.get("measured", "")),
        threshold=str(finding.get("threshold", "")),
        message=str(finding.get("message", "")),
        evidence=tuple(_evidence(str(item)) for item in evidence),
    )


def _evidence(text: str) -> Evidence:
    found = TIME_CODE.search(text)
    return Evidence(text, float(found.group(1)) if found else None)


def _filename(job: Job, master: Master) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", job.title.lower()).strip("-")[:60] or "ad"
    return f"{stem}-{master.branch.key}-{master.locale}-{master.ratio.replace(':', 'x')}.mp4"
