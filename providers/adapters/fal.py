"""fal.ai's queue: Pika and other hosted models. Failure hides behind COMPLETED, so the result is always read.

Reference: https://docs.fal.ai. Queue, upload and key set live on different hosts in production and below one
address at the emulator.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.base import RemoteAdapter
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    ErrorKind,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
    WebhookRejected,
)
from providers.http import CallKind, Reply
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_dict, has_word, objects
from providers.values import (
    Accepted,
    AccountReport,
    CancelOutcome,
    CancelResult,
    Facts,
    Feature,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    PerSecond,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)

QUEUE = "https://queue.fal.run"
REST = "https://rest.fal.ai"
SKEW_S = 300
PRICED = date(2026, 11, 1)
PICTURE = PictureLimits(max_bytes=10_000_000, min_side=64, max_side=4096)
COMMON = frozenset({Feature.WEBHOOK, Feature.CANCEL, Feature.SEED, Feature.NEGATIVE_PROMPT})
FIRST = frozenset({InputRole.FIRST_FRAME})
PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")
# fal's paths for one model family: by task.
PATHS: dict[str, dict[Task, str]] = {
    "fal-ai/pika/v2.2": {
        Task.TEXT_TO_VIDEO: "fal-ai/pika/v2.2/text-to-video",
        Task.IMAGE_TO_VIDEO: "fal-ai/pika/v2.2/image-to-video",
    },
    "fal-ai/minimax/hailuo-02/standard": {
        Task.IMAGE_TO_VIDEO: "fal-ai/minimax/hailuo-02/standard/image-to-video",
    },
}
TRANSIENT_TYPES = {
    "generation_timeout",
    "downstream_service_error",
    "downstream_service_unavailable",
    "internal_server_error",
    "no_media_generated",
    "file_download_error",
    "request_timeout",
    "startup_timeout",
    "internal_error",
}


def _pika(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    values: dict[str, Any] = {
        "prompt": request.prompt,
        "duration": str(int(request.duration_s)),
        "resolution": request.resolution,
    }
    if request.task is Task.TEXT_TO_VIDEO:
        values["aspect_ratio"] = request.ratio
    return values


def _hailuo(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    resolution = {"720p": "768P", "768p": "768P", "512p": "512P"}[request.resolution]
    return {"prompt": request.prompt, "duration": str(int(request.duration_s)), "resolution": resolution}


BODIES: dict[str, Callable[[GenerationRequest, StagedInputs], dict[str, Any]]] = {
    "fal-ai/pika/v2.2": _pika,
    "fal-ai/minimax/hailuo-02/standard": _hailuo,
}


class FalAdapter(RemoteAdapter):
    """Submits to the queue, polls its status, and reads the result before calling anything a success."""

    name = "fal"
    label = "fal (Pika)"
    docs_url = "https://docs.fal.ai"
    live_url = QUEUE
    credential_fields = ("api_key",)
    unknown_window = timedelta(minutes=30)
    poll_interval = timedelta(seconds=5)
    states = {
        "IN_QUEUE": RemoteState.QUEUED,
        "IN_PROGRESS": RemoteState.RUNNING,
        "COMPLETED": RemoteState.SUCCEEDED,
    }
    models = (
        ModelCard(
            id="fal-ai/pika/v2.2",
            version="v2.2",
            label="Pika 2.2 at fal",
            tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
            durations=(5, 10),
            ratios=PIKA_RATIOS,
            resolutions=("720p", "1080p"),
            supports=COMMON,
            input_roles=FIRST,
            price=PerSecond(Decimal("0.04"), "USD", {"720p": Decimal("0.04"), "1080p": Decimal("0.09")}),
            speed_s_per_s=12.0,
            quality=6,
            facts=Facts.DOC,
            prices_as_of=PRICED,
        ),
        ModelCard(
            id="fal-ai/minimax/hailuo-02/standard",
            version="hailuo-02",
            label="Hailuo 02 at fal",
            tasks=frozenset({Task.IMAGE_TO_VIDEO}),
            durations=(6, 10),
            ratios=("16:9", "9:16", "1:1"),
            resolutions=("768p", "512p"),
            supports=frozenset({Feature.WEBHOOK, Feature.CANCEL}),
            input_roles=FIRST,
            price=PerSecond(Decimal("0.045"), "USD", {"768p": Decimal("0.045"), "512p": Decimal("0.017")}),
            speed_s_per_s=15.0,
            quality=7,
            facts=Facts.DOC,
            prices_as_of=PRICED,
        ),
    )

    @property
    def rest_url(self) -> str:
        """The host of uploads and keys."""
        return REST if self.base_url == QUEUE else self.base_url

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Key {self.credential('api_key')}"}

    def check_credentials(self) -> AccountReport:
        """Ask for an upload place, which is free and needs a good key."""
        self._start_upload("check.txt", "text/plain")
        return AccountReport(True, "The key is accepted; fal names no balance.")

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures are uploaded to fal's storage, cropped to the asked ratio."""
        staged = []
        for item in inputs:
            if item.role is not InputRole.FIRST_FRAME:
                raise Unsupported(f"These models take a first frame, not {item.role.value} files.")
            picture = prepare_picture(item.path, PICTURE, ratio=ratio)
            place = self._start_upload("picture.jpg", picture.media_type)
            self._put(str(place.get("upload_url") or ""), picture.data, picture.media_type)
            staged.append(StagedInput(item.role, str(place.get("file_url") or ""), picture.media_type))
        return StagedInputs(tuple(staged))

    def _start_upload(self, name: str, media_type: str) -> dict[str, Any]:
        url = f"{self.rest_url}/storage/upload/initiate"
        body = {"content_type": media_type, "file_name": name}
        answer, _ = self.call_json(CallKind.WRITE, "POST", url, params={"storage_type": "fal-cdn-v3"}, body=body)
        return answer

    def _put(self, url: str, data: bytes, media_type: str) -> None:
        """The upload address is signed: the key stays here."""
        reply = self.client.call(CallKind.WRITE, "PUT", url, data=data, headers={"Content-Type": media_type})
        if not reply.ok:
            raise Transient(f"fal's storage answered {reply.status}; upload again.", exchange=reply.exchange)

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        body = self._body(request, staged)
        params = {"fal_webhook": callback_url} if callback_url else None
        path = PATHS[request.model][request.task]
        # fal retries a job on its own; a retry after our deadline would be a second charge nobody waits for.
        headers = {"x-fal-no-retry": "1"}
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", f"/{path}", params=params, body=body, headers=headers)
        remote_id = str(answer.get("request_id") or "")
        if not remote_id:
            raise OutcomeUnknown("fal accepted the call without naming a request.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {"app": "/".join(path.split("/")[:2])}, reply.exchange)

    def _body(self, request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
        if request.options:
            raise Unsupported(f"These models know no option {', '.join(sorted(request.options))}; remove it.")
        if request.task not in PATHS.get(request.model, {}):
            raise Unsupported(f"{request.model} does not do {request.task.value} here.")
        body = BODIES[request.model](request, staged)
        frame = staged.get(InputRole.FIRST_FRAME)
        if request.task is Task.IMAGE_TO_VIDEO:
            if frame is None:
                raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
            body["image_url"] = frame.value
        supports = self.card(request.model).supports
        if request.negative_prompt and Feature.NEGATIVE_PROMPT in supports:
            body["negative_prompt"] = request.negative_prompt
        if request.seed is not None and Feature.SEED in supports:
            body["seed"] = request.seed
        return body

    def _request_path(self, task: RemoteTask) -> str:
        """Status, result and cancel are found below owner and alias alone, without the model's sub-path."""
        app = task.details.get("app") or "/".join(task.model.split("/")[:2])
        return f"/{app}/requests/{task.remote_id}"

    def poll(self, task: RemoteTask) -> TaskReport:
        body, reply = self.call_json(CallKind.READ, "GET", f"{self._request_path(task)}/status")
        word = str(body.get("status") or "")
        state = self.state_of(word)
        if state is not RemoteState.SUCCEEDED:
            return TaskReport(task.remote_id, state, body, word, exchange=reply.exchange)
        return self._result(task)

    def _result(self, task: RemoteTask) -> TaskReport:
        """COMPLETED says only that it ended: the result itself is a file or an error."""
        reply = self.client.call(CallKind.READ, "GET", self._request_path(task), headers=dict(self.auth_headers()))
        if reply.status in (401, 403, 404, 408, 429) or (reply.status >= 500 and not _types(reply.data)):
            error = self.error_from(reply, CallKind.READ)
            raise error or Transient("fal's result could not be read; try again.", exchange=reply.exchange)
        return _final(task.remote_id, reply.data, ok=reply.ok, reply=reply)

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        """A queued request goes at once; a running one gets a signal and may still finish."""
        reply = self.client.call(
            CallKind.WRITE, "PUT", f"{self._request_path(task)}/cancel", headers=dict(self.auth_headers())
        )
        word = str(reply.data.get("status") or "")
        if word == "ALREADY_COMPLETED":
            return CancelOutcome(CancelResult.TOO_LATE, "fal had already finished the request.")
        if word == "CANCELLATION_REQUESTED":
            return CancelOutcome(CancelResult.REQUESTED, "fal was asked to stop; a running request may still finish.")
        raise self.error_from(reply, CallKind.READ) or Transient(
            "fal's answer to the cancel was not understood.", exchange=reply.exchange
        )

    # -- callbacks -------------------------------------------------------------------------------------------

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        lower = {name.lower(): value for name, value in headers.items()}
        names = ("request-id", "user-id", "timestamp", "signature")
        request_id, user, moment, signature = (lower.get(f"x-fal-webhook-{name}", "") for name in names)
        if not all((request_id, user, moment, signature)):
            raise WebhookRejected("The callback is not signed; fal signs every one.")
        if not moment.isdigit() or abs(self.clock().timestamp() - int(moment)) > SKEW_S:
            raise WebhookRejected("The callback's time is more than five minutes from ours; it may be a replay.")
        signed = "\n".join((request_id, user, moment, hashlib.sha256(body).hexdigest())).encode()
        try:
            given = bytes.fromhex(signature)
        except ValueError as error:
            raise WebhookRejected("The callback's signature is not hexadecimal.") from error
        if not any(_fits(key, given, signed) for key in self._public_keys()):
            raise WebhookRejected("The callback's signature does not fit; it was not sent by fal.")

    def _public_keys(self) -> list[Ed25519PublicKey]:
        """fal's present signing keys; the address is fixed, so a callback cannot choose it."""
        reply = self.client.call(CallKind.READ, "GET", f"{self.rest_url}/.well-known/jwks.json")
        keys = []
        for item in objects(reply.data, "keys"):
            if item.get("crv") == "Ed25519":
                text = str(item.get("x") or "")
                try:
                    keys.append(Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "==")))
                except (ValueError, binascii.Error):
                    continue
        return keys

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[TaskReport]:
        try:
            told = as_dict(json.loads(body))
        except ValueError as error:
            raise WebhookRejected("The callback's body is not JSON.") from error
        remote_id = str(told.get("request_id") or "")
        if not remote_id:
            return []
        return [_final(remote_id, as_dict(told.get("payload")), ok=told.get("status") == "OK")]

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        if reply.ok and not reply.data.get("detail"):
            return None
        words, found, code = _words(reply.data), _types(reply.data), str(reply.status)
        told: dict[str, Any] = {"vendor_code": next(iter(found), code), "vendor_message": words}
        if reply.status == 401:
            return CredentialsRejected(f"fal does not accept this key: {words}", **told)
        if reply.status in (402, 403):
            wrong = QuotaExhausted if has_word(words, ("balance", "locked", "exhausted")) else CredentialsRejected
            return wrong(f"fal refuses this account: {words}", **told)
        if reply.status == 429:
            return RateLimited(f"fal is saturated: {words}", retry_after=reply.retry_after, **told)
        if "content_policy_violation" in found:
            return ContentRefused(f"fal refuses this content: {words}", **told)
        if reply.ok or reply.status >= 500:
            lost = OutcomeUnknown if kind is CallKind.SUBMIT else Transient
            return lost(f"fal failed: {words}", **told)
        return InvalidRequest(f"fal finds the request invalid: {words}", **told)


