"""What can go wrong at a vendor, named by what the caller may do next. Plain Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class ErrorKind(StrEnum):
    """The class of a failure, stored with the attempt."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    INVALID_REQUEST = "invalid_request"
    CONTENT_REFUSED = "content_refused"
    CREDENTIALS_REJECTED = "credentials_rejected"
    UNSUPPORTED = "unsupported"
    OUTCOME_UNKNOWN = "outcome_unknown"
    WEBHOOK_REJECTED = "webhook_rejected"
    RESULT_GONE = "result_gone"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP call with the secrets removed; bodies are cut to a few kilobytes.

    ``status`` is 0 when no answer came; ``seconds`` is the wall time of the call.
    """

    method: str
    url: str
    status: int
    seconds: float
    correlation_id: str = ""
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: str = ""
    response_headers: tuple[tuple[str, str], ...] = ()
    response_body: str = ""
    note: str = ""


@dataclass(eq=False)
class ProviderError(Exception):
    """Base of every vendor failure: what happened, the vendor's own words, the redacted call."""

    kind: ClassVar[ErrorKind]

    message: str
    vendor_code: str = ""
    vendor_message: str = ""
    exchange: Exchange | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} [{self.vendor_code}]" if self.vendor_code else self.message


@dataclass(eq=False)
class Transient(ProviderError):
    """Nothing was accepted, or only a read failed: the same call may be made again later."""

    kind = ErrorKind.TRANSIENT


@dataclass(eq=False)
class RateLimited(ProviderError):
    """Saturated, not sick. ``retry_after`` is in seconds, ``None`` when the vendor did not say."""

    kind = ErrorKind.RATE_LIMITED
    retry_after: float | None = None


@dataclass(eq=False)
class QuotaExhausted(ProviderError):
    """The account has no money or credits left; a person must act."""

    kind = ErrorKind.QUOTA_EXHAUSTED


@dataclass(eq=False)
class InvalidRequest(ProviderError):
    """The request itself is wrong; sending it again gives the same answer."""

    kind = ErrorKind.INVALID_REQUEST


@dataclass(eq=False)
class ContentRefused(ProviderError):
    """The vendor's content rules refuse this input; the same input must not be retried."""

    kind = ErrorKind.CONTENT_REFUSED


@dataclass(eq=False)
class CredentialsRejected(ProviderError):
    """The key is wrong, expired or not allowed to do this."""

    kind = ErrorKind.CREDENTIALS_REJECTED


@dataclass(eq=False)
class Unsupported(ProviderError):
    """This adapter or model cannot express what was asked."""

    kind = ErrorKind.UNSUPPORTED


@dataclass(eq=False)
class OutcomeUnknown(ProviderError):
    """A submit was sent and its answer lost: look it up at the vendor, never send it again."""

    kind = ErrorKind.OUTCOME_UNKNOWN


@dataclass(eq=False)
class ResultGone(ProviderError):
    """The task succeeded but its file is no longer at the address: ask for a fresh address by polling."""

    kind = ErrorKind.RESULT_GONE


@dataclass(eq=False)
class WebhookRejected(ProviderError):
    """A webhook whose signature or time does not hold."""

    kind = ErrorKind.WEBHOOK_REJECTED
