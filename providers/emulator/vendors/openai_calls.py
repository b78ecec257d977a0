"""What OpenAI's addresses share: signing in, errors, models, charging by tokens, JSON of an asked schema."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.plans import sample
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, Vendor
from providers.emulator.wire import Answer, Call

PRICES = {
    "gpt-6-luna": ("0.10", "0.50"),
    "gpt-6-sol": ("2", "10"),
    "gpt-6-astra": ("10", "50"),
    "emulated": ("0", "0"),
}
RATE_HEADERS = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "6ms",
}
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """An error of the endpoint: status, code, words, the parameter it is about."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


class CallingVendor(Vendor):
    """`/models` and the frame of every other address, with or without `/v1`."""

    name = "openai"

    def server_error(self, status: int) -> Answer:
        return error(status, "server_error", "The server had an error while processing your request")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = error(429, "rate_limit_exceeded", "Rate limit reached for requests")
        if retry_after is not None:
            answer.headers["retry-after"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"error": {"code": 502, "message": "Provider returned error"}})

    def not_found(self, call: Call) -> Answer:
        return error(404, "unknown_url", f"Unknown request URL: {call.method} {call.path}")

    def wrong_method(self, call: Call, methods: list[str]) -> Answer:
        words = (
            f"Not allowed to {call.method} on {call.path}. (HINT: Perhaps you meant to use a different HTTP method?)"
        )
        answer = error(405, "method_not_supported", words)
        answer.headers["Allow"] = ", ".join(methods)
        return answer

    def malformed(self, call: Call, words: str) -> Answer:
        return error(400, "", words)

    def guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not call.bearer():
                return error(401, "", "You didn't provide an API key. Use Authorization: Bearer YOUR_KEY.")
            if not account:
                return error(401, "invalid_api_key", "Incorrect API key provided")
            try:
                return work(call, account, **groups)
            except Refused as refused:
                return error(refused.status, refused.code, refused.message, refused.param)

        return handler

    def _models(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"object": "list", "data": [_model_view(name) for name in PRICES]})

    def _model(self, call: Call, account: str, model: str) -> Answer:
        if model not in PRICES:
            raise Refused(404, "model_not_found", f"The model '{model}' does not exist", "model")
        return Answer.of_json(_model_view(model))

    def charge(self, call: Call, account: str, model: str, tokens: tuple[int, int], **params: Any) -> StoredTask:
        """Record a call that is paid by the tokens it read and wrote."""
        prices = (Decimal(price) for price in PRICES[model])
        cost = sum((price * count for price, count in zip(prices, tokens, strict=True)), Decimal(0)) / 1_000_000
        draft = Draft(
            account=account, kind="text", model=model, params=params, cost=cost, currency="USD", queue_s=0, render_s=0
        )
        return self.accept(call, draft)

    @staticmethod
    def refusal_of(call: Call) -> str | None:
        """What the model says instead when the script has it refuse."""
        return "I can't help with that." if call.fault and call.fault.do is Trouble.REFUSE_AT_END else None

    @staticmethod
    def headed(answer: Answer) -> Answer:
        """With the headers that every answer carries."""
        answer.headers |= {"x-request-id": uuid.uuid4().hex, **RATE_HEADERS}
        return answer


def check_model(model: str) -> None:
    if model not in PRICES:
        raise Refused(404, "model_not_found", f"The model `{model}` does not exist", "model")


def counted(prompt: str, text: str, limit: int | None) -> tuple[str, int, int, bool]:
    """The text cut at its limit, the tokens read and written, and whether it was cut: four characters a token."""
    read, written = max(1, len(prompt) // 4), max(1, len(text) // 4)
    if limit is None or written <= limit:
        return text, read, written, False
    return text[: limit * 4], read, limit, True


def written_text(wanted: dict[str, Any], prompt: str) -> str:
    """What the model writes: JSON of the schema in ``response_format``, or a line about the prompt."""
    if wanted.get("type") == "json_schema":
        named = wanted.get("json_schema") or {}
        if not SCHEMA_NAME.fullmatch(str(named.get("name") or "")) or not isinstance(named.get("schema"), dict):
            words = "Invalid schema for response_format: a name and a schema are required"
            raise Refused(400, "", words, "response_format")
        if named.get("strict"):
            _check_strict(named["schema"], ())
        return json.dumps(sample(named["schema"], prompt))
    if wanted.get("type") == "json_object":
        _, found, schema = prompt.partition("of this schema:\n")
        value = sample(json.JSONDecoder().raw_decode(schema)[0], prompt) if found else {"plan": prompt[:80]}
        return json.dumps(value)
    return f"A plan for: {prompt[:200]}"


def _model_view(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "emulator"}


def text_of(content: Any) -> str:
    """A message's text: a string, or the text parts of a list."""
    if isinstance(content, list):
        return " ".join(str(part.get("text") or "") for part in content if part.get("type") == "text")
    return str(content or "")


def _check_strict(schema: Any, path: tuple[str, ...]) -> None:
    """Strict schemas close every object and require all of its properties; the root is an object."""
    if not isinstance(schema, dict):
        return
    place = f"In context={path}"
    if not path and schema.get("type") != "object":
        raise _bad_schema(f"{place}, schema must have type 'object'")
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            raise _bad_schema(f"{place}, 'additionalProperties' is required to be supplied and to be false")
        left_out = set(schema.get("properties", {})) - set(schema.get("required", []))
        if left_out:
            raise _bad_schema(
                f"{place}, 'required' must include every key in properties. Missing {sorted(left_out)[0]!r}"
            )
    for word in ("allOf", "not", "oneOf", "if"):
        if word in schema:
            raise _bad_schema(f"{place}, {word!r} is not permitted")
    for name, part in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        _check_strict(part, (*path, name))
    for part in (schema.get("items"), *schema.get("anyOf", [])):
        _check_strict(part, (*path, "items"))


def _bad_schema(words: str) -> Refused:
    return Refused(400, "", f"Invalid schema for response_format: {words}.", "response_format")


def error(status: int, code: str, message: str, param: str = "") -> Answer:
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    told = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return Answer.of_json({"error": told}, status)
