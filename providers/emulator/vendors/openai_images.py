"""OpenAI's pictures as base64 inside JSON. Several of one call are the same picture here."""

from __future__ import annotations

import base64
import json
import time
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.media.mark import mark_of
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip
from providers.emulator.vendor import Draft, MediaPlan
from providers.emulator.vendors.openai_calls import CallingVendor, Refused
from providers.emulator.wire import Answer, Call

# Dollars a picture by quality.
PRICES = {"low": "0.011", "medium": "0.042", "high": "0.167"}
MODELS = ("gpt-image-2", "gpt-image-1.5", "gpt-image-1", "gpt-image-1-mini")
SIZES = ("1024x1024", "1536x1024", "1024x1536")
FORMATS = ("png", "jpeg", "webp")


class ImagesVendor(CallingVendor):
    """`POST /images/generations`."""

    def pictures(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        prompt, count = str(body.get("prompt") or ""), body.get("n", 1)
        model, quality = str(body.get("model") or MODELS[0]), _chosen(body, "quality", tuple(PRICES), "medium")
        size, kind = _chosen(body, "size", SIZES, SIZES[0]), _chosen(body, "output_format", FORMATS, "png")
        if model not in MODELS:
            raise Refused(404, "model_not_found", f"The model `{model}` does not exist", "model")
        if not 1 <= len(prompt) <= 32_000:
            raise Refused(400, "missing_required_parameter", "Missing required parameter: 'prompt'.", "prompt")
        if not isinstance(count, int) or not 1 <= count <= 10:
            raise Refused(400, "invalid_value", "n must be from 1 to 10", "n")
        if "[forbidden]" in prompt or self.refusal_of(call):
            raise Refused(400, "moderation_blocked", "Your request was rejected by the safety system.")
        task = self.accept(
            call,
            Draft(
                account=account,
                kind="image",
                model=model,
                params={"prompt": prompt},
                cost=Decimal(PRICES[quality]) * count,
                currency="USD",
                queue_s=0,
                render_s=0,
            ),
        )
        width, height = (int(side) for side in size.split("x"))
        clip = Clip(
            model=f"OpenAI {model}",
            prompt=prompt,
            width=width,
            height=height,
            seconds=1,
            mark=mark_of(self.name, task.id),
            seed=self.seed_of(task),
        )
        plan = MediaPlan(f"{clip.key()}.{kind}", f"image/{kind}", partial(render_still, clip))
        read = max(1, len(prompt) // 4)
        usage = {"input_tokens": read, "output_tokens": 1056, "total_tokens": read + 1056}
        facts = {"background": "opaque", "output_format": kind, "quality": quality, "size": size}
        told = {"created": int(time.time()), **facts, "usage": usage}
        return self.headed(Answer(media=plan, wrap=partial(_as_json, told, count))).noting(self.bill(task))


def _chosen(body: dict[str, Any], name: str, allowed: tuple[str, ...], usual: str) -> str:
    value = body.get(name) or usual
    if value == "auto":
        return usual
    if value not in allowed:
        words = f"Invalid value: '{value}'. Supported values are: {', '.join(allowed)}"
        raise Refused(400, "invalid_value", words, name)
    return str(value)


def _as_json(told: dict[str, Any], count: int, data: bytes) -> bytes:
    picture = {"b64_json": base64.b64encode(data).decode()}
    return json.dumps({**told, "data": [picture] * count}).encode()
