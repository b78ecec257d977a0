"""fal's queue: any of its video endpoints, results read apart from states, ED25519-signed callbacks.

Written from the official clients and the public reference (2026-11). COMPLETED stands for failures too; the
failure is in the result's status and body. Queue, storage and key set share one prefix here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import cv2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, MediaPlan, Route, Vendor, decode_base64, even, route
from providers.emulator.wire import Answer, Call

LINES = {"512P": 512, "540p": 540, "720p": 720, "768P": 768, "1080p": 1080, "480p": 480}
SLOTS = 10


@dataclass(frozen=True, slots=True)
class Model:
    """Allowed texts and dollars a second by resolution, required inputs, seconds of work a second."""

    durations: tuple[str, ...]
    prices: Mapping[str, str]
    required: tuple[str, ...]
    ratios: tuple[str, ...] = ()
    render_s: float = 12


PIKA = {"720p": "0.04", "1080p": "0.09"}
PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")
MODELS = {
    "fal-ai/pika/v2.2/text-to-video": Model(("5", "10"), PIKA, ("prompt",), PIKA_RATIOS),
    "fal-ai/pika/v2.2/image-to-video": Model(("5", "10"), PIKA, ("prompt", "image_url")),
    "fal-ai/minimax/hailuo-02/standard/image-to-video": Model(
        ("6", "10"), {"768P": "0.045", "512P": "0.017"}, ("prompt", "image_url"), render_s=15
    ),
    "fal-ai/luma-dream-machine/ray-2": Model(
        ("5s", "9s"), {"540p": "0.10", "720p": "0.20", "1080p": "0.40"}, ("prompt",), ("16:9", "9:16", "4:3", "3:4")
    ),
}


class Refused(Exception):
    """A platform or model error: status and body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, dict(body)


class FalVendor(Vendor):
    """`/{owner}/{alias}/…` to submit, `/{owner}/{alias}/requests/{id}` for the rest, storage and key set."""

    name = "fal"
    url_lifetime_s = 7 * 86_400.0

    def routes(self) -> list[Route]:
        request = "/{owner}/{alias}/requests/{task_id}"
        return [
            route("GET", "/.well-known/jwks.json", "account", self._jwks),
            route("POST", "/storage/upload/initiate", "upload", self._guarded(self._initiate)),
            route("PUT", "/storage/put/{upload_id}", "upload", self._put),
            route("GET", "/storage/file/{upload_id}", "fetch", self._stored),
            route("GET", f"{request}/status", "poll", self._guarded(self._status)),
            route("PUT", f"{request}/cancel", "cancel", self._guarded(self._cancel)),
            route("GET", request, "result", self._guarded(self._result)),
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
        facts = MODELS.get(endpoint)
        if facts is None:
            raise Refused(404, {"detail": f"Application '{endpoint}' not found"})
        params = self._params(facts, call.json)
        price = Decimal(facts.prices[params["resolution"]])
        now = self.world.now()
        draft = Draft(
            account=account,
            kind="video",
            model=endpoint,
            params=params,
            cost=price * params["seconds"],
            currency="USD",
            queue_s=5,
            render_s=facts.render_s * params["seconds"],
            callback_url=call.query.get("fal_webhook", ""),
            charges_refusals=True,
            not_before=self.world.store.slot_free_at(self.name, account, endpoint, SLOTS, now),
        )
        task = self.accept(call, draft)
        view = {**self._addresses(task, call.origin), "status": "IN_QUEUE", "queue_position": 0}
        return Answer.of_json({**view, "gateway_request_id": task.id}).noting(self.bill(task))

    def _params(self, facts: Model, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise Refused(400, {"detail": "The body is not JSON", "error_type": "bad_request"})
        for name in facts.required:
            if not body.get(name):
                raise _invalid(name, "Field required", "missing")
        duration = body.get("duration", facts.durations[0])
        if duration not in facts.durations:
            raise _invalid("duration", f"Input should be one of {facts.durations}", "literal_error")
        resolution = body.get("resolution", next(iter(facts.prices)))
        if resolution not in facts.prices:
            raise _invalid("resolution", f"Input should be one of {tuple(facts.prices)}", "literal_error")
        ratio = body.get("aspect_ratio", "16:9")
        if facts.ratios and ratio not in facts.ratios:
            raise _invalid("aspect_ratio", f"Input should be one of {facts.ratios}", "literal_error")
        if "[forbidden]" in body["prompt"]:
            raise _invalid("prompt", "The content could not be processed", "content_policy_violation")
        params = {"prompt": body["prompt"], "seconds": int(duration.rstrip("s")), "resolution": resolution}
        params |= {"ratio": ratio if facts.ratios else "", "seed": body.get("seed", 0)}
        if "image_url" in facts.required:
            params["picture"] = self._picture(str(body["image_url"]))
        return params

    def _picture(self, url: str) -> str:
        if url.startswith("data:"):
            data = decode_base64(url)
            if data is None:
                raise _invalid("image_url", "Failed to load the image", "image_load_error")
            return self.world.save_input(data)
        name = url.rpartition("/storage/file/")[2]
        if name == url:
            return ""
        if not name.isalnum() or not self.world.input_path(name).exists():
            raise _invalid("image_url", "Failed to download the file", "file_download_error")
        return name

    def _task(self, account: str, task_id: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account:
            raise Refused(404, {"detail": "Request not found"})
        return task

    def _status(self, call: Call, account: str, owner: str, alias: str, task_id: str) -> Answer:
        task = self._task(account, task_id)
        phase = task.phase(self.world.now())
        view = self._addresses(task, call.origin)
        if phase == "queued":
            view |= {"status": "IN_QUEUE", "queue_position": 1}
        elif phase == "running":
            view |= {"status": "IN_PROGRESS", "logs": None}
        else:
            view |= {"status": "COMPLETED", "logs": None, "metrics": {"inference_time": task.ends - task.starts}}
            if phase != "succeeded":
                view["error"] = "Unexpected status code: 422"
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "IN_TRANSIT"
        return Answer.of_json(view, 200 if view["status"] == "COMPLETED" else 202)

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
            return 422, _invalid("prompt", "The content was flagged", "content_policy_violation").body
        if phase == "failed":
            return 500, _invalid("", "An internal error occurred", "internal_server_error").body
        if phase == "cancelled":
            return 499, {"detail": "Request was cancelled", "error_type": "client_cancelled"}
        file = {"url": self.file_url(task, 0, ".mp4", origin), "content_type": "video/mp4", "file_name": "output.mp4"}
        return 200, {"video": file, "seed": task.params["seed"]}

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

    def _put(self, call: Call, upload_id: str) -> Answer:
        if not upload_id.isalnum():
            return self.not_found(call)
        path = self.world.input_path(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(call.body)
        return Answer(200)

    def _stored(self, call: Call, upload_id: str) -> Answer:
        path = self.world.input_path(upload_id if upload_id.isalnum() else "none")
        return Answer(body=path.read_bytes(), media_type="image/jpeg") if path.exists() else self.not_found(call)

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0:
            return None
        params = task.params
        picture = self.world.input_path(params["picture"]) if params.get("picture") else None
        width, height = self._size(params, picture)
        clip = Clip(
            model=f"fal {task.model}",
            prompt=params["prompt"],
            width=width,
            height=height,
            seconds=params["seconds"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            picture=picture,
        )
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


def _invalid(field: str, words: str, kind: str) -> Refused:
    page = f"https://docs.fal.ai/errors#{kind}"
    return Refused(
        422, {"detail": [{"loc": ["body", field] if field else [], "msg": words, "type": kind, "url": page}]}
    )
