"""Stability's v2beta protocol: multipart in, picture bytes out, filtered pictures with HTTP 200.

Written from the published OpenAPI and reference (2026-11). Slow operations answer with an id whose result is fetched.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.mark import mark_of
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, Vendor, route
from providers.emulator.vendors import stability_rules as rules
from providers.emulator.vendors.stability_rules import Refused, bad
from providers.emulator.wire import Answer, Call, Part

FREE_CREDITS = Decimal(100_000)
FILM_CREDITS, FILM_S, FILM_FPS = "20", 4, 6
KEPT_S = 86_400.0


class StabilityVendor(Vendor):
    """`/v2beta/stable-image/{group}/{kind}`, `/v2beta/results/{id}`, `/v2beta/image-to-video`, `/v1/user/balance`."""

    name = "stability"

    def routes(self) -> list[Route]:
        results = "/v2beta/(?:results|stable-image/upscale/creative/result)/{task_id}"
        return [
            route("GET", results, "result", self._guarded(self._result)),
            route("POST", "/v2beta/stable-image/{group}/{kind}", "submit", self._guarded(self._generate)),
            route("POST", "/v2beta/image-to-video", "submit", self._guarded(self._animate)),
            route("GET", "/v2beta/image-to-video/result/{task_id}", "result", self._guarded(self._result)),
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

    def malformed(self, call: Call, words: str) -> Answer:
        return _error(400, "bad_request", words)

    def new_id(self) -> str:
        return secrets.token_hex(32)

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

    # -- asking ----------------------------------------------------------------------------------------------

    def _generate(self, call: Call, account: str, group: str, kind: str) -> Answer:
        name = f"{group}/{kind}"
        facts, (form, parts) = rules.operation(name), _form(call)
        if not facts.later:
            _accepted(call, "image/*")
        credits = rules.check(name, facts, form, parts)
        canvas = parts.get(facts.canvas)
        width, height = rules.size_of_result(name, facts, form, canvas)
        prompt = form.get("prompt") or form.get("background_prompt") or name
        shown: dict[str, Any] = {"prompt": prompt, "width": width, "height": height, "kind": "image"}
        shown |= {"format": form.get("output_format", "png"), "picture": self._kept(canvas)}
        draft = self._draft(account, form.get("model", name), {**shown, "seed": _seed(form)}, credits)
        if not facts.later:
            task = self.accept(call, draft)
            filtered = bool(call.fault and call.fault.do is Trouble.REFUSE_AT_END)
            return self._picture(call, task, filtered=filtered).noting(self.bill(task))
        return self._later(call, draft, 12)

    def _animate(self, call: Call, account: str) -> Answer:
        """Four silent seconds from a picture of one of three sizes."""
        form, parts = _form(call)
        rules.check_common(form, rules.FORMATS)
        if "image" not in parts:
            raise bad("image: is required")
        size = rules.size_of_picture(parts["image"])
        if size not in rules.FILM_SIZES:
            raise bad("image: must be 1024x576, 576x1024 or 768x768")
        for name, low, high in (("cfg_scale", 0.0, 10.0), ("motion_bucket_id", 1, 255)):
            if not low <= float(form.get(name) or low) <= high:
                raise bad(f"{name}: must be a number from {low:g} to {high:g}")
        shown = {"prompt": "image-to-video", "width": size[0], "height": size[1], "kind": "video"}
        params = {**shown, "seed": _seed(form), "format": "mp4", "picture": self._kept(parts["image"])}
        return self._later(call, self._draft(account, "image-to-video", params, FILM_CREDITS), 40)

    @staticmethod
    def _draft(account: str, model: str, params: dict[str, Any], credits: str) -> Draft:
        return Draft(
            account=account,
            kind=params["kind"],
            model=model,
            params=params,
            cost=Decimal(credits) / 100,
            currency="USD",
            queue_s=0,
            render_s=0,
        )

    def _later(self, call: Call, draft: Draft, seconds: float) -> Answer:
        task = self.accept(call, replace(draft, render_s=seconds))
        return Answer.of_json({"id": task.id}).noting(self.bill(task))

    # -- giving ----------------------------------------------------------------------------------------------

    def _result(self, call: Call, account: str, task_id: str) -> Answer:
        """202 while it is made, then the file; a day later it is gone."""
        task, now = self.world.store.get(self.name, task_id), self.world.now()
        if task is None or task.account != account or now - task.ends > KEPT_S:
            raise Refused(404, "not_found", "The result was not found or has expired")
        kind = str(task.params["kind"])
        _accepted(call, f"{kind}/*", "*/*")
        phase = task.phase(now)
        if phase in ("queued", "running"):
            return Answer.of_json({"id": task.id, "status": "in-progress"}, 202)
        if phase == "failed":
            raise Refused(500, "internal_error", "An unexpected server error has occurred")
        return self._picture(call, task, filtered=phase == "refused")

    def _picture(self, call: Call, task: StoredTask, *, filtered: bool) -> Answer:
        """The file as bytes or as base64 in JSON, as the call asks."""
        plan, seed = self._plan(task), task.params["seed"]
        reason = "CONTENT_FILTERED" if filtered else "SUCCESS"
        answer = Answer(media=plan, media_type=plan.media_type)
        if call.headers.get("accept") == "application/json":
            answer = Answer(media=plan, wrap=partial(_as_json, str(task.params["kind"]), reason, seed))
        answer.headers |= {"finish-reason": reason, "seed": str(seed), "x-request-id": uuid.uuid4().hex}
        return answer

    def _plan(self, task: StoredTask) -> MediaPlan:
        params = task.params
        film = params["kind"] == "video"
        clip = Clip(
            model=f"Stability {task.model}",
            prompt=params["prompt"],
            width=params["width"],
            height=params["height"],
            seconds=FILM_S if film else 1,
            mark=mark_of(self.name, task.id),
            seed=params["seed"],
            fps=FILM_FPS if film else 24,
            picture=self.world.input_path(params["picture"]) if params["picture"] else None,
        )
        if film:
            return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))
        kind = params["format"]
        return MediaPlan(f"{clip.key()}.{kind}", f"image/{kind}", partial(render_still, clip))

    def _kept(self, image: Part | None) -> str:
        return self.world.save_input(image.data) if image is not None else ""


def _form(call: Call) -> tuple[dict[str, str], dict[str, Part]]:
    """The texts and all parts of a call, which must be a multipart form of at most 10 MiB."""
    if not call.headers.get("content-type", "").startswith("multipart/form-data"):
        raise bad("content-type: must be multipart/form-data")
    if len(call.body) > rules.REQUEST_BYTES:
        raise Refused(413, "payload_too_large", "The request is larger than 10 MiB")
    parts = call.multipart()
    return {name: part.data.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}, parts


def _accepted(call: Call, usual: str, *more: str) -> None:
    if call.headers.get("accept", usual) not in (usual, "application/json", *more):
        raise bad(f"accept: must be {usual} or application/json")


def _seed(form: dict[str, str]) -> int:
    return int(form.get("seed") or 0) or random.SystemRandom().randrange(1, 2**32 - 1)


def _as_json(kind: str, reason: str, seed: int, data: bytes) -> bytes:
    return json.dumps({kind: base64.b64encode(data).decode(), "finish_reason": reason, "seed": seed}).encode()


def _error(status: int, name: str, message: str) -> Answer:
    return Answer.of_json({"id": uuid.uuid4().hex, "name": name, "errors": [message]}, status)
