"""``generateContent`` with JSON of a schema, at once or as a stream, as the Gemini API and Vertex AI share it.

Field names are accepted in camelCase and snake_case, as Google's own clients mix them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.emulator.faults import Trouble
from providers.emulator.media.plans import sample
from providers.emulator.vendor import Draft
from providers.emulator.vendors.google import GoogleVendor, Refused
from providers.emulator.wire import Answer, Call, LogNote

PRICES = {
    "gemini-3.8-flash": ("0.75", "3.75"),
    "gemini-4-argon": ("4", "20"),
    "gemini-3.6-flash": ("1.50", "7.50"),
    "gemini-3.5-flash-lite": ("0.30", "2.50"),
}
THINKING_TOKENS = 64


class GeminiText(GoogleVendor):
    """`{model}:generateContent`, `:streamGenerateContent`, `:countTokens`."""

    def _generate(self, call: Call, account: str, model: str, **place: str) -> Answer:
        told, note = self._said(call, account, model)
        return Answer.of_json(told).noting(note)

    def _stream(self, call: Call, account: str, model: str, **place: str) -> Answer:
        """The answer in pieces: server-sent events with ``alt=sse``, else a JSON list."""
        told, note = self._said(call, account, model)
        chunks = _pieces(told)
        if call.query.get("alt") != "sse":
            return Answer.of_json(chunks).noting(note)
        text = "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)
        return Answer(body=text.encode(), media_type="text/event-stream").noting(note)

    def _count(self, call: Call, account: str, model: str, **place: str) -> Answer:
        _known(model)
        return Answer.of_json({"totalTokens": max(1, len(_prompt(_camel(call.json))) // 4)})

    def _said(self, call: Call, account: str, model: str) -> tuple[dict[str, Any], LogNote]:
        _known(model)
        body = _camel(call.json)
        prompt = _prompt(body)
        config = body.get("generationConfig") or {}
        # The schema's own names must stay as they were given.
        given = call.json.get("generationConfig") or call.json.get("generation_config") or {}
        names = ("responseJsonSchema", "response_json_schema", "responseSchema", "response_schema")
        schema = next((given[name] for name in names if given.get(name)), None)
        if schema and config.get("responseMimeType") != "application/json":
            raise Refused(400, "responseSchema needs responseMimeType application/json")
        if config.get("responseSchema") and config.get("responseJsonSchema"):
            raise Refused(400, "Only one of responseSchema and responseJsonSchema may be given.")
        if call.fault and call.fault.do is Trouble.REFUSE_AT_END:
            return {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": []}}, LogNote()
        value = sample(_lowered(schema), prompt) if schema else None
        text = json.dumps(value) if schema else f"A plan for: {prompt[:200]}"
        return self._told(call, account, model, prompt, text, config.get("maxOutputTokens"))

    def _told(
        self, call: Call, account: str, model: str, prompt: str, text: str, limit: int | None
    ) -> tuple[dict[str, Any], LogNote]:
        read, written, reason = max(1, len(prompt) // 4), max(1, len(text) // 4), "STOP"
        if limit is not None and written + THINKING_TOKENS > limit:
            written, reason = max(0, limit - THINKING_TOKENS), "MAX_TOKENS"
            text = text[: written * 4]
        price_in, price_out = (Decimal(price) for price in PRICES[model])
        cost = (price_in * read + price_out * (written + THINKING_TOKENS)) / 1_000_000
        draft = Draft(
            account=account, kind="text", model=model, params={}, cost=cost, currency="USD", queue_s=0, render_s=0
        )
        task = self.accept(call, draft)
        content = {"role": "model", "parts": [{"text": text}] if text else []}
        usage = {
            "promptTokenCount": read,
            "candidatesTokenCount": written,
            "thoughtsTokenCount": THINKING_TOKENS,
            "totalTokenCount": read + written + THINKING_TOKENS,
        }
        candidate = {"index": 0, "content": content, "finishReason": reason}
        told = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": task.id}
        return told, self.bill(task)


def _known(model: str) -> None:
    if model not in PRICES:
        raise Refused(404, f"models/{model} is not found for API version v1beta, or is not supported.")


def _prompt(body: Any) -> str:
    """All text of the contents; a body without contents is refused."""
    if not isinstance(body, dict) or not body.get("contents"):
        raise Refused(400, "* GenerateContentRequest.contents: contents is not specified")
    return " ".join(str(part.get("text", "")) for item in body["contents"] for part in item.get("parts", []))


def _pieces(told: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole answer as the chunks of a stream; usage and reason come with the last."""
    if "candidates" not in told:
        return [told]
    (candidate,) = told["candidates"]
    text = "".join(part["text"] for part in candidate["content"]["parts"])
    cuts = [text[start : start + 40] for start in range(0, len(text), 40)] or [""]
    chunks = []
    for number, cut in enumerate(cuts):
        last = number == len(cuts) - 1
        part = {"index": 0, "content": {"role": "model", "parts": [{"text": cut}]}}
        if last:
            part["finishReason"] = candidate["finishReason"]
        chunks.append({**told, "candidates": [part]} if last else {"candidates": [part]})
    return chunks


def _lowered(schema: Any) -> Any:
    """A schema with upper-case types, as Google's own form has them, in lower case."""
    if isinstance(schema, Mapping):
        lowered = {key: _lowered(value) for key, value in schema.items()}
        if isinstance(lowered.get("type"), str):
            lowered["type"] = lowered["type"].lower()
        return lowered
    return [_lowered(item) for item in schema] if isinstance(schema, list) else schema


def _camel(value: Any) -> Any:
    """Names in camelCase at every level."""
    if isinstance(value, Mapping):
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
