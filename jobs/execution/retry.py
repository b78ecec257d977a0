"""What follows a failed attempt. Pure: values in, a decision with its reason out (seed B, "Retry policy")."""

import random
from dataclasses import dataclass
from enum import StrEnum

MAX_TRIES = 3
BACKOFF_BASE_S = 2.0
BACKOFF_CAP_S = 60.0
SATURATED_S = 5.0

RETRYABLE = frozenset({"transient", "rate_limited", "outcome_unknown", "result_gone"})
WORDS = {
    "transient": "the vendor had a passing fault",
    "rate_limited": "the vendor is busy",
    "quota_exhausted": "the vendor account has no credit left",
    "invalid_request": "the vendor does not accept this request",
    "content_refused": "the vendor's content rules refuse this input",
    "credentials_rejected": "the vendor does not accept the key",
    "unsupported": "this model cannot do what was asked",
    "outcome_unknown": "the answer was lost and the time to find the task again is over",
    "result_gone": "the result is no longer at the vendor",
    "fetch_failed": "the result could not be fetched or decoded",
    "render_failed": "the local engine could not render it",
    "presumed_spent": "the outcome is unknown and is counted as spent",
}


class Next(StrEnum):
    RETRY = "retry"
    GIVE_UP = "give_up"  # then by the workspace's policy: local take, ask, another provider


@dataclass(frozen=True)
class Decision:
    """What to do, when, and why in words. `counts` is false when the vendor was only saturated."""

    next: Next
    delay_s: float
    reason: str
    counts: bool = True


def decide(*, kind: str, tries: int, retry_after_s: float | None, jitter: random.Random | None = None) -> Decision:
    """Decide after the `tries`-th attempt failed with an error of `kind`.

    Three tries with exponential backoff and full jitter; a saturated vendor is waited for and does not count;
    a refusal for content, input or credentials is never retried with the same request.
    """
    words = WORDS.get(kind, kind.replace("_", " "))
    if kind == "rate_limited":
        return Decision(Next.RETRY, retry_after_s or SATURATED_S, f"{words}; waiting for a place", counts=False)
    if kind in {"presumed_spent"}:
        return Decision(Next.GIVE_UP, 0, words)
    if kind not in RETRYABLE and kind not in {"fetch_failed", "render_failed"}:
        return Decision(Next.GIVE_UP, 0, f"{words}; sending it again would not help")
    if tries >= MAX_TRIES:
        return Decision(Next.GIVE_UP, 0, f"{words}; {tries} tries were made")
    ceiling = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2**tries)
    delay = max((jitter or random.SystemRandom()).uniform(0, ceiling), retry_after_s or 0)
    return Decision(Next.RETRY, delay, f"{words}; try {tries + 1} of {MAX_TRIES} follows")


def failure(*, stage: str, cause: str, who_pays: str, next_step: str) -> dict[str, str]:
    """Return a failure as every page and the API show it."""
    return {"stage": stage, "cause": cause, "who_pays": who_pays, "next_step": next_step}
