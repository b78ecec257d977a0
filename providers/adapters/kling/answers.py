"""KlingAI's answers as reports, and its service codes as named errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.adapters.kling.cards import UNIT
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    ErrorKind,
    Exchange,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from providers.http import CallKind, Reply
from providers.shapes import as_decimal, as_dict, has_word, objects
from providers.values import Amount, Output, RemoteState, TaskFailure, TaskReport

CONTENT_WORDS = ("risk control", "safety", "policy", "sensitive", "content", "moderation")


def report_of(data: Mapping[str, Any], state: RemoteState, word: str, exchange: Exchange | None) -> TaskReport:
    """The same report from a poll or a callback, in either design."""
    info = as_dict(data.get("task_info"))
    return TaskReport(
        remote_id=str(data.get("id") or data.get("task_id") or ""),
        state=state,
        raw=dict(data),
        vendor_state=word,
        outputs=_outputs(data) if state is RemoteState.SUCCEEDED else (),
        error=_failure(data) if state is RemoteState.FAILED else None,
        cost=_cost(data),
        idempotency_key=str(data.get("external_id") or info.get("external_task_id") or ""),
        exchange=exchange,
    )


def error_of(code: int, words: str, reply: Reply, kind: CallKind) -> ProviderError:
    told: dict[str, Any] = {"vendor_code": str(code), "vendor_message": words}
    if code in (1000, 1001, 1002, 1003, 1004, 1103, 1304, 1100):
        return CredentialsRejected(f"KlingAI does not accept this account or key: {words}.", **told)
    if code in (1101, 1102):
        return QuotaExhausted(f"The KlingAI account has nothing left: {words}. Top it up.", **told)
    if code in (1302, 1303):
        return RateLimited(f"KlingAI is saturated: {words}.", retry_after=reply.retry_after, **told)
    if code in (1300, 1301):
        return ContentRefused(f"KlingAI refuses this content: {words}. Change the prompt or the picture.", **told)
    if code == 1201 and "external_task_id" in words and kind is CallKind.SUBMIT:
        return OutcomeUnknown("KlingAI already has a task with our key; look it up.", **told)
    if 1200 <= code < 1300:
        return InvalidRequest(f"KlingAI finds the request invalid: {words}.", **told)
    if kind is CallKind.SUBMIT:
        return OutcomeUnknown(f"KlingAI failed ({words}); the task may exist. Look it up before sending again.", **told)
    return Transient(f"KlingAI failed: {words}. Try again later.", **told)


def _outputs(data: Mapping[str, Any]) -> tuple[Output, ...]:
    videos = objects(data, "outputs") or objects(as_dict(data.get("task_result")), "videos")
    wanted = [item for item in videos if item.get("type", "video") == "video" and item.get("url")]
    return tuple(Output("video", str(item["url"]), "video/mp4") for item in wanted)


def _failure(data: Mapping[str, Any]) -> TaskFailure:
    words = str(data.get("message") or data.get("task_status_msg") or "no reason given")
    refused = has_word(words, CONTENT_WORDS)
    return TaskFailure(ErrorKind.CONTENT_REFUSED if refused else ErrorKind.TRANSIENT, "failed", words)


def _cost(data: Mapping[str, Any]) -> Amount | None:
    """The vendor's own amount: cash in its currency, else units."""
    for row in objects(data, "billing"):
        amount = as_decimal(row.get("amount"))
        if amount is not None:
            return Amount(amount, str(row.get("currency") or UNIT.unit))
    cash = as_decimal(as_dict(data.get("final_balance_deduction")).get("quota"))
    if cash is not None:
        return Amount(cash, "USD")
    units = as_decimal(data.get("final_unit_deduction"))
    return None if units is None else Amount(units, UNIT.unit)
