"""What live attempts measured of a model, and how much of it is believed. Pure: samples in, figures out.

Every share is shrunk towards an expectation: a few attempts move it a little, many make it their own. Older attempts
count less, half as much every thirty days. A genre's figures lean on the model's own, which lean on the expectation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HALF_LIFE_DAYS = 30.0
BELIEF_TRIES = 10.0  # the expectation weighs as much as so many attempts
BELIEF_APPROVALS = 5.0
EXPECTED_PASS = 0.92
EXPECTED_APPROVAL = 0.80
EXPECTED_SCORE = 0.90  # of a take's quality report, 0 to 1
LEAST_EFFORT = 0.2
BELIEF_PACE = 5.0


@dataclass(frozen=True)
class Sample:
    """One ended live attempt. `passed`: a result came and passed its checks; `approved` is nothing until judged.

    `score` is the take's quality report, 0 to 1; `pace` the seconds of waiting for one second of video.
    """

    age_days: float
    passed: bool
    score: float | None = None
    approved: bool | None = None
    pace: float | None = None
    seconds: float = 0.0
    cost_micro: int = 0
    genre: str = ""

    @property
    def weight(self) -> float:
        """How much it counts for its age."""
        return float(0.5 ** (max(0.0, self.age_days) / HALF_LIFE_DAYS))


@dataclass(frozen=True)
class Figures:
    """What is believed of a model: shares 0 to 1, pace in seconds a second of video, cost an accepted second."""

    tries: int = 0
    pass_rate: float = EXPECTED_PASS
    approval: float = EXPECTED_APPROVAL
    score: float = EXPECTED_SCORE
    pace_p50: float | None = None
    pace_p90: float | None = None
    weight: float = 0.0  # of the attempts, after their age
    accepted_second_micro: int | None = None

    @property
    def proven(self) -> float:
        """The part of the score, 0 to 1: how often it works, and how good and welcome what comes is."""
        return self.pass_rate * (0.5 + 0.3 * self.approval + 0.2 * self.score)

    @property
    def effort(self) -> float:
        """Divide a price or a time by this for what a clip really takes, retries included; 1 is as expected."""
        return min(1.0, max(LEAST_EFFORT, self.pass_rate / EXPECTED_PASS))

    def pace_or(self, declared: float) -> float:
        """Return the seconds of waiting for one second of video: measured, leaning on the declared figure."""
        if self.pace_p50 is None:
            return declared
        return (self.pace_p50 * self.weight + declared * BELIEF_PACE) / (self.weight + BELIEF_PACE)

    @property
    def words(self) -> str:
        """The figures for people."""
        if not self.tries:
            return "no live attempts yet"
        parts = [f"passes its checks {self.pass_rate:.0%} of {self.tries}", f"approved {self.approval:.0%}"]
        if self.pace_p50 is not None:
            parts.append(f"{self.pace_p50:.0f} s a second of video")
        return ", ".join(parts)


PRIOR = Figures()


def figures_from(samples: Sequence[Sample], *, genre: str = "") -> Figures:
    """Return what is believed of a model, for one genre of ad when there is one."""
    usual = _shrunk(samples, PRIOR)
    of_genre = [sample for sample in samples if sample.genre == genre] if genre else []
    return _shrunk(of_genre, usual, of=usual) if of_genre else usual


def _shrunk(samples: Sequence[Sample], towards: Figures, of: Figures | None = None) -> Figures:
    if not samples:
        return towards
    paces = [(s.pace, s.weight) for s in samples if s.pace is not None]
    accepted = sum(s.seconds * s.weight for s in samples if s.passed)
    cost = sum(s.cost_micro * s.weight for s in samples)
    return Figures(
        tries=of.tries if of else len(samples),
        pass_rate=_share([(s.passed, s.weight) for s in samples], towards.pass_rate, BELIEF_TRIES),
        approval=_share(
            [(s.approved, s.weight) for s in samples if s.approved is not None], towards.approval, BELIEF_APPROVALS
        ),
        score=_share([(s.score, s.weight) for s in samples if s.score is not None], towards.score, BELIEF_APPROVALS),
        pace_p50=quantile(paces, 0.5) if paces else towards.pace_p50,
        pace_p90=quantile(paces, 0.9) if paces else towards.pace_p90,
        weight=sum(weight for _, weight in paces) if paces else towards.weight,
        accepted_second_micro=round(cost / accepted) if accepted else towards.accepted_second_micro,
    )


def _share(values: Sequence[tuple[float, float]], expected: float, belief: float) -> float:
    total = sum(weight for _, weight in values)
    return (sum(value * weight for value, weight in values) + expected * belief) / (total + belief)


def quantile(values: Sequence[tuple[float, float]], share: float) -> float:
    """Return the weighted quantile of (value, weight) pairs; there is at least one."""
    ordered = sorted(values)
    wanted, seen = share * sum(weight for _, weight in ordered), 0.0
    for value, weight in ordered:
        seen += weight
        if seen >= wanted:
            return value
    return ordered[-1][0]
