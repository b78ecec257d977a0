"""fal's queue: any of its video endpoints, results read apart from states, ED25519-signed callbacks.

Written from the official clients and the public reference (2026-11). COMPLETED stands for failures too; the
failure is in the result's status and body. Queue, storage and key set share one prefix here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import cv2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.inputs import media_type_of, read_film
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, MediaPlan, Route, Vendor, decode_base64, even, route
from providers.emulator.vendors.fal_models import LINES, MODELS, Model, Refused, check, check_still, invalid, pictures
from providers.emulator.wire import Answer, Call

SLOTS = 10


class FalVendor(Vendor):
    """`/{owner}/{alias}/…` to submit, `/{owner}/{alias}/requests/{id}` for the rest, storage and key set."""

    name = "fal"
    url_lifetime_s = 7 * 86_400.0

    def routes(self) -> list[Route]:
        request = "/{owner}/{alias}/requests/{task_id}"
        return [
            route("GET", "/.well-known/jwks.json", "account", self._jwks),
            route("POST", "/storage/upload/initiate", "upload", self._guarded(self._initiate)),
            route("POST", "/storage/upload/initiate-multipart", "upload", self._guarded(self._initiate)),
            route("PUT", r"/storage/put/{upload_id}/(?P<part>\d+)", "upload", self._put_part),
            route("POST", "/storage/put/{upload_id}/complete", "upload", self._put_together),
            route("POST", "/storage/auth/token", "upload", self._guarded(self._upload_token)),
            route("POST", "/files/upload", "upload", self._cdn_upload),
            route("PUT", "/storage/put/{upload_id}", "upload", self._put),
            route("GET", "/storage/file/{upload_id}", "fetch", self._stored),
            route("GET", f"{request}/status", "poll", self._guarded(self._status)),
            route("PUT", f"{request}/cancel", "cancel", self._guarded(self._cancel)),
            route("GET", request, "result", self._guarded(self._result)),
            route("GET", f"{request}/status/stream", "poll", self._guarded(self._status_stream)),
            route("POST", r"/run/(?P<endpoint>[\w.-]+/[\w./-]+)", "submit", self._guarded(self._run)),
            route("POST", r"/(?P<endpoint>[\w.-]+/[\w./-]+)", "submit", self._guarded(self._submit)),
        ]

    def server_error(self, status: int) -> Answer:
        return Answer.of_json({"detail": "Internal server error", "error_type": "internal_error"}, status)

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = Answer.of_json({"detail": "Too many concurrent requests"}, 429)
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"detail": "Internal server error", "error_type": "internal_error"})

    def not_found(self, call: Call) -> Answer:
        return Answer.of_json({"detail": "Not Found"}, 404)

    def wrong_method(self, call: Call, methods: list[str]) -> Answer:
        return Answer.of_json({"detail": "Method Not Allowed"}, 405, Allow=", ".join(methods))

    def malformed(self, call: Call, words: str) -> Answer:
        return Answer.of_json(invalid("", words, "value_error").body, 422)

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            scheme, _, key = call.headers.get("authorization", "").partition(" ")
            account = account_of(key) if scheme == "Key" else ""
            if not account:
                return Answer.of_json({"detail": "Invalid or missing key"}, 401)
            try:
                return work(call, account, **groups)
            except Refused as error:
                return Answer.of_json(error.body, error.status)

        return handler

    # -- the queue -------------------------------------------------------------------------------------------

    def _submit(self, call: Call, account: str, endpoint: str) -> Answer:
        task = self._accepted(call, account, endpoint, call.query.get("fal_webhook", ""))
        view = {**self._addresses(task, call.origin), "status": "IN_QUEUE", "queue_position": 0}
        answer = Answer.of_json({**view, "gateway_request_id": task.id}, x_fal_request_id=task.id)
        return answer.noting(self.bill(task))

    def _run(self, call: Call, account: str, endpoint: str) -> Answer:
        """The synchronous host: the result itself, as soon as its file can be fetched."""
        task = self._accepted(call, account, endpoint, "", at_once=True)
        status, body = self._outcome(task, call.origin)
        answer = Answer.of_json(body, status).noting(self.bill(task))
        answer.headers["x-fal-request-id"] = task.id
        return answer

    def _accepted(self, call: Call, account: str, endpoint: str, callback: str, *, at_once: bool = False) -> StoredTask:
        facts = MODELS.get(endpoint)
        if facts is None:
            raise Refused(404, {"detail": f"Application '{endpoint}' not found"})
        timeout = call.headers.get("x-fal-request-timeout", "2")
        if not re.fullmatch(r"[\d.]+", timeout) or float(timeout) <= 1:
            words = "X-Fal-Request-Timeout must be more than 1 second"
            raise Refused(400, {"detail": words, "error_type": "bad_request"})
        params = self._params(facts, call.json)
        price = Decimal(facts.prices[params["resolution"]])
        now = self.world.now()
        draft = Draft(
            account=account,
            kind="video",
            model=endpoint,
            params=params,
            cost=price * Decimal(str(params["seconds"])),
            currency="USD",
            queue_s=0 if at_once else 5,
            render_s=0 if at_once else facts.render_s * params["seconds"],
            callback_url=callback,
            charges_refusals=True,
            not_before=self.world.store.slot_free_at(self.name, account, endpoint, SLOTS, now),
        )
        return self.accept(call, draft)

    def _params(self, facts: Model, body: Any) -> dict[str, Any]:
        params = check_still(facts, body) if facts.still else check(facts, body)
        kept = [self._picture(url) for url in pictures(facts, body)]
        if not facts.durations and not facts.still:
            film = read_film(self.world, self._picture(str(body["video_url"]), "video_url"))
            params["seconds"] = film.seconds
            kept = [film.picture]
        return {**params, "picture": kept[0]} if kept else params

    def _picture(self, url: str, field: str = "image_url") -> str:
        if url.startswith("data:"):
            data = decode_base64(url)
            if data is None:
                raise invalid(field, "Failed to load the image", "image_load_error")
            return self.world.save_input(data)
        name = url.rpartition("/storage/file/")[2]
        if name == url:
            return ""
        if not name.isalnum() or not self.world.input_path(name).exists():
            raise invalid(field, "Failed to download the file", "file_download_error")
        return name

    def _task(self, account: str, task_id: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account:
            raise Refused(404, {"detail": "Request not found"})
        return task

    def _status(self, call: Call, account: str, owner: str, alias: str, task_id: str) -> Answer:
        view = self._status_view(self._task(account, task_id), call)
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "IN_TRANSIT"
        return Answer.of_json(view, 200 if view["status"] == "COMPLETED" else 202)

    def _status_stream(self, call: Call, account: str, owner: str, alias: str, task_id: str) -> Answer:
        """An event for every new state, until it is COMPLETED: clients take the end of the stream for the end."""
        told: list[dict[str, Any]] = [{}]
        self._task(account, task_id)

        def feed() -> tuple[bytes, bool]:
            view = self._status_view(self._task(account, task_id), call)
            news = b"" if view == told[0] else f"data: {json.dumps(view)}\n\n".encode()
            told[0] = view
            return news, view["status"] == "COMPLETED"

        return Answer(media_type="text/event-stream", headers={"Cache-Control": "no-cache"}, feed=feed)

    def _status_view(self, task: StoredTask, call: Call) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        view = self._addresses(task, call.origin)
        wanted = call.query.get("logs", "").lower() in ("1", "true")
        line = {"message": "Generating", "level": "INFO", "source": "USER", "timestamp": _time(task.starts)}
        logs = {"logs": [line] if wanted else None}
        if phase == "queued":
            return {**view, "status": "IN_QUEUE", "queue_position": 1}
        if phase == "running":
            return {**view, "status": "IN_PROGRESS", **logs}
        view |= {"status": "COMPLETED", **logs, "metrics": {"inference_time": task.ends - task.starts}}
        return view if phase == "succeeded" else {**view, "error": "Unexpected status code: 422"}

    def _result(self, call: Call, account: str, owner: str, alias: str, task_id: str) -> Answer:
        task = self._task(account, task_id)
        if task.phase(self.world.now()) in ("queued", "running"):
            raise Refused(400, {"detail": "Request is still in progress"})
        status, body = self._outcome(task, call.origin)
        answer = Answer.of_json(body, status)
        answer.headers["X-Fal-Retryable"] = "true" if status >= 500 else "false"
        return answer

    def _outcome(self, task: StoredTask, origin: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the result of a task that has ended."""
        phase = task.phase(self.world.now())
        if phase == "refused":
            return 422, invalid("prompt", "The content was flagged", "content_policy_violation").body
        if phase == "failed":
            return 500, invalid("", "An internal error occurred", "internal_server_error").body
        if phase == "cancelled":
            return 499, {"detail": "Request was cancelled", "error_type": "client_cancelled"}
        if task.params.get("still"):
            return 200, self._stills(task, origin)
        file = {"url": self.file_url(task, 0, ".mp4", origin), "content_type": "video/mp4", "file_name": "output.mp4"}
        return 200, {"video": file, "seed": task.params["seed"]}

    def _stills(self, task: StoredTask, origin: str) -> dict[str, Any]:
        params, count = task.params, int(task.params["seconds"])
        suffix, size = f".{params['still']}", {name: params[name] for name in ("width", "height")}
        kind = {"content_type": f"image/{params['still']}", **size}
        images = [{"url": self.file_url(task, number, suffix, origin), **kind} for number in range(count)]
        flags = {"has_nsfw_concepts": [False] * count, "timings": {"inference": task.ends - task.starts}}
        return {"images": images, "seed": params["seed"], "prompt": params["prompt"], **flags}

    def _cancel(self, call: Call, account: str, owner: str, alias: str, task_id: str) -> Answer:
        task = self._task(account, task_id)
        if task.phase(self.world.now()) not in ("queued", "running"):
            return Answer.of_json({"status": "ALREADY_COMPLETED"}, 400)
        self.world.store.cancel(task, self.world.now())
        return Answer.of_json({"status": "CANCELLATION_REQUESTED"}, 202)

    def _addresses(self, task: StoredTask, origin: str) -> dict[str, Any]:
        app = "/".join(task.model.split("/")[:2])
        root = f"{origin}/{self.name}/{app}/requests/{task.id}"
        return {
            "request_id": task.id,
            "response_url": root,
            "status_url": f"{root}/status",
            "cancel_url": f"{root}/cancel",
        }

    # -- storage, media, callbacks ---------------------------------------------------------------------------

    def _initiate(self, call: Call, account: str) -> Answer:
        upload = uuid.uuid4().hex
        root = f"{call.origin}/{self.name}/storage"
        return Answer.of_json({"upload_url": f"{root}/put/{upload}", "file_url": f"{root}/file/{upload}"})

    def _upload_token(self, call: Call, account: str) -> Answer:
        until = datetime.fromtimestamp(self.world.now() + 3600, UTC).isoformat()
        root = f"{call.origin}/{self.name}"
        token = {"token": f"cdn-{account}", "token_type": "Bearer", "base_url": root, "base_upload_url": root}
        return Answer.of_json({**token, "expires_at": until})

    def _cdn_upload(self, call: Call) -> Answer:
        """The CDN takes its own token, not the key."""
        if not call.bearer().startswith("cdn-"):
            return Answer.of_json({"detail": "Invalid or missing token"}, 401)
        name = self.world.save_input(call.body)
        return Answer.of_json({"access_url": f"{call.origin}/{self.name}/storage/file/{name}"})

    def _put(self, call: Call, upload_id: str) -> Answer:
        if not upload_id.isalnum():
            return self.not_found(call)
        path = self.world.input_path(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(call.body)
        return Answer(200)

    def _put_part(self, call: Call, upload_id: str, part: str) -> Answer:
        """A piece of a large file; its etag is what the last call must name."""
        if not upload_id.isalnum():
            return self.not_found(call)
        path = self.world.input_path(f"{upload_id}.{int(part)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(call.body)
        return Answer.of_json({"partNumber": int(part), "etag": _etag(call.body)}, ETag=_etag(call.body))

    def _put_together(self, call: Call, upload_id: str) -> Answer:
        parts = call.json.get("parts") if isinstance(call.json, dict) else None
        if not isinstance(parts, list) or not parts or not upload_id.isalnum():
            return Answer.of_json({"detail": "parts is required"}, 400)
        pieces = []
        for part in sorted(parts, key=lambda item: int(item["partNumber"])):
            path = self.world.input_path(f"{upload_id}.{int(part['partNumber'])}")
            piece = path.read_bytes() if path.exists() else b""
            if part.get("etag") != _etag(piece):
                return Answer.of_json({"detail": f"part {part['partNumber']} is not what was uploaded"}, 400)
            pieces.append(piece)
        self.world.input_path(upload_id).write_bytes(b"".join(pieces))
        return Answer.of_json({"url": f"{call.origin}/{self.name}/storage/file/{upload_id}"})

    def _stored(self, call: Call, upload_id: str) -> Answer:
        path = self.world.input_path(upload_id if upload_id.isalnum() else "none")
        if not path.exists():
            return self.not_found(call)
        data = path.read_bytes()
        return Answer(body=data, media_type=media_type_of(data))

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        params, still = task.params, task.params.get("still", "")
        last = int(params["seconds"]) - 1 if still else 0
        if task.phase(self.world.now()) != "succeeded" or not 0 <= index <= last:
            return None
        picture = self.world.input_path(params["picture"]) if params.get("picture") else None
        width, height = (params["width"], params["height"]) if still else self._size(params, picture)
        clip = Clip(
            model=f"fal {task.model}",
            prompt=params["prompt"],
            width=width,
            height=height,
            seconds=1 if still else params["seconds"],
            mark=self.mark_of(task),
            seed=self.seed_of(task) + index,
            picture=picture,
            sound=params.get("sound", False),
        )
        if still:
            return MediaPlan(f"{clip.key()}.{still}", f"image/{still}", partial(render_still, clip))
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    @staticmethod
    def _size(params: Mapping[str, Any], picture: Any) -> tuple[int, int]:
        lines, shape = LINES[params["resolution"]], 16 / 9
        if params["ratio"]:
            width, _, height = params["ratio"].partition(":")
            shape = int(width) / int(height)
        elif picture is not None:
            image = cv2.imread(str(picture))
            shape = image.shape[1] / image.shape[0] if image is not None else shape
        return (even(lines * shape), lines) if shape >= 1 else (lines, even(lines / shape))

    def _signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"fal" + self.world.file_key).digest())

    def _jwks(self, call: Call) -> Answer:
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        public = self._signing_key().public_key().public_bytes(*raw)
        key = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(public).rstrip(b"=").decode()}
        return Answer.of_json({"keys": [key]})

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        status, payload = self._outcome(task, task.params["origin"])
        told: dict[str, Any] = {"request_id": task.id, "gateway_request_id": task.id, "payload": payload}
        told |= {"status": "OK"} if status == 200 else {"status": "ERROR", "error": f"Unexpected status code: {status}"}
        body = json.dumps(told).encode()
        user, moment = f"user-{task.account}", str(int(now))
        text = "\n".join((task.id, user, moment, hashlib.sha256(body).hexdigest())).encode()
        signature = self._signing_key().sign(text).hex()
        return Delivery(
            task.callback_url,
            {
                "Content-Type": "application/json",
                "X-Fal-Webhook-Request-Id": task.id,
                "X-Fal-Webhook-User-Id": user,
                "X-Fal-Webhook-Timestamp": moment,
                "X-Fal-Webhook-Signature": "00" * 64 if hook.trouble == "forged" else signature,
            },
            body,
        )


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
