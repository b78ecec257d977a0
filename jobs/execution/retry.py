"""What follows a failed attempt. Pure: values in, a decision with its reason out (seed B, "Retry policy")."""

import random
from dataclasses import dataclass
from enum import StrEnum

MAX_TRIES = 3
MOVE_AFTER = 2  # failures at one provider
BACKOFF_BASE_S = 2.0
BACKOFF_CAP_S = 60.0
SATURATED_S = 5.0

RETRYABLE = frozenset({"transient", "rate_limited", "outcome_unknown", "result_gone", "fetch_failed", "render_failed"})
SAME_EVERYWHERE = frozenset({"content_refused", "render_failed"})  # another provider gets the same input
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
    MOVE = "move"  # to another provider, under the caps
    GIVE_UP = "give_up"  # then by the workspace's policy: a local take stands in, or a person is asked


@dataclass(frozen=True)
class Decision:
    """What to do, when, and why in words. `counts` is false when the vendor was only saturated."""

    next: Next
    delay_s: float
    reason: str
    counts: bool = True


def decide(
    *,
    kind: str,
    tries: int,
    retry_after_s: float | None,
    failed_here: int = 0,
    may_move: bool = False,
    jitter: random.Random | None = None,
) -> Decision:
    """Decide after the `tries`-th attempt failed with an error of `kind`, the `failed_here`-th failure at its provider.

    Three tries with exponential backoff and full jitter; after two failures at one provider the third goes to another
    one, if the policy lets it (`may_move`); a saturated vendor is waited for and does not count; a refusal for content
    is never sent again with the same input, to anybody; one for the request, the key or the credit not to the same
    vendor.
    """
    words = WORDS.get(kind, kind.replace("_", " "))
    if kind == "rate_limited":
        return Decision(Next.RETRY, retry_after_s or SATURATED_S, f"{words}; waiting for a place", counts=False)
    if tries >= MAX_TRIES:
        return Decision(Next.GIVE_UP, 0, f"{words}; {tries} tries were made" if kind in RETRYABLE else words)
    may_move = may_move and kind not in SAME_EVERYWHERE
    if kind == "presumed_spent":
        return Decision(Next.MOVE if may_move else Next.GIVE_UP, 0, words)
    if kind not in RETRYABLE:
        words = f"{words}; sending it again would not help"
        return Decision(Next.MOVE if may_move else Next.GIVE_UP, 0, words)
    if may_move and failed_here >= MOVE_AFTER:
        return Decision(Next.MOVE, 0, f"{words}, {failed_here} times; try {tries + 1} of {MAX_TRIES} goes elsewhere")
    return Decision(
        Next.RETRY, backoff_s(tries, retry_after_s, jitter), f"{words}; try {tries + 1} of {MAX_TRIES} follows"
    )


def stay(*, kind: str, tries: int, decision: Decision) -> Decision:
    """Decide again when no other provider can take the clip: the same one once more if that can help."""
    if kind not in RETRYABLE or tries >= MAX_TRIES:
        return Decision(Next.GIVE_UP, 0, f"{decision.reason}; no other provider can make it")
    reason = f"{WORDS[kind]}; no other provider can make it; try {tries + 1} of {MAX_TRIES} follows"
    return Decision(Next.RETRY, backoff_s(tries), reason)


def backoff_s(tries: int, retry_after_s: float | None = None, jitter: random.Random | None = None) -> float:
    """Return the seconds before the next try: anywhere below a doubling ceiling, never less than the vendor asks."""
    ceiling = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2**tries)
    return max((jitter or random.SystemRandom()).uniform(0, ceiling), retry_after_s or 0)


def failure(*, stage: str, cause: str, who_pays: str, next_step: str) -> dict[str, str]:
    """Return a failure as every page and the API show it."""
    return {"stage": stage, "cause": cause, "who_pays": who_pays, "next_step": next_step}
