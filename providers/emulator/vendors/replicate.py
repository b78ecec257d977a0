"""Replicate's protocol: predictions of official and community models, files, cursors, Svix-style callbacks.

Written from the official clients and the public reference (2026-11). Results are removed an hour after the end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import cv2

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.inputs import read_film
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, MediaPlan, Route, decode_base64, even, route
from providers.emulator.vendors import replicate_runs as runs
from providers.emulator.vendors.replicate_catalogue import CatalogueVendor, deployed
from providers.emulator.vendors.replicate_models import (
    MODELS,
    SHAPES,
    SVD,
    Model,
    Refused,
    frames_of_svd,
    iso_time,
    version_of,
)
from providers.emulator.wire import Answer, Call

KEPT_S = 3600.0
PAGE = 100
OPEN = ("queued", "running")
TITLES = {402: "Insufficient credit", 401: "Unauthenticated", 404: "Not found", 422: "Input validation failed"}


class ReplicateVendor(CatalogueVendor):
    """`/v1/predictions`, `/v1/models/…`, `/v1/deployments/…`, `/v1/files`, `/v1/account`, `/v1/hardware`."""

    name = "replicate"
    cors = False
    url_lifetime_s = KEPT_S

    def routes(self) -> list[Route]:
        return [
            route("POST", "/v1/predictions", "submit", self.guarded(self._create_by_version)),
            route("POST", "/v1/models/{owner}/{model}/predictions", "submit", self.guarded(self._create_official)),
            route("GET", "/v1/predictions/{task_id}", "poll", self.guarded(self._read)),
            route("GET", "/v1/predictions", "list", self.guarded(self._list)),
            route("POST", "/v1/predictions/{task_id}/cancel", "cancel", self.guarded(self._cancel)),
            route("POST", "/v1/deployments/{owner}/{model}/predictions", "submit", self.guarded(self._deployment)),
            *self.catalogue_routes(),
            route("GET", "/v1/streams/{task_id}", "poll", self._stream),
            route("POST", "/v1/files", "upload", self.guarded(self._upload)),
            route("GET", "/v1/files", "upload", self.guarded(self._files)),
            route("GET", "/v1/files/{file_id}", "upload", self.guarded(self._file)),
            route("DELETE", "/v1/files/{file_id}", "upload", self.guarded(self._delete_file)),
        ]

    def server_error(self, status: int) -> Answer:
        return _problem(status, "Internal server error")

    def rate_limited(self, retry_after: float | None) -> Answer:
        words = f" Your rate limit resets in ~{retry_after:g}s." if retry_after is not None else ""
        return _problem(429, f"Request was throttled.{words}")

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"detail": "An unexpected error occurred"})

    def not_found(self, call: Call) -> Answer:
        return _problem(404, "The requested resource could not be found.")

    def malformed(self, call: Call, words: str) -> Answer:
        return _problem(422, words)

    def new_id(self) -> str:
        return "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz234567", k=26))

    def guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            scheme, _, token = call.headers.get("authorization", "").partition(" ")
            account = account_of(token.strip()) if scheme.lower() in ("bearer", "token") else ""
            if not account:
                return _problem(401, "You did not pass a valid authentication token")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return _problem(error.status, error.detail, error.fields)

        return handler

    # -- predictions -----------------------------------------------------------------------------------------

    def _create_official(self, call: Call, account: str, owner: str, model: str) -> Answer:
        name = f"{owner}/{model}"
        if name not in MODELS or MODELS[name].community:
            raise Refused(404, "The requested resource could not be found.")
        return self._create(call, account, name, "hidden")

    def _create_by_version(self, call: Call, account: str) -> Answer:
        asked = str((call.json or {}).get("version") or "")
        for name in MODELS:
            if asked in (version_of(name), f"{name}:{version_of(name)}", name):
                return self._create(call, account, name, version_of(name))
        if not asked:
            raise Refused(422, "- version is required\n", ("version",))
        raise Refused(422, runs.NO_VERSION)

    def _create(self, call: Call, account: str, name: str, version: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
            raise Refused(422, "- input: input is required\n", ("input",))
        facts, given = MODELS[name], body["input"]
        lacking = tuple(field for field in facts.required if not given.get(field))
        if lacking:
            raise Refused(422, "".join(f"- input: {field} is required\n" for field in lacking), lacking)
        params = self._params(name, facts, given)
        better = given.get("generate_audio", "kling" not in name) is True or given.get("mode") == "pro"
        price = Decimal(facts.better if better else facts.price)
        sound = facts.kind == "lipsync" or (better and name != SVD)
        timed = facts.kind in ("video", "lipsync")
        draft = Draft(
            account=account,
            kind=facts.kind,
            model=name,
            params={
                **params,
                "version": version,
                "input": _brief(given),
                "sound": sound,
            },
            cost=price * Decimal(str(params["seconds"])) if timed and not facts.per_call else price,
            currency="USD",
            queue_s=4,
            render_s=facts.render_s * (params["seconds"] if timed else 1),
            callback_url=str(body.get("webhook") or ""),
        )
        moments = runs.asked_moments(body)
        deadline = runs.deadline_of(call.headers.get("cancel-after", ""))
        draft = replace(draft, params={**draft.params, "moments": moments, "deadline": deadline})
        task = self.accept(call, draft)
        if deadline is not None and task.created + deadline < task.ends:
            self.world.store.cancel(task, task.created + deadline)
        return self._made(call, task)

    def _made(self, call: Call, task: StoredTask) -> Answer:
        """The run, at once or, with ``Prefer: wait``, when it is over or the wait is."""
        until = task.created + runs.patience_of(call.headers.get("prefer", ""))

        def view() -> Answer:
            kept = self._task(task.id, task.account)
            return Answer.of_json(self._view(kept, call.origin), 201)

        def hold() -> Answer | None:
            now = self.world.now()
            return view() if now >= until or self._task(task.id, task.account).phase(now) not in OPEN else None

        answer = view()
        return replace(answer, hold=hold if until > task.created else None).noting(self.bill(task))

    def _params(self, name: str, facts: Model, given: Mapping[str, Any]) -> dict[str, Any]:
        seconds = given.get("duration", facts.durations[-1] if facts.durations else 1)
        if name == SVD:
            seconds = frames_of_svd(given)
        if facts.durations and seconds not in facts.durations:
            raise Refused(422, f"- input.duration: {seconds} is not one of {list(facts.durations)}\n")
        params: dict[str, Any] = {"prompt": str(given.get("prompt") or ""), "seconds": seconds}
        picture = self._input(_first_picture(given))
        if facts.kind == "lipsync":
            film = read_film(self.world, self._input(given["video"]))
            params |= {"video": self._input(given["video"]), "seconds": film.seconds, "picture": film.picture}
            return {**params, "width": film.width, "height": film.height}
        if facts.kind == "transcript":
            params |= {"audio": self._input(given["audio"])}
        if picture:
            params["picture"] = picture
        width, height = self._size(name, given, picture)
        return {**params, "width": width, "height": height}

    def _size(self, name: str, given: Mapping[str, Any], picture: str) -> tuple[int, int]:
        if given.get("width") and given.get("height"):
            return int(given["width"]), int(given["height"])
        better = given.get("resolution") == "1080p" or given.get("mode") == "pro"
        lines = 576 if name == SVD else 1080 if better else 720
        shape = SHAPES.get(str(given.get("aspect_ratio") or ""), 16 / 9)
        if picture and (name == SVD or "kling" in name):
            image = cv2.imread(str(self.world.input_path(picture)))
            shape = image.shape[1] / image.shape[0] if image is not None else shape
        width, height = (lines * shape, lines) if shape >= 1 else (lines, lines / shape)
        return even(width), even(height)

    def _input(self, value: Any) -> str:
        """The kept file of an upload or a data URI; other addresses are not opened."""
        if not isinstance(value, str) or not value:
            return ""
        if value.startswith("data:"):
            data = decode_base64(value)
            return self.world.save_input(data) if data else ""
        match = re.search(r"/v1/files/([0-9a-f]{64})$", value)
        return str(self._kept_file(match.group(1))["checksums"]["sha256"]) if match else ""

    def _task(self, task_id: str, account: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account:
            raise Refused(404, "The requested resource could not be found.")
        return task

    def _read(self, call: Call, account: str, task_id: str) -> Answer:
        view = self._view(self._task(task_id, account), call.origin)
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "booting"
        return Answer.of_json(view)

    def _cancel(self, call: Call, account: str, task_id: str) -> Answer:
        task = self._task(task_id, account)
        if task.phase(self.world.now()) in OPEN:
            self.world.store.cancel(task, self.world.now())
        return Answer.of_json(self._view(self._task(task_id, account), call.origin))

    def _stream(self, call: Call, task_id: str) -> Answer:
        """The end of a run as server-sent events; the address is the key to it."""
        found = self.world.store.get(self.name, task_id)
        if found is None:
            return self.not_found(call)

        def feed() -> tuple[bytes, bool]:
            view = self._view(self._task(task_id, found.account), call.origin)
            return runs.events_of(view), view["status"] not in ("starting", "processing")

        return Answer(media_type="text/event-stream", headers={"Cache-Control": "no-store"}, feed=feed)

    def _list(self, call: Call, account: str) -> Answer:
        try:
            start = int(base64.urlsafe_b64decode(call.query.get("cursor") or "MA=="))
        except ValueError as error:
            raise Refused(400, "cursor: is not valid") from error
        first, last = (runs.moment_of(call.query.get(f"created_{side}", "")) for side in ("after", "before"))
        tasks = self.world.store.newest(self.name, account, limit=PAGE + 1 if first is last else 100_000, offset=start)
        tasks = [task for task in tasks if (first or 0) <= task.created < (last or math.inf)]
        following = _cursor(start + PAGE) if len(tasks) > PAGE else None
        page = f"{call.origin}/{self.name}/v1/predictions"
        return Answer.of_json(
            {
                "next": f"{page}?cursor={following}" if following else None,
                "previous": f"{page}?cursor={_cursor(start - PAGE)}" if start else None,
                "results": [self._view(task, call.origin) for task in tasks[:PAGE]],
            }
        )

    def _view(self, task: StoredTask, origin: str) -> dict[str, Any]:
        now = self.world.now()
        phase = task.phase(now)
        root = f"{origin}/{self.name}/v1/predictions/{task.id}"
        removed = phase == "succeeded" and now > task.ends + KEPT_S
        view: dict[str, Any] = {
            "id": task.id,
            "model": task.model,
            "version": task.params["version"],
            "status": runs.status_of(task, now),
            "source": "api",
            "input": {} if removed else task.params["input"],
            "output": None,
            "error": None,
            "logs": "",
            "data_removed": removed,
            "metrics": {},
            "created_at": iso_time(task.created),
            "started_at": iso_time(task.starts) if task.starts <= min(now, task.changed_at(now)) else None,
            "completed_at": None if phase in OPEN else iso_time(task.changed_at(now)),
            "urls": {
                "get": root,
                "cancel": f"{root}/cancel",
                "stream": f"{origin}/{self.name}/v1/streams/{task.id}",
                "web": f"https://replicate.com/p/{task.id}",
            },
        }
        if phase == "succeeded" and not removed:
            view["output"] = self._output(task, origin)
            view["metrics"] = {"predict_time": task.ends - task.starts, "total_time": task.ends - task.created}
        elif phase in ("refused", "failed"):
            refused = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
            view["error"] = refused if phase == "refused" else "Prediction interrupted; please retry (code: PA)"
        return view

    def _output(self, task: StoredTask, origin: str) -> Any:
        if task.kind == "image":
            return [self.file_url(task, 0, ".png", origin)]
        if task.kind == "transcript":
            text = " Slow mornings taste better with cold brew."
            segment = {"id": 0, "start": 0.0, "end": 3.2, "text": text, "avg_logprob": -0.2, "no_speech_prob": 0.01}
            return {"segments": [segment], "transcription": text, "translation": None, "detected_language": "english"}
        return self.file_url(task, 0, ".mp4", origin)

    # -- the rest --------------------------------------------------------------------------------------------

    def _deployment(self, call: Call, account: str, owner: str, model: str) -> Answer:
        """A deployment of one's own is named like the model that it runs."""
        name = deployed(model)
        return self._create(call, account, name, version_of(name))

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0 or task.kind == "transcript":
            return None
        params = task.params
        picture = params.get("picture", "")
        clip = Clip(
            model=f"Replicate {task.model}",
            prompt=params["prompt"] or task.kind,
            width=params["width"],
            height=params["height"],
            seconds=params["seconds"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            picture=self.world.input_path(picture) if picture else None,
            sound=params["sound"],
        )
        if task.kind == "image":
            return MediaPlan(f"{clip.key()}.png", "image/png", partial(render_still, clip))
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    def webhook_moments(self, task: StoredTask) -> tuple[tuple[str, float], ...]:
        times = {"start": task.starts, "output": task.ends, "completed": task.ends}
        return tuple((moment, at) for moment, at in times.items() if moment in task.params["moments"])

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        body = json.dumps(self._view(task, task.params["origin"])).encode()
        key = base64.b64decode(self.world.webhook_secrets.get(self.name, "").removeprefix("whsec_"))
        message, moment = f"msg_{hook.id}", str(int(now))
        text = f"{message}.{moment}.".encode() + body
        signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return Delivery(
            task.callback_url,
            {
                "Content-Type": "application/json",
                "webhook-id": message,
                "webhook-timestamp": moment,
                "webhook-signature": "v1,Zm9yZ2Vk" if hook.trouble == "forged" else f"v1,{signature}",
            },
            body,
        )


def _first_picture(given: Mapping[str, Any]) -> Any:
    names = ("start_image", "image", "first_frame_image", "input_image")
    return next((given[name] for name in names if given.get(name)), None)


def _brief(given: Mapping[str, Any]) -> dict[str, Any]:
    """The input as it is shown again, long inline files left out."""
    return {name: value for name, value in given.items() if not isinstance(value, str) or len(value) < 5000}


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(str(max(0, start)).encode()).decode()


def _problem(status: int, detail: str, fields: tuple[str, ...] = ()) -> Answer:
    """An error as problem+json; a failed validation names its fields."""
    title = "Invalid version or not permitted" if detail == runs.NO_VERSION else TITLES.get(status, "Error")
    told: dict[str, Any] = {"title": title, "detail": detail, "status": status}
    if fields:
        told["invalid_fields"] = [
            {"type": "required", "field": name, "description": f"{name} is required"} for name in fields
        ]
    return replace(Answer.of_json(told, status), media_type="application/problem+json")
