"""HeyGen's error codes as the named errors they stand for; failed videos use the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    ErrorKind,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from providers.http import CallKind, Reply
from providers.shapes import has_word
from providers.values import TaskFailure

CREDENTIAL_CODES = {
    "unauthorized",
    "authentication_failed",
    "forbidden",
    "resource_access_denied",
    "ai_vendor_access_restricted",
    "subscription_required",
    "plan_upgrade_required",
}
QUOTA_CODES = {"insufficient_credit", "quota_exceeded", "trial_limit_exceeded", "resource_limit_reached"}
CONTENT_CODES = {"content_policy_violation", "avatar_not_usable"}
FAULT_CODES = {
    "internal_error",
    "service_unavailable",
    "gateway_timeout",
    "voice_provider_error",
    "resource_not_ready",
    "generation_failed",
}


def error_of(code: str, words: str, reply: Reply, kind: CallKind) -> ProviderError:
    """The error a call was answered with. A fault after a submit proves nothing: the work may exist."""
    told: dict[str, Any] = {"vendor_code": code, "vendor_message": words}
    if code in CREDENTIAL_CODES:
        return CredentialsRejected(f"HeyGen does not allow this key: {words}.", **told)
    if code in QUOTA_CODES:
        return QuotaExhausted(f"The HeyGen account has nothing left: {words}. Top it up.", **told)
    if code in CONTENT_CODES:
        return ContentRefused(f"HeyGen refuses this content: {words}.", **told)
    if code == "rate_limit_exceeded":
        return RateLimited(f"HeyGen is saturated: {words}.", retry_after=reply.retry_after, **told)
    if code == "request_in_progress" and kind is CallKind.SUBMIT:
        return OutcomeUnknown("HeyGen is still working on this key; look the video up.", **told)
    if code in FAULT_CODES or reply.status >= 500 or reply.ok:
        if kind is CallKind.SUBMIT:
            return OutcomeUnknown(f"HeyGen failed ({words}); the video may exist. Look it up.", **told)
        return Transient(f"HeyGen failed: {words}. Try again later.", **told)
    return InvalidRequest(f"HeyGen finds the request invalid: {words}.", **told)


def failure_of(data: Mapping[str, Any]) -> TaskFailure:
    """Codes of failed videos are those of the errors, and older ones in capitals; money can fail here too."""
    code = str(data.get("failure_code") or data.get("code") or "")
    words = str(data.get("failure_message") or data.get("msg") or data.get("error") or "no reason given")
    if code in CONTENT_CODES or has_word(code + words, ("policy", "moderation")):
        return TaskFailure(ErrorKind.CONTENT_REFUSED, code, words)
    if code in QUOTA_CODES or "INSUFFICIENT_CREDIT" in code:
        return TaskFailure(ErrorKind.QUOTA_EXHAUSTED, code, words)
    known_fault = code in FAULT_CODES or not code
    return TaskFailure(ErrorKind.TRANSIENT if known_fault else ErrorKind.INVALID_REQUEST, code, words)