def _fits(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _final(remote_id: str, body: Mapping[str, Any], *, ok: bool, reply: Reply | None = None) -> TaskReport:
    """A finished request: its files, or its error."""
    outputs = _outputs(body) if ok else ()
    error = None if outputs else _failure(body)
    cancelled = error is not None and error.code == "client_cancelled"
    failed = RemoteState.CANCELLED if cancelled else RemoteState.FAILED
    return TaskReport(
        remote_id=remote_id,
        state=RemoteState.SUCCEEDED if outputs else failed,
        raw=dict(body),
        vendor_state="COMPLETED",
        outputs=outputs,
        error=error,
        exchange=reply.exchange if reply else None,
    )


def _outputs(body: Mapping[str, Any]) -> tuple[Output, ...]:
    files = [as_dict(body.get("video")), *objects(body, "videos"), *objects(body, "images")]
    return tuple(
        Output(
            "image" if str(item.get("content_type") or "").startswith("image/") else "video",
            str(item["url"]),
            str(item.get("content_type") or ""),
        )
        for item in files
        if item.get("url")
    )


def _failure(body: Mapping[str, Any]) -> TaskFailure:
    found, words = _types(body), _words(body) or "The request ended without a file."
    code = next(iter(found), "empty")
    if "content_policy_violation" in found:
        return TaskFailure(ErrorKind.CONTENT_REFUSED, code, words)
    passing = not found or any(item in TRANSIENT_TYPES or item.startswith("runner_") for item in found)
    return TaskFailure(ErrorKind.TRANSIENT if passing else ErrorKind.INVALID_REQUEST, code, words)


def _types(body: Mapping[str, Any]) -> list[str]:
    """The machine-readable types of an error, model's or platform's."""
    named = [str(item["type"]) for item in objects(body, "detail") if item.get("type")]
    return [*named, str(body["error_type"])] if body.get("error_type") else named


def _words(body: Mapping[str, Any]) -> str:
    detail = body.get("detail") or body.get("error") or ""
    return (
        "; ".join(str(item.get("msg")) for item in objects(body, "detail")) if isinstance(detail, list) else str(detail)
    )
