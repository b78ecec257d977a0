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
from providers.emulator.wire import Answer, Call

PRICES = {
    "gpt-6-luna": ("0.10", "0.50"),
    "gpt-6-sol": ("2", "10"),
    "gpt-6-astra": ("10", "50"),
    "emulated": ("0", "0"),
}
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Refused(Exception):
    """An error of the endpoint: status, code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class OpenAIVendor(Vendor):
    """`/chat/completions` and `/models`, with or without `/v1`."""

    name = "openai"

    def routes(self) -> list[Route]:
        return [
            route("POST", "(?:/v1)?/chat/completions", "submit", self._guarded(self._complete)),
            route("GET", "(?:/v1)?/models", "account", self._guarded(self._models)),
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

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not account:
                return _error(401, "invalid_api_key", "Incorrect API key provided")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return _error(error.status, error.code, error.message)

        return handler

    def _models(self, call: Call, account: str) -> Answer:
        data = [{"id": name, "object": "model", "owned_by": "emulator"} for name in PRICES]
        return Answer.of_json({"object": "list", "data": data})

    def _complete(self, call: Call, account: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not body.get("messages"):
            raise Refused(400, "invalid_request_error", "messages is required")
        model = str(body.get("model") or "")
        if model not in PRICES:
            raise Refused(404, "model_not_found", f"The model `{model}` does not exist")
        if "max_tokens" in body and model != "emulated":
            raise Refused(400, "unsupported_parameter", "Use 'max_completion_tokens' instead of 'max_tokens'")
        prompt = " ".join(str(message.get("content") or "") for message in body["messages"])
        text = self._text(body.get("response_format") or {}, prompt)
        refusal = "I can't help with that." if call.fault and call.fault.do is Trouble.REFUSE_AT_END else None
        return self._answer(call, account, model, prompt, text, refusal)

    @staticmethod
    def _text(wanted: dict[str, Any], prompt: str) -> str:
        if wanted.get("type") == "json_schema":
            named = wanted.get("json_schema") or {}
            if not SCHEMA_NAME.fullmatch(str(named.get("name") or "")) or not isinstance(named.get("schema"), dict):
                raise Refused(400, "invalid_request_error", "Invalid schema for response_format")
            return json.dumps(sample(named["schema"], prompt))
        if wanted.get("type") == "json_object":
            _, found, schema = prompt.partition("of this schema:\n")
            value = sample(json.JSONDecoder().raw_decode(schema)[0], prompt) if found else {"plan": prompt[:80]}
            return json.dumps(value)
        return f"A plan for: {prompt[:200]}"

    def _answer(self, call: Call, account: str, model: str, prompt: str, text: str, refusal: str | None) -> Answer:
        read, written = max(1, len(prompt) // 4), max(1, len(text) // 4)
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
        message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
        told = {
            "id": f"chatcmpl-{task.id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }
        answer = Answer.of_json(told)
        answer.headers["x-request-id"] = uuid.uuid4().hex
        return answer.noting(self.bill(task))


def _error(status: int, code: str, message: str) -> Answer:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return Answer.of_json({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)
