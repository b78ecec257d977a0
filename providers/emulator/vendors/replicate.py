"""Replicate's protocol: predictions of official and community models, files, cursors, Svix-style callbacks.

Written from the official clients and the public reference (2026-11). Results are removed an hour after the end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable, Mapping
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
from providers.emulator.vendors.replicate_files import FilesVendor
from providers.emulator.vendors.replicate_models import (
    HARDWARE,
    MODELS,
    SHAPES,
    SVD,
    Model,
    Refused,
    find_model,
    frames_of_svd,
    iso_time,
    model_view,
    version_of,
    version_view,
)
from providers.emulator.wire import Answer, Call

KEPT_S = 3600.0
PAGE = 100
TITLES = {402: "Insufficient credit", 401: "Unauthenticated", 404: "Not found", 422: "Input validation failed"}


class ReplicateVendor(FilesVendor):
    """`/v1/predictions`, `/v1/models/…`, `/v1/deployments/…`, `/v1/files`, `/v1/account`, `/v1/hardware`."""

    name = "replicate"
    url_lifetime_s = KEPT_S

    def routes(self) -> list[Route]:
        return [
            route("POST", "/v1/predictions", "submit", self._guarded(self._create_by_version)),
            route("POST", "/v1/models/{owner}/{model}/predictions", "submit", self._guarded(self._create_official)),
            route("GET", "/v1/predictions/{task_id}", "poll", self._guarded(self._read)),
            route("GET", "/v1/predictions", "list", self._guarded(self._list)),
            route("POST", "/v1/predictions/{task_id}/cancel", "cancel", self._guarded(self._cancel)),
            route("POST", "/v1/deployments/{owner}/{model}/predictions", "submit", self._guarded(self._deployment)),
            route("GET", "/v1/models", "catalogue", self._guarded(self._models)),
            route("QUERY", "/v1/models", "catalogue", self._guarded(self._models)),
            route("GET", "/v1/search", "catalogue", self._guarded(self._models)),
            route("GET", "/v1/hardware", "catalogue", self._guarded(self._hardware)),
            route("GET", "/v1/collections", "catalogue", self._guarded(self._collections)),
            route("GET", "/v1/models/{owner}/{model}", "catalogue", self._guarded(self._model)),
            route("GET", "/v1/models/{owner}/{model}/versions", "catalogue", self._guarded(self._versions)),
            route(
                "GET", "/v1/models/{owner}/{model}/versions/{version}", "catalogue", self._guarded(self._one_version)
            ),
            route("GET", "/v1/account", "account", self._guarded(self._account)),
            route("POST", "/v1/files", "upload", self._guarded(self._upload)),
            route("GET", "/v1/files", "upload", self._guarded(self._files)),
            route("GET", "/v1/files/{file_id}", "upload", self._guarded(self._file)),
            route("DELETE", "/v1/files/{file_id}", "upload", self._guarded(self._delete_file)),
            route("GET", "/v1/webhooks/default/secret", "account", self._guarded(self._secret)),
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

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not account:
                return _problem(401, "You did not pass a valid authentication token")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return _problem(error.status, error.detail)

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
        raise Refused(422, "version: Invalid version or not permitted")

    def _create(self, call: Call, account: str, name: str, version: str) -> Answer:
        body = call.json
        if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
            raise Refused(400, "input: is required")
        facts, given = MODELS[name], body["input"]
        for field in facts.required:
            if not given.get(field):
                raise Refused(422, f"- input: {field} is required\n")
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
        task = self.accept(call, draft)
        answer = Answer.of_json(self._view(task, call.origin), 201)
        return answer.noting(self.bill(task))

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
        if task.phase(self.world.now()) in ("queued", "running"):
            self.world.store.cancel(task, self.world.now())
        return Answer.of_json(self._view(self._task(task_id, account), call.origin))

    def _list(self, call: Call, account: str) -> Answer:
        try:
            start = int(base64.urlsafe_b64decode(call.query.get("cursor") or "MA=="))
        except ValueError as error:
            raise Refused(400, "cursor: is not valid") from error
        tasks = self.world.store.newest(self.name, account, limit=PAGE + 1, offset=start)
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
        words = {"queued": "starting", "running": "processing", "succeeded": "succeeded", "cancelled": "canceled"}
        root = f"{origin}/{self.name}/v1/predictions/{task.id}"
        removed = phase == "succeeded" and now > task.ends + KEPT_S
        view: dict[str, Any] = {
            "id": task.id,
            "model": task.model,
            "version": task.params["version"],
            "status": words.get(phase, "failed"),
            "source": "api",
            "input": {} if removed else task.params["input"],
            "output": None,
            "error": None,
            "logs": "",
            "data_removed": removed,
            "metrics": {},
            "created_at": iso_time(task.created),
            "started_at": iso_time(task.starts) if now >= task.starts else None,
            "completed_at": iso_time(task.ends) if now >= task.ends else None,
            "urls": {"get": root, "cancel": f"{root}/cancel", "web": f"https://replicate.com/p/{task.id}"},
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

    def _model(self, call: Call, account: str, owner: str, model: str) -> Answer:
        return Answer.of_json(model_view(find_model(owner, model)))

    def _models(self, call: Call, account: str) -> Answer:
        """The public models; ``QUERY`` with plain text and ``/search`` look for words in their names."""
        words = call.body.decode("utf-8", "replace").strip() if call.method == "QUERY" else call.query.get("query", "")
        found = [model_view(name) for name in MODELS if words.lower() in name or not words]
        return Answer.of_json({"next": None, "previous": None, "results": found, "models": found})

    def _versions(self, call: Call, account: str, owner: str, model: str) -> Answer:
        results = [version_view(find_model(owner, model))]
        return Answer.of_json({"next": None, "previous": None, "results": results})

    def _one_version(self, call: Call, account: str, owner: str, model: str, version: str) -> Answer:
        name = find_model(owner, model)
        if version != version_of(name):
            raise Refused(404, "The requested resource could not be found.")
        return Answer.of_json(version_view(name))

    def _hardware(self, call: Call, account: str) -> Answer:
        return Answer.of_json([{"name": name, "sku": sku} for name, sku in HARDWARE])

    def _collections(self, call: Call, account: str) -> Answer:
        view = {"name": "Text to video", "slug": "text-to-video", "description": "Models that make clips"}
        return Answer.of_json({"next": None, "previous": None, "results": [view]})

    def _deployment(self, call: Call, account: str, owner: str, model: str) -> Answer:
        """A deployment of one's own is named like the model that it runs."""
        name = next((known for known in MODELS if known.endswith(f"/{model}")), "")
        if not name:
            raise Refused(404, "The requested resource could not be found.")
        return self._create(call, account, name, version_of(name))

    def _account(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"type": "organization", "username": f"emulated-{account[:6]}", "name": "Emulated"})

    def _secret(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"key": self.world.webhook_secrets.get(self.name, "")})

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


def _problem(status: int, detail: str) -> Answer:
    return Answer.of_json({"title": TITLES.get(status, "Error"), "detail": detail, "status": status}, status)
