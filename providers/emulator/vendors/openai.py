"""Chat completions as OpenAI and compatible servers speak them, answering with JSON of the asked schema."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.plans import sample
from providers.emulator.vendor import Draft, Route, Vendor, route
from providers.emulator.wire import Answer, Call, LogNote

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


class OpenAIVendor(Vendor):
    """`/chat/completions` and `/models`, with or without `/v1`."""

    name = "openai"

    def routes(self) -> list[Route]:
        return [
            route("POST", "(?:/v1)?/chat/completions", "submit", self._guarded(self._complete)),
            route("GET", "(?:/v1)?/models", "account", self._guarded(self._models)),
            route("GET", "(?:/v1)?/models/{model}", "account", self._guarded(self._model)),
        ]

    def server_error(self, status: int) -> Answer:
        return _error(status, "server_error", "The server had an error while processing your request")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = _error(429, "rate_limit_exceeded", "Rate limit reached for requests")
        if retry_after is not None:
            answer.headers["retry-after"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"error": {"code": 502, "message": "Provider returned error"}})

    def not_found(self, call: Call) -> Answer:
        return _error(404, "unknown_url", f"Unknown request URL: {call.method} {call.path}")

    def malformed(self, call: Call, words: str) -> Answer:
        return _error(400, "", words)

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not account:
                return _error(401, "invalid_api_key", "Incorrect API key provided")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return _error(error.status, error.code, error.message, error.param)

        return handler

    def _models(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"object": "list", "data": [_model_view(name) for name in PRICES]})

    def _model(self, call: Call, account: str, model: str) -> Answer:
        if model not in PRICES:
            raise Refused(404, "model_not_found", f"The model '{model}' does not exist", "model")
        return Answer.of_json(_model_view(model))

    def _complete(self, call: Call, account: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not body["messages"]:
            raise Refused(400, "", "'messages' must be a list with at least one message", "messages")
        model = str(body.get("model") or "")
        if model not in PRICES:
            raise Refused(404, "model_not_found", f"The model `{model}` does not exist", "model")
        if "max_tokens" in body and model != "emulated":
            words = "Unsupported parameter: use 'max_completion_tokens' instead of 'max_tokens'"
            raise Refused(400, "unsupported_parameter", words, "max_tokens")
        if body.get("temperature") not in (None, 1) and model != "emulated":
            raise Refused(400, "unsupported_value", "Only the default temperature (1) is supported", "temperature")
        prompt = " ".join(_text_of(message.get("content")) for message in body["messages"])
        text = self._text(body.get("response_format") or {}, prompt)
        refusal = "I can't help with that." if call.fault and call.fault.do is Trouble.REFUSE_AT_END else None
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        told = self._answer(call, account, model, prompt, "" if refusal else text, limit)
        message = told[0]["choices"][0]["message"]
        if refusal:
            message |= {"content": None, "refusal": refusal}
        answer = _streamed(told[0], body) if body.get("stream") else Answer.of_json(told[0])
        answer.headers |= {"x-request-id": uuid.uuid4().hex, **RATE_HEADERS}
        return answer.noting(told[1])

    @staticmethod
    def _text(wanted: dict[str, Any], prompt: str) -> str:
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

    def _answer(
        self, call: Call, account: str, model: str, prompt: str, text: str, limit: int | None
    ) -> tuple[dict[str, Any], LogNote]:
        read, written, reason = max(1, len(prompt) // 4), max(1, len(text) // 4), "stop"
        if limit is not None and written > limit:
            text, written, reason = text[: limit * 4], limit, "length"
        price_in, price_out = (Decimal(price) for price in PRICES[model])
        draft = Draft(
            account=account,
            kind="text",
            model=model,
            params={},
            cost=(price_in * read + price_out * written) / 1_000_000,
            currency="USD",
            queue_s=0,
            render_s=0,
        )
        task = self.accept(call, draft)
        message = {"role": "assistant", "content": text, "refusal": None}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        details = {
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        told = {
            "id": f"chatcmpl-{task.id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
            "usage": {**usage, **details},
        }
        return told, self.bill(task)


def _model_view(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "emulator"}


def _text_of(content: Any) -> str:
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


def _streamed(told: dict[str, Any], body: dict[str, Any]) -> Answer:
    """The answer as server-sent chunks, the usage last when it is asked for."""
    choice = told["choices"][0]
    head = {name: told[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    text = choice["message"]["content"] or ""
    pieces = [text[start : start + 24] for start in range(0, len(text), 24)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    if choice["message"]["refusal"]:
        deltas.append({"refusal": choice["message"]["refusal"]})
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append({**head, "choices": [], "usage": told["usage"]})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return Answer(body="".join([*lines, "data: [DONE]\n\n"]).encode(), media_type="text/event-stream")


def _error(status: int, code: str, message: str, param: str = "") -> Answer:
    kind = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    told = {"message": message, "type": kind, "param": param or None, "code": code or None}
    return Answer.of_json({"error": told}, status)
