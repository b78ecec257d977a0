"""Any OpenAI-compatible chat endpoint as a planner: OpenAI itself, OpenRouter, vLLM, Ollama, llama.cpp.

Reference: https://platform.openai.com/docs/api-reference/chat. Servers differ in what they honour, so how the
length and the schema are asked for is part of the account, and the answer is always checked here.
"""

from __future__ import annotations

import json
import re
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
    Free,
    GenerationRequest,
    ModelCard,
    PerMillionTokens,
    Price,
    StagedInputs,
    Task,
)

PRICED = date(2026, 10, 1)
PATIENCE = Timeouts(connect=5, read=30, submit=180, upload=60)
OPTIONS = frozenset({"system", "schema", "max_tokens", "reasoning_effort"})
OWN = "own-llm"
SCHEMA_MODES = ("json_schema", "json_object", "prompt")


def _card(model: str, label: str, price: Price, quality: int, facts: Facts, notes: str = "") -> ModelCard:
    return ModelCard(
        id=model,
        version=model,
        label=label,
        tasks=frozenset({Task.PLAN_SCENES}),
        max_prompt_chars=300_000,
        price=price,
        speed_s_per_s=20.0,
        quality=quality,
        facts=facts,
        unverified=facts is Facts.CODE,
        prices_as_of=PRICED,
        notes=notes,
    )


