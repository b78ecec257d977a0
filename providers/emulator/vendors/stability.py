"""Stability's v2beta protocol: multipart in, picture bytes out, filtered pictures with HTTP 200.

Written from the published OpenAPI and reference (2026-11).
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.mark import mark_of
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip
from providers.emulator.vendor import Draft, MediaPlan, Route, Vendor, even, route
from providers.emulator.wire import Answer, Call, Part

CREDITS = {
    ("generate", "core"): "3",
    ("generate", "ultra"): "8",
    ("control", "style"): "5",
    ("control", "structure"): "5",
    ("control", "sketch"): "5",
}
SD3 = {"sd3.5-large": "6.5", "sd3.5-large-turbo": "4", "sd3.5-medium": "3.5", "sd3.5-flash": "2.5"}
FORMATS = ("png", "jpeg", "webp")
RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
PIXELS = 1_048_576
FREE_CREDITS = Decimal(100_000)


class Refused(Exception):
    """An error of the vendor: status, name, words."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


class StabilityVendor(Vendor):
    """`/v2beta/stable-image/{group}/{kind}` and `/v1/user/balance`."""

    name = "stability"

    def routes(self) -> list[Route]:
        return [
            route("POST", "/v2beta/stable-image/{group}/{kind}", "submit", self._guarded(self._generate)),
            route("GET", "/v1/user/balance", "account", self._guarded(self._balance)),
        ]

    def server_error(self, status: int) -> Answer:
        return _error(status, "internal_error", "An unexpected server error has occurred")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = _error(429, "rate_limit_exceeded", "You have made more than 150 requests in 10 seconds")
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return _error(200, "internal_error", "An unexpected server error has occurred")

    def not_found(self, call: Call) -> Answer:
        return _error(404, "not_found", "Not found")

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not account:
                return _error(401, "unauthorized", "Missing or invalid authorization header")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return _error(error.status, error.name, error.message)

        return handler

    def _balance(self, call: Call, account: str) -> Answer:
        spent = sum((task.cost for task in self.world.store.newest(self.name, account) if task.billed), Decimal(0))
        return Answer.of_json({"credits": float(FREE_CREDITS - spent * 100)})

    def _generate(self, call: Call, account: str, group: str, kind: str) -> Answer:
        if not call.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Refused(400, "bad_request", "content-type: must be multipart/form-data")
        accept = call.headers.get("accept", "image/*")
        if accept not in ("image/*", "application/json"):
            raise Refused(400, "bad_request", "accept: must be image/* or application/json")
        parts = call.multipart()
        form = {name: part.data.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
        credits = self._credits(group, kind, form, parts)
        width, height = self._size(form, parts.get("image"))
        seed = int(form.get("seed") or 0) or random.SystemRandom().randrange(1, 2**32 - 1)
        draft = Draft(
            account=account,
            kind="image",
            model=form.get("model", f"{group}/{kind}"),
            params={"prompt": form["prompt"], "seed": seed, "width": width, "height": height},
            cost=Decimal(credits) / 100,
            currency="USD",
            queue_s=0,
            render_s=0,
        )
        filtered = bool(call.fault and call.fault.do is Trouble.REFUSE_AT_END)
        task = self.accept(call, draft)
        clip = Clip(
            model=f"Stability {draft.model}",
            prompt=form["prompt"],
            width=width,
            height=height,
            seconds=1,
            mark=mark_of(self.name, task.id),
            seed=seed,
            picture=self._kept(parts.get("image")),
        )
        kind = form.get("output_format", "png")
        plan = MediaPlan(f"{clip.key()}.{kind}", f"image/{kind}", partial(render_still, clip))
        reason = "CONTENT_FILTERED" if filtered else "SUCCESS"
        answer = Answer(media=plan, media_type=plan.media_type)
        if accept == "application/json":
            answer = Answer(media=plan, wrap=partial(_as_json, reason, seed))
        answer.headers |= {"finish-reason": reason, "seed": str(seed), "x-request-id": uuid.uuid4().hex}
        return answer.noting(self.bill(task))

    def _credits(self, group: str, kind: str, form: dict[str, str], parts: dict[str, Part]) -> str:
        """Validate the fields and give the price in credits."""
        if (group, kind) == ("generate", "sd3"):
            model = form.get("model", "sd3.5-large")
            if model not in SD3:
                raise Refused(400, "bad_request", "model: is not supported")
            if form.get("mode") == "image-to-image" and ("image" not in parts or "aspect_ratio" in form):
                raise Refused(400, "bad_request", "image-to-image needs image and strength and forbids aspect_ratio")
            credits = SD3[model]
        elif (group, kind) in CREDITS:
            credits = CREDITS[group, kind]
        else:
            raise Refused(404, "not_found", "Not found")
        if group == "control" and "image" not in parts:
            raise Refused(400, "bad_request", "image: is required")
        if not 1 <= len(form.get("prompt", "")) <= 10_000:
            raise Refused(400, "bad_request", "prompt: must be 1 to 10000 characters")
        if form.get("output_format", "png") not in (FORMATS[:2] if kind == "sd3" else FORMATS):
            raise Refused(400, "bad_request", "output_format: is not supported")
        if not form.get("seed", "0").isdigit() or int(form.get("seed", "0")) > 4_294_967_294:
            raise Refused(400, "bad_request", "seed: must be a number from 0 to 4294967294")
        if form.get("aspect_ratio", "1:1") not in RATIOS:
            raise Refused(400, "bad_request", "aspect_ratio: is not supported")
        if "[forbidden]" in form["prompt"]:
            raise Refused(403, "content_moderation", "Your request was flagged by our content moderation system")
        return credits

    @staticmethod
    def _size(form: dict[str, str], image: Part | None) -> tuple[int, int]:
        """About one megapixel in the asked shape, or in the picture's where that is the canvas."""
        shape = None
        if image is not None and "aspect_ratio" not in form:
            picture = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                raise Refused(400, "bad_request", "image: is not a valid image")
            shape = picture.shape[1] / picture.shape[0]
        if shape is None:
            width, _, height = form.get("aspect_ratio", "1:1").partition(":")
            shape = int(width) / int(height)
        tall = (PIXELS / shape) ** 0.5
        return even(tall * shape), even(tall)

    def _kept(self, image: Part | None) -> Path | None:
        return self.world.input_path(self.world.save_input(image.data)) if image is not None else None


def _as_json(reason: str, seed: int, data: bytes) -> bytes:
    return json.dumps({"image": base64.b64encode(data).decode(), "finish_reason": reason, "seed": seed}).encode()


def _error(status: int, name: str, message: str) -> Answer:
    return Answer.of_json({"id": uuid.uuid4().hex, "name": name, "errors": [message]}, status)
