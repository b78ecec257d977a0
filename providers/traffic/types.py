"""Values of traffic: what a request waits for, and what a call told about the vendor."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from providers.errors import ErrorKind


class WaitReason(StrEnum):
    """Why a request may not go now."""

    PARALLEL = "parallel"  # the account has as many tasks in flight as it may
    RATE = "rate"  # the token bucket is empty
    SATURATED = "saturated"  # the vendor said "too many"
    CIRCUIT = "circuit"  # the vendor failed too often
    ACCOUNT = "account"  # the vendor does not accept the key, or the account has no credit


@dataclass(frozen=True, slots=True)
class Wait:
    """A refusal: nothing was taken. ``until`` is when asking again makes sense; none when it depends on other tasks."""

    reason: WaitReason
    until: datetime | None
    words: str


class Verdict(StrEnum):
    """What a call tells about the vendor. Saturated is not sick; who refuses an input is well."""

    WELL = "well"
    SATURATED = "saturated"
    SICK = "sick"
    ACCOUNT = "account"


_VERDICTS = {
    ErrorKind.TRANSIENT: Verdict.SICK,
    ErrorKind.OUTCOME_UNKNOWN: Verdict.SICK,
    ErrorKind.RATE_LIMITED: Verdict.SATURATED,
    ErrorKind.CREDENTIALS_REJECTED: Verdict.ACCOUNT,
    ErrorKind.QUOTA_EXHAUSTED: Verdict.ACCOUNT,
}


def verdict_of(kind: str) -> Verdict:
    """The verdict of an error's kind; empty means that the call went well."""
    return _VERDICTS.get(ErrorKind(kind), Verdict.WELL) if kind in set(ErrorKind) else Verdict.WELL
