"""OpenAI's Responses: the same text as chat completions in items, kept for a later look unless that is declined."""

from __future__ import annotations

import json
import time
from typing import Any

from providers.emulator.vendors.openai_calls import CallingVendor, Refused, check_model, counted, text_of, written_text
from providers.emulator.wire import Answer, Call

PIECE = 24


class ResponsesVendor(CallingVendor):
    """`POST /responses`, `GET /responses/{id}`."""

    def respond(self, call: Call, account: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not body.get("input"):
            raise Refused(400, "missing_required_parameter", "Missing required parameter: 'input'.", "input")
        model = str(body.get("model") or "")
        check_model(model)
        prompt = f"{body.get('instructions') or ''} {_prompt(body['input'])}".strip()
        wanted = (body.get("text") or {}).get("format") or {"type": "text"}
        refusal = self.refusal_of(call)
        text = "" if refusal else written_text(_as_chat(wanted), prompt)
        text, read, written, cut = counted(prompt, text, body.get("max_output_tokens"))
        part = {"type": "refusal", "refusal": refusal} if refusal else _text_part(text)
        kept = {"part": part, "cut": cut, "counts": [read, written], "asked": _asked(body, wanted)}
        task = self.charge(call, account, model, (read, written), **(kept if body.get("store") is not False else {}))
        told = _response(task.id, model, kept, int(time.time()))
        answer = _streamed(told) if body.get("stream") else Answer.of_json(told)
        return self.headed(answer).noting(self.bill(task))

    def response(self, call: Call, account: str, response_id: str) -> Answer:
        task = self.world.store.get(self.name, response_id.removeprefix("resp_"))
        if task is None or task.account != account or "part" not in task.params:
            raise Refused(404, "", f"Response with id '{response_id}' not found.")
        return Answer.of_json(_response(task.id, task.model, dict(task.params), int(task.created)))


def _prompt(given: Any) -> str:
    """All text of the input: a string, or messages whose content is text or a list of parts."""
    if isinstance(given, str):
        return given
    parts = [item.get("content") for item in given if isinstance(item, dict)]
    plain = [
        [{**part, "type": "text"} for part in content] if isinstance(content, list) else content for content in parts
    ]
    return " ".join(text_of(content) for content in plain)


def _as_chat(wanted: dict[str, Any]) -> dict[str, Any]:
    """The format as chat completions name it."""
    return {"type": "json_schema", "json_schema": wanted} if wanted.get("type") == "json_schema" else wanted


def _asked(body: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What an answer repeats of the request."""
    names = ("instructions", "max_output_tokens", "previous_response_id", "user")
    repeated = {name: body.get(name) for name in names}
    sampling = {name: body.get(name, 1.0) for name in ("temperature", "top_p")}
    more = {"metadata": body.get("metadata") or {}, "store": body.get("store") is not False, "text": {"format": wanted}}
    return {**repeated, **sampling, **more}


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(task_id: str, model: str, kept: dict[str, Any], created: int) -> dict[str, Any]:
    read, written = kept["counts"]
    status = "incomplete" if kept["cut"] else "completed"
    message = {"id": f"msg_{task_id}", "type": "message", "status": status, "role": "assistant"}
    return {
        "id": f"resp_{task_id}",
        "object": "response",
        "created_at": created,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if kept["cut"] else None,
        "model": model,
        "output": [{**message, "content": [kept["part"]]}],
        **kept["asked"],
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        },
    }


def _streamed(told: dict[str, Any]) -> Answer:
    """The answer as the events of a stream, numbered."""
    item = told["output"][0]
    part, place = item["content"][0], {"item_id": item["id"], "output_index": 0, "content_index": 0}
    field, word = ("refusal", "refusal") if part["type"] == "refusal" else ("text", "output_text")
    text = part[field]
    begun = {**told, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": {**part, field: ""}},
    ]
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    events += [{"type": f"response.{word}.delta", **place, "delta": piece, "logprobs": []} for piece in pieces]
    events += [
        {"type": f"response.{word}.done", **place, field: text},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": f"response.{told['status']}", "response": told},
    ]
    lines = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
        for number, event in enumerate(events)
    ]
    return Answer(body="".join(lines).encode(), media_type="text/event-stream")
