"""OpenAI and servers that are compatible with it: chat completions, at once or as a stream."""

from __future__ import annotations

import json
import time
from typing import Any

from providers.emulator.vendor import Route, route
from providers.emulator.vendors.openai_calls import Refused, check_model, counted, text_of, written_text
from providers.emulator.vendors.openai_images import ImagesVendor
from providers.emulator.vendors.openai_responses import ResponsesVendor
from providers.emulator.wire import Answer, Call


class OpenAIVendor(ResponsesVendor, ImagesVendor):
    """`/chat/completions`, `/responses`, `/images/generations`, `/models`, with or without `/v1`."""

    def routes(self) -> list[Route]:
        return [
            route("POST", "(?:/v1)?/chat/completions", "submit", self.guarded(self._complete)),
            route("POST", "(?:/v1)?/responses", "submit", self.guarded(self.respond)),
            route("GET", "(?:/v1)?/responses/{response_id}", "poll", self.guarded(self.response)),
            route("POST", "(?:/v1)?/images/generations", "submit", self.guarded(self.pictures)),
            route("GET", "(?:/v1)?/models", "account", self.guarded(self._models)),
            route("GET", "(?:/v1)?/models/{model}", "account", self.guarded(self._model)),
        ]

    def _complete(self, call: Call, account: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list) or not body["messages"]:
            raise Refused(400, "", "'messages' must be a list with at least one message", "messages")
        model = str(body.get("model") or "")
        check_model(model)
        if "max_tokens" in body and model != "emulated":
            words = "Unsupported parameter: use 'max_completion_tokens' instead of 'max_tokens'"
            raise Refused(400, "unsupported_parameter", words, "max_tokens")
        if body.get("temperature") not in (None, 1) and model != "emulated":
            raise Refused(400, "unsupported_value", "Only the default temperature (1) is supported", "temperature")
        prompt = " ".join(text_of(message.get("content")) for message in body["messages"])
        refusal = self.refusal_of(call)
        text = "" if refusal else written_text(body.get("response_format") or {}, prompt)
        text, read, written, cut = counted(prompt, text, body.get("max_completion_tokens") or body.get("max_tokens"))
        task = self.charge(call, account, model, (read, written))
        message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
        choice = {"index": 0, "message": message, "finish_reason": "length" if cut else "stop", "logprobs": None}
        told = {
            "id": f"chatcmpl-{task.id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [choice],
            "usage": {
                "prompt_tokens": read,
                "completion_tokens": written,
                "total_tokens": read + written,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
        answer = _streamed(told, body) if body.get("stream") else Answer.of_json(told)
        return self.headed(answer).noting(self.bill(task))


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
