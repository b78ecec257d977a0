"""The Interactions API: text at once, clips of Omni in the background, read and cancelled by id.

What an interaction was asked is kept with its task; a text is finished when it is answered. Vertex AI has the same
below a project, and there a clip may be left in a bucket.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.emulator.faults import Trouble
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, decode_base64
from providers.emulator.vendors.gemini_text import PRICES as TEXT_PRICES
from providers.emulator.vendors.gemini_text import GeminiText
from providers.emulator.vendors.google import Refused
from providers.emulator.wire import Answer, Call

KIND, TEXT = "interaction", "interaction-text"
OMNI_SECONDS = {"gemini-omni-1.1-flash": 10, "gemini-omni-1.2-flash": 15}
USD_A_SECOND = {"360p": "0.034", "720p": "0.10", "1080p": "0.15", "4k": "0.30"}
WORDS = {"queued": "in_progress", "running": "in_progress", "succeeded": "completed", "cancelled": "cancelled"}
INLINE_BYTES = 4_000_000


class InteractionsVendor(GeminiText):
    """`/interactions`, `/interactions/{id}`, `/interactions/{id}/cancel`."""

    def interact(self, call: Call, account: str, **place: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        model = str(body.get("model") or body.get("agent") or "")
        if not model:
            raise Refused(400, "model or agent is required.")
        prompt, picture = _asked(body.get("input"))
        if "[forbidden]" in prompt:
            raise Refused(400, "The prompt violates our usage guidelines.")
        if model in TEXT_PRICES:
            return self._text_at_once(call, account, model, prompt, body)
        if model not in OMNI_SECONDS:
            raise Refused(404, f"models/{model} is not found for API version v1.")
        params = self._film_params(body, model, prompt, picture)
        task = self.accept(call, self._omni_draft(account, model, params))
        return self._told_of(task, call).noting(self.bill(task))

    def _text_at_once(self, call: Call, account: str, model: str, prompt: str, body: Mapping[str, Any]) -> Answer:
        text = f"A plan for: {prompt[:200]}"
        read, written = max(1, len(prompt) // 4), max(1, len(text) // 4)
        price_in, price_out = (Decimal(price) for price in TEXT_PRICES[model])
        draft = Draft(
            account=account,
            kind=TEXT,
            model=model,
            params={"text": text, "read": read, "written": written, "previous": body.get("previous_interaction_id")},
            cost=(price_in * read + price_out * written) / 1_000_000,
            currency="USD",
            queue_s=0,
            render_s=0,
        )
        task = self.accept(call, draft)
        answer = self._told_of(task, call)
        if body.get("stream"):
            answer = _streamed(json.loads(answer.body), text)
        return answer.noting(self.bill(task))

    def _film_params(self, body: Mapping[str, Any], model: str, prompt: str, picture: str) -> dict[str, Any]:
        given = body.get("response_format") or body.get("responseFormat") or [{"type": "video"}]
        form = next((item for item in (given if isinstance(given, list) else [given]) if isinstance(item, dict)), {})
        if form.get("type", "video") != "video":
            raise Refused(400, f"{model} makes videos only.")
        duration, ratio = str(form.get("duration") or "5s"), form.get("aspect_ratio", "16:9")
        seconds = int(duration.removesuffix("s")) if duration.removesuffix("s").isdigit() else 0
        if not 3 <= seconds <= OMNI_SECONDS[model]:
            raise Refused(400, f"duration must be from 3s to {OMNI_SECONDS[model]}s.")
        resolution = form.get("resolution", "720p")
        if resolution not in USD_A_SECOND or ratio not in ("16:9", "9:16"):
            raise Refused(400, f"resolution {resolution} with aspect_ratio {ratio} is not supported.")
        if not prompt and not picture:
            raise Refused(400, "input is required.")
        data = decode_base64(picture) if picture else None
        if picture and data is None:
            raise Refused(400, "Invalid value at 'input' (Base64 decoding failed).")
        shown = {"prompt": prompt, "duration": seconds, "ratio": ratio, "resolution": resolution, "audio": True}
        kept = {"picture": self.world.save_input(data)} if data else {}
        storage = str(form.get("gcs_uri") or "")
        return {**shown, **kept, "seed": 0, "samples": 1, "storage": storage, "uri": form.get("delivery") == "uri"}

    @staticmethod
    def _omni_draft(account: str, model: str, params: dict[str, Any]) -> Draft:
        return Draft(
            account=account,
            kind=KIND,
            model=model,
            params=params,
            cost=Decimal(USD_A_SECOND[params["resolution"]]) * params["duration"],
            currency="USD",
            queue_s=3,
            render_s=6 * params["duration"],
        )

    def _interaction(self, account: str, interaction: str) -> StoredTask:
        task = self.world.store.get(self.name, interaction)
        if task is None or task.account != account or task.kind not in (KIND, TEXT):
            raise Refused(404, f"Interaction {interaction} was not found.")
        return task

    def read_interaction(self, call: Call, account: str, interaction: str, **place: str) -> Answer:
        return self._told_of(self._interaction(account, interaction), call)

    def cancel_interaction(self, call: Call, account: str, interaction: str, **place: str) -> Answer:
        task, now = self._interaction(account, interaction), self.world.now()
        if task.phase(now) in ("queued", "running"):
            self.world.store.cancel(task, now)
        return self._told_of(self._interaction(account, interaction), call)

    def delete_interaction(self, call: Call, account: str, interaction: str, **place: str) -> Answer:
        self.world.store.cancel(self._interaction(account, interaction), self.world.now())
        return Answer.of_json({})

    def _told_of(self, task: StoredTask, call: Call) -> Answer:
        phase = task.phase(self.world.now())
        odd = call.fault is not None and call.fault.do is Trouble.UNKNOWN_STATE
        told: dict[str, Any] = {
            "id": task.id,
            "object": "interaction",
            "model": task.model,
            "status": "requires_continuation" if odd else WORDS.get(phase, "failed"),
            "created": _stamp(task.created),
            "updated": _stamp(task.changed_at(self.world.now())),
            "role": "model",
        }
        if told["status"] == "failed":
            words = "The video was blocked by our safety filters." if phase == "refused" else "Internal error."
            told["error"] = {"code": 400 if phase == "refused" else 500, "message": words}
        if told["status"] != "completed":
            return Answer.of_json(told)
        return self._finished_interaction(task, told)

    def _finished_interaction(self, task: StoredTask, told: dict[str, Any]) -> Answer:
        if task.kind == TEXT:
            read, written = task.params["read"], task.params["written"]
            counts = {"total_input_tokens": read, "total_output_tokens": written, "total_tokens": read + written}
            return Answer.of_json({**told, **_steps({"type": "text", "text": task.params["text"]}), "usage": counts})
        video = {"type": "video", "mime_type": "video/mp4"}
        if task.params["storage"]:
            uri = f"{str(task.params['storage']).rstrip('/')}/{task.id}/sample_0.mp4"
            return Answer.of_json({**told, **_steps({**video, "uri": uri})})
        if task.params["uri"]:
            # Clients rewrite any https address of this form to their own base.
            uri = f"https://generativelanguage.googleapis.com/v1beta/files/{task.id}:download?alt=media"
            return Answer.of_json({**told, **_steps({**video, "uri": uri})})

        def wrap(data: bytes) -> bytes:
            if len(data) > INLINE_BYTES:
                return json.dumps({**told, "status": "incomplete", **_steps({**video, "uri": ""})}).encode()
            return json.dumps({**told, **_steps({**video, "data": base64.b64encode(data).decode()})}).encode()

        return Answer(media=self.clip_plan(task), wrap=wrap)


def _streamed(told: dict[str, Any], text: str) -> Answer:
    """A text interaction as server-sent events, word for word; what a clip's stream would tell is not known here."""
    opened = {name: told[name] for name in ("id", "object", "model", "created", "updated")}
    words = text.split(" ")
    pieces = [word if place == 0 else f" {word}" for place, word in enumerate(words)]
    events: list[dict[str, Any]] = [
        {"event_type": "interaction.created", "interaction": {**opened, "status": "in_progress"}},
        {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
        *({"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": piece}} for piece in pieces),
        {"event_type": "step.stop", "index": 0},
        {"event_type": "interaction.completed", "interaction": told},
    ]
    lines = [f"event: {event['event_type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    return Answer(body="".join([*lines, "event: done\ndata: [DONE]\n\n"]).encode(), media_type="text/event-stream")


def _steps(content: Mapping[str, Any]) -> dict[str, Any]:
    """The result as the newer ``steps`` and as the older ``outputs``."""
    return {"steps": [{"type": "model_output", "content": [content]}], "outputs": [content]}


def _asked(given: Any) -> tuple[str, str]:
    """Text and first picture (base64) of an input: a text, contents, or turns of contents."""
    if isinstance(given, str):
        return given, ""
    items = given if isinstance(given, list) else [given] if isinstance(given, dict) else []
    texts, pictures = [], []
    for item in items:
        content = item.get("content") if isinstance(item, dict) else None
        if isinstance(content, str | list | dict):
            text, picture = _asked(content)
            texts.append(text)
            pictures.append(picture)
        elif isinstance(item, dict) and item.get("type") == "image":
            pictures.append(str(item.get("data") or ""))
        elif isinstance(item, dict):
            texts.append(str(item.get("text") or ""))
    return " ".join(text for text in texts if text), next((picture for picture in pictures if picture), "")


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