class OpenAIAdapter(RemoteAdapter):
    """``POST {base}/chat/completions``; the base of an account may be any compatible server's ``/v1``."""

    name = "openai"
    label = "OpenAI-compatible"
    docs_url = "https://platform.openai.com/docs/api-reference/chat"
    live_url = "https://api.openai.com/v1"
    credential_fields = ("api_key", "model", "token_field", "schema_mode")
    unknown_window = timedelta(minutes=2)
    models = (
        _card("gpt-6-luna", "GPT-6 Luna", PerMillionTokens(Decimal("0.10"), Decimal("0.50")), 7, Facts.CODE),
        _card("gpt-6-sol", "GPT-6 Sol", PerMillionTokens(Decimal(2), Decimal(10)), 9, Facts.CODE),
        _card(OWN, "Own language model", Free(), 5, Facts.DOC, "The account names the model and its address."),
    )

    def __init__(self, *, timeouts: Timeouts | None = None, **injected: Any) -> None:
        super().__init__(timeouts=timeouts or PATIENCE, **injected)

    def secrets(self) -> tuple[str, ...]:
        key = self.credentials.get("api_key", "")
        return (key,) if key else ()

    def auth_headers(self) -> Mapping[str, str]:
        """Own servers often need no key."""
        key = self.credentials.get("api_key", "")
        return {"Authorization": f"Bearer {key}"} if key else {}

    def check_credentials(self) -> AccountReport:
        if self.credentials.get("schema_mode", SCHEMA_MODES[0]) not in SCHEMA_MODES:
            raise CredentialsRejected(f"schema_mode is one of {', '.join(SCHEMA_MODES)}.")
        body, _ = self.call_json(CallKind.READ, "GET", "/models")
        return AccountReport(True, f"The server answers; {len(objects(body, 'data'))} models are listed.")

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Finished:
        """``options``: ``system``, ``schema`` (JSON Schema), ``max_tokens``, ``reasoning_effort``.

        The checked JSON is ``Finished.text``. When the answer does not fit, ``text`` is empty, ``raw["problems"]``
        says why, and the call is charged all the same.
        """
        unknown = set(request.options) - OPTIONS
        if unknown or request.task is not Task.PLAN_SCENES:
            raise Unsupported(f"This endpoint plans scenes; it knows no option {', '.join(sorted(unknown)) or 'here'}.")
        body, reply = self.call_json(CallKind.SUBMIT, "POST", "/chat/completions", body=self._body(request))
        text = _text(body, reply)
        return finished_plan(
            text,
            request.options.get("schema"),
            remote_id=str(body.get("id") or ""),
            cost=self._cost(request.model, body),
            served_by=body.get("model"),
            usage=body.get("usage"),
            exchange=reply.exchange,
        )

    def _body(self, request: GenerationRequest) -> dict[str, Any]:
        options, card = request.options, self.card(request.model)
        schema, mode = options.get("schema"), self.credentials.get("schema_mode") or "json_schema"
        system = str(options.get("system") or "")
        if schema and mode != "json_schema":
            # Servers that do not enforce a schema must at least be shown it.
            system = f"{system}\nAnswer with one JSON object of this schema:\n{json.dumps(schema)}".strip()
        messages = [{"role": "system", "content": system}] if system else []
        body: dict[str, Any] = {
            "model": self.credential("model") if card.id == OWN else card.id,
            "messages": [*messages, {"role": "user", "content": request.prompt}],
            self.credentials.get("token_field") or "max_completion_tokens": int(options.get("max_tokens") or 8_192),
        }
        if schema and mode == "json_schema":
            named = {"name": "scene_plan", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif schema and mode == "json_object":
            body["response_format"] = {"type": "json_object"}
        if options.get("reasoning_effort"):
            body["reasoning_effort"] = options["reasoning_effort"]
        if request.seed is not None:
            body["seed"] = request.seed % 2**31
        return body

    def _cost(self, model: str, body: Mapping[str, Any]) -> Amount | None:
        usage, price = as_dict(body.get("usage")), self.card(model).price
        if not isinstance(price, PerMillionTokens):
            return Amount(Decimal(0), price.currency)
        if not usage:
            return None
        read, written = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        return Amount(price.of_tokens(read, written), price.currency)

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        """Codes come as text, number or nothing, and some routers put an error into a 200."""
        given = reply.data.get("error")
        if not given and reply.ok:
            return None
        error = as_dict(given)
        code = str(error.get("code") or error.get("type") or reply.status)
        words = str(
            error.get("message") or (given if isinstance(given, str) else "") or reply.data.get("message") or ""
        )
        return _error_of(code, words, reply, kind)


def _text(body: Mapping[str, Any], reply: Reply) -> str:
    choice = next(iter(objects(body, "choices")), None)
    if choice is None:
        raise OutcomeUnknown("The model answered without a choice; it may be charged.", exchange=reply.exchange)
    message, reason = as_dict(choice.get("message")), str(choice.get("finish_reason") or "")
    refusal = str(message.get("refusal") or "")
    if refusal or reason == "content_filter":
        raise ContentRefused(f"The model refuses: {refusal or reason}", reason, refusal, exchange=reply.exchange)
    return str(message.get("content") or "")


def _error_of(code: str, words: str, reply: Reply, kind: CallKind) -> ProviderError:
    status = reply.status if not reply.ok else int(code) if re.fullmatch(r"[45]\d\d", code) else 500
    told: dict[str, Any] = {"vendor_code": code, "vendor_message": words}
    if code == "insufficient_quota" or status == 402:
        return QuotaExhausted(f"The account has nothing left: {words}", **told)
    if status == 403 and has_word(words, ("moderation", "flagged")):
        return ContentRefused(f"The endpoint refuses this content: {words}", **told)
    if status in (401, 403):
        return CredentialsRejected(f"The endpoint does not accept this key: {words}", **told)
    if status == 429:
        return RateLimited(f"The endpoint is saturated: {words}", retry_after=_wait(reply), **told)
    if status < 500:
        wrong = ContentRefused if has_word(f"{code} {words}", ("content_policy", "content policy")) else InvalidRequest
        return wrong(f"The endpoint finds the request invalid: {words}", **told)
    lost = OutcomeUnknown if kind is CallKind.SUBMIT else Transient
    return lost(f"The endpoint failed: {words}", **told)


def _wait(reply: Reply) -> float | None:
    """Milliseconds are the finer of the two headers."""
    fine = reply.headers.get("retry-after-ms", "")
    return float(fine) / 1000 if fine.isdigit() else reply.retry_after
