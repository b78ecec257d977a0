"""Gemini as a planner: one ``generateContent`` call that answers with JSON of a given schema.

Reference: https://ai.google.dev/api/generate-content.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.base import RemoteAdapter
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
)
from providers.http import CallKind, Reply, Timeouts
from providers.json_answers import finished_plan
from providers.shapes import as_dict, has_word, objects
from providers.values import (
    AccountReport,
    Amount,
    Facts,
    Finished,
    GenerationRequest,
    ModelCard,
    PerMillionTokens,
    StagedInputs,
    Task,
)

PRICED = date(2026, 10, 1)
PATIENCE = Timeouts(connect=5, read=30, submit=180, upload=60)
OPTIONS = frozenset({"system", "schema", "max_tokens", "thinking"})
POLICY_REASONS = {
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "ESCALATION",
    "JAILBREAK",
    "IMAGE_SAFETY",
}


def _card(model: str, label: str, read: str, written: str, quality: int, speed: float) -> ModelCard:
    return ModelCard(
        id=model,
        version=model,
        label=label,
        tasks=frozenset({Task.PLAN_SCENES}),
        max_prompt_chars=400_000,
        price=PerMillionTokens(Decimal(read), Decimal(written)),
        speed_s_per_s=speed,
        quality=quality,
        facts=Facts.DOC,
        prices_as_of=PRICED,
    )


class GeminiAdapter(RemoteAdapter):
    """``POST /v1beta/models/{model}:generateContent``; the text is checked against the schema before it is used."""

    name = "gemini"
    label = "Google Gemini"
    docs_url = "https://ai.google.dev/api/generate-content"
    live_url = "https://generativelanguage.googleapis.com"
    unknown_window = timedelta(minutes=2)
    models = (
        _card("gemini-3.8-flash", "Gemini 3.8 Flash", "0.75", "3.75", 8, 15.0),
        _card("gemini-4-argon", "Gemini 4 Argon", "4", "20", 9, 30.0),
    )

    def __init__(self, *, timeouts: Timeouts | None = None, **injected: Any) -> None:
        super().__init__(timeouts=timeouts or PATIENCE, **injected)

    def auth_headers(self) -> Mapping[str, str]:
        return {"x-goog-api-key": self.credential("api_key")}

    def check_credentials(self) -> AccountReport:
        body, _ = self.call_json(CallKind.READ, "GET", "/v1beta/models")
        return AccountReport(True, f"The key is accepted; {len(objects(body, 'models'))} models are listed.")

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Finished:
        """``options``: ``system``, ``schema`` (JSON Schema), ``max_tokens``, ``thinking``.

        The checked JSON is ``Finished.text``. When the answer does not fit, ``text`` is empty, ``raw["problems"]``
        says why, and the call is charged all the same.
        """
        unknown = set(request.options) - OPTIONS
        if unknown or request.task is not Task.PLAN_SCENES:
            raise Unsupported(f"Gemini plans scenes; it knows no option {', '.join(sorted(unknown)) or 'here'}.")
        path = f"/v1beta/models/{self.card(request.model).id}:generateContent"
        body, reply = self.call_json(CallKind.SUBMIT, "POST", path, body=_body(request))
        text = _text(body, reply)
        return finished_plan(
            text,
            request.options.get("schema"),
            remote_id=str(body.get("responseId") or ""),
            cost=self._cost(request.model, body),
            served_by=body.get("modelVersion"),
            usage=body.get("usageMetadata"),
            exchange=reply.exchange,
        )

    def _cost(self, model: str, body: Mapping[str, Any]) -> Amount | None:
        """Thoughts are billed as output."""
        usage, price = as_dict(body.get("usageMetadata")), self.card(model).price
        if not usage or not isinstance(price, PerMillionTokens):
            return None
        written = int(usage.get("candidatesTokenCount") or 0) + int(usage.get("thoughtsTokenCount") or 0)
        return Amount(price.of_tokens(int(usage.get("promptTokenCount") or 0), written), price.currency)

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        first = reply.json[0] if isinstance(reply.json, list) and reply.json else reply.json
        error = as_dict(as_dict(first).get("error"))
        return _error_of(error, reply, kind) if error else None


def _body(request: GenerationRequest) -> dict[str, Any]:
    options = request.options
    config: dict[str, Any] = {"maxOutputTokens": int(options.get("max_tokens") or 8_192)}
    if options.get("schema"):
        config |= {"responseMimeType": "application/json", "responseJsonSchema": options["schema"]}
    if options.get("thinking"):
        config["thinkingConfig"] = {"thinkingLevel": options["thinking"]}
    if request.seed is not None:
        config["seed"] = request.seed % 2**31
    body: dict[str, Any] = {
        "contents": [{"role": "user", "parts": [{"text": request.prompt}]}],
        "generationConfig": config,
    }
    if options.get("system"):
        body["systemInstruction"] = {"parts": [{"text": str(options["system"])}]}
    return body


def _text(body: Mapping[str, Any], reply: Reply) -> str:
    """The answer's text without thoughts; a blocked prompt comes with HTTP 200 and no candidate."""
    blocked = str(as_dict(body.get("promptFeedback")).get("blockReason") or "")
    if blocked:
        raise ContentRefused(f"Gemini blocked the prompt: {blocked}.", blocked, exchange=reply.exchange)
    candidate = next(iter(objects(body, "candidates")), None)
    if candidate is None:
        raise OutcomeUnknown("Gemini answered without a candidate; it may be charged.", exchange=reply.exchange)
    reason = str(candidate.get("finishReason") or "")
    if reason in POLICY_REASONS:
        raise ContentRefused(f"Gemini stopped for its rules: {reason}.", reason, exchange=reply.exchange)
    parts = objects(as_dict(candidate.get("content")), "parts")
    return "".join(str(part.get("text") or "") for part in parts if not part.get("thought"))


def _error_of(error: Mapping[str, Any], reply: Reply, kind: CallKind) -> ProviderError:
    status, words = str(error.get("status") or error.get("code") or ""), str(error.get("message") or "")
    reasons = {str(detail.get("reason")) for detail in objects(error, "details")}
    told: dict[str, Any] = {"vendor_code": status, "vendor_message": words}
    if "API_KEY_INVALID" in reasons or status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return CredentialsRejected(f"Google does not accept this key: {words}", **told)
    if status == "RESOURCE_EXHAUSTED":
        if has_word(words, ("per day", "perday", "spend", "billing")):
            return QuotaExhausted(f"The Gemini project has used its quota: {words}", **told)
        return RateLimited(f"Gemini is saturated: {words}", retry_after=_delay(error), **told)
    if status in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"):
        return InvalidRequest(f"Gemini finds the request invalid: {words}", **told)
    lost = OutcomeUnknown if kind is CallKind.SUBMIT else Transient
    return lost(f"Gemini failed: {words}", **told)


def _delay(error: Mapping[str, Any]) -> float | None:
    for detail in objects(error, "details"):
        text = str(detail.get("retryDelay") or "")
        if text.endswith("s") and text[:-1].replace(".", "", 1).isdigit():
            return float(text[:-1])
    return None
