"""HeyGen v3: presenters, clips from words and pictures, the Video Agent, speech, uploads, webhook endpoints.

Reference: https://developers.heygen.com. The older v1 and v2 addresses were promised until 2026-10-31 only and
are not used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.base import RemoteAdapter
from providers.errors import InvalidRequest, OutcomeUnknown, ProviderError, Transient, Unsupported, WebhookRejected
from providers.heygen_errors import error_of, failure_of
from providers.heygen_models import (
    AGENT,
    CLIP,
    MODELS,
    SPEECH,
    agent_body,
    check_options,
    clip_body,
    presenter_body,
    read_voice,
    speech_body,
    spoken_seconds,
)
from providers.http import CallKind, Reply, Timeouts
from providers.limits import TrafficLimits
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_decimal, as_dict, objects
from providers.spool import require_sink, write_json
from providers.values import (
    Accepted,
    AccountReport,
    Amount,
    Estimate,
    Finished,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskReport,
)
from providers.voice_values import Voice

PICTURE = PictureLimits(max_bytes=30_000_000, min_side=64, max_side=4096)
ASSET_BYTES = 32_000_000
SKEW_S = 300
# HeyGen measured 31 s at the 99th percentile for a create; its own client waits two minutes.
PATIENCE = Timeouts(connect=5, read=30, submit=120, upload=600)
SESSION = "session:"
"""Marks the id of an agent's session whose video has no id yet."""
OUTCOMES = {
    f"{kind}.{end}": state
    for kind in ("avatar_video", "video_agent")
    for end, state in (("success", RemoteState.SUCCEEDED), ("fail", RemoteState.FAILED))
}


class HeyGenAdapter(RemoteAdapter):
    """Creates by ``POST /v3/videos``, ``/v3/models/videos`` and ``/v3/video-agents`` under an Idempotency-Key."""

    name = "heygen"
    label = "HeyGen"
    docs_url = "https://developers.heygen.com"
    live_url = "https://api.heygen.com"
    credential_fields = ("api_key", "webhook_secret")
    unknown_window = timedelta(hours=1)
    poll_interval = timedelta(seconds=10)
    traffic = TrafficLimits(parallel=10)  # pay as you go; requests a minute are not published
    can_find_by_key = True
    states = {
        "waiting": RemoteState.QUEUED,
        "pending": RemoteState.QUEUED,
        "queued": RemoteState.QUEUED,
        "processing": RemoteState.RUNNING,
        "thinking": RemoteState.RUNNING,
        "generating": RemoteState.RUNNING,
        "completed": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
        "cancelled": RemoteState.CANCELLED,
    }
    models = MODELS
    lists_voices = True

    def __init__(self, *, timeouts: Timeouts | None = None, **injected: Any) -> None:
        super().__init__(timeouts=timeouts or PATIENCE, **injected)

    def auth_headers(self) -> Mapping[str, str]:
        return {"x-api-key": self.credential("api_key")}

    def check_credentials(self) -> AccountReport:
        body, _ = self.call_json(CallKind.READ, "GET", "/v3/users/me")
        data = as_dict(body.get("data"))
        wallet = as_dict(data.get("wallet"))
        left = as_decimal(wallet.get("remaining_balance"))
        unit = "USD" if wallet.get("currency") == "usd" else "hg-cred"
        balance = None if left is None else Amount(left, unit)
        words = f"{left:f} {unit} left." if left is not None else f"Billed by {data.get('billing_type') or 'plan'}."
        return AccountReport(True, words, balance, {"billing_type": data.get("billing_type")})

    def voices(self, search: str = "") -> list[Voice]:
        """All voices that HeyGen lists, page by page; ``search`` looks in their names."""
        pages = self.read_pages("/v3/voices", {"limit": "100"}, told="next_token", asked="token")
        found = [read_voice(item) for page in pages for item in objects(page, "data")]
        return [voice for voice in found if search.casefold() in voice.name.casefold()]

    def estimate(self, request: GenerationRequest) -> Estimate:
        found = super().estimate(request)
        said = {
            AGENT: f"The agent decides the length; about {found.billed_seconds:f} s are asked for in words.",
            SPEECH: f"Speech is charged by its length; about {found.billed_seconds:.1f} s are expected of this text.",
        }
        note = said.get(request.model)
        return replace(found, notes=(*found.notes, note)) if note else found

    def billed_seconds(self, card: ModelCard, request: GenerationRequest) -> Decimal:
        return spoken_seconds(request) if card.id == SPEECH else super().billed_seconds(card, request)

    # -- files -----------------------------------------------------------------------------------------------

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Files are uploaded as assets and named by their ids. A clip follows its first frame, so that is shaped."""
        staged = []
        for item in inputs:
            if item.role is InputRole.FIRST_FRAME:
                picture = prepare_picture(item.path, PICTURE, ratio=ratio)
                asset = self._upload("photo.jpg", picture.data, picture.media_type)
            elif item.role in (InputRole.AUDIO, InputRole.REFERENCE):
                asset = self._upload_file(item)
            else:
                raise Unsupported(f"HeyGen takes photos, voices and references here, not {item.role.value} files.")
            staged.append(StagedInput(item.role, asset, item.media_type))
        return StagedInputs(tuple(staged))

    def _upload_file(self, item: InputAsset) -> str:
        if item.path.stat().st_size > ASSET_BYTES:
            return self._upload_direct(item)
        return self._upload(item.path.name, item.path.read_bytes(), item.media_type)

    def _upload(self, name: str, data: bytes, media_type: str) -> str:
        body, reply = self.call_json(CallKind.WRITE, "POST", "/v3/assets", files={"file": (name, data, media_type)})
        return self._asset_id(body, reply)

    def _asset_id(self, body: Mapping[str, Any], reply: Reply) -> str:
        asset = str(as_dict(body.get("data")).get("asset_id") or "")
        if not asset:
            raise Transient("HeyGen took the file without naming it; try again.", exchange=reply.exchange)
        return asset

    def _upload_direct(self, item: InputAsset) -> str:
        """Past 32 MB the bytes go straight to HeyGen's storage, whose address is signed: our key does not go there."""
        size = item.path.stat().st_size
        asked = {"filename": item.path.name, "content_type": item.media_type, "size_bytes": size}
        asked["checksum_sha256"] = item.sha256
        body, reply = self.call_json(CallKind.WRITE, "POST", "/v3/assets/direct-uploads", body=asked)
        place, asset = as_dict(body.get("data")), self._asset_id(body, reply)
        limit, url = as_decimal(place.get("max_bytes")), str(place.get("upload_url") or "")
        if limit is not None and size > limit:
            raise InvalidRequest(f"{item.path.name} has {size} bytes; HeyGen takes {limit:f}. Use a smaller file.")
        if not url:
            raise Transient("HeyGen named no place for the upload; try again.", exchange=reply.exchange)
        headers = {name: str(value) for name, value in as_dict(place.get("upload_headers")).items()}
        with item.path.open("rb") as file:
            sent = self.client.call(CallKind.WRITE, "PUT", url, headers=headers, data=file)
        if not sent.ok:
            raise Transient(f"HeyGen's storage answered {sent.status}; upload again.", exchange=sent.exchange)
        self.call_json(CallKind.WRITE, "POST", f"/v3/assets/{asset}/complete", body={"checksum_sha256": item.sha256})
        return asset

    # -- the paid calls --------------------------------------------------------------------------------------

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted | Finished:
        check_options(request)
        if request.model == SPEECH:
            return self._speak(request, idempotency_key, require_sink(sink))
        path, body = self._create(request, staged, idempotency_key)
        if callback_url and request.model != CLIP:  # the event that a clip ends with is not published
            body["callback_url"] = callback_url
        answer, reply = self._paid(path, body, idempotency_key)
        data = as_dict(answer.get("data"))
        remote_id = str(data.get("video_id") or "")
        if not remote_id and data.get("session_id"):
            remote_id = f"{SESSION}{data['session_id']}"
        if not remote_id:
            raise OutcomeUnknown("HeyGen accepted the call without naming a video.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {"resolution": request.resolution}, reply.exchange)

    def _create(self, request: GenerationRequest, staged: StagedInputs, key: str) -> tuple[str, dict[str, Any]]:
        if request.model == CLIP:
            return "/v3/models/videos", clip_body(request, staged)
        if request.model == AGENT:
            return "/v3/video-agents", {**agent_body(request, staged), "callback_id": key}
        # The title is our key: videos can be listed by it when an answer was lost.
        return "/v3/videos", {**presenter_body(request, staged), "title": key, "callback_id": key}

    def _paid(self, path: str, body: Mapping[str, Any], key: str) -> tuple[dict[str, Any], Reply]:
        return self.call_json(CallKind.SUBMIT, "POST", path, body=body, headers={"Idempotency-Key": key})

    def _speak(self, request: GenerationRequest, key: str, sink: Path) -> Finished:
        """Speech is charged when it is answered; a file that then does not come is an unknown outcome."""
        answer, reply = self._paid("/v3/voices/speech", speech_body(request), key)
        data = as_dict(answer.get("data"))
        url, seconds = str(data.get("audio_url") or ""), as_decimal(data.get("duration"))
        if not url:
            raise OutcomeUnknown("HeyGen answered without sound; the call may be charged.", exchange=reply.exchange)
        try:
            artefacts = [self.fetch_from(self.base_url, url, Output("speech", url), 0, sink)]
        except ProviderError as error:
            raise OutcomeUnknown(
                f"HeyGen made the speech and charged it, but its file did not come: {error}", exchange=reply.exchange
            ) from error
        words = objects(data, "word_timestamps")
        if words:
            timings = [{"text": item.get("word"), "start": item.get("start"), "end": item.get("end")} for item in words]
            artefacts.append(write_json(sink, "timings-0.json", {"words": timings}, kind="timings"))
        price = self.priced(SPEECH).price if seconds is not None else None
        cost = Amount(price.total(seconds=seconds), price.currency) if price and seconds is not None else None
        return Finished(
            tuple(artefacts), str(data.get("request_id") or ""), cost=cost, raw=data, exchange=reply.exchange
        )

    # -- where a task stands ---------------------------------------------------------------------------------

    def poll(self, task: RemoteTask) -> TaskReport:
        if task.remote_id.startswith(SESSION):
            return self._poll_session(task)
        kind = "models/videos" if task.model == CLIP else "videos"
        return self._video(task, f"/v3/{kind}/{task.remote_id}")

    def _poll_session(self, task: RemoteTask) -> TaskReport:
        """An agent thinks before its video has an id; from then on the video says where it stands."""
        path = f"/v3/video-agents/{task.remote_id.removeprefix(SESSION)}"
        body, reply = self.call_json(CallKind.READ, "GET", path)
        data = as_dict(body.get("data"))
        if data.get("video_id"):
            return self._video(task, f"/v3/videos/{data['video_id']}")
        word = str(data.get("status") or "")
        state = self.state_of(word)
        return TaskReport(
            remote_id=task.remote_id,
            state=RemoteState.UNKNOWN if state is RemoteState.SUCCEEDED else state,
            raw=data,
            vendor_state=word,
            error=failure_of(data) if state is RemoteState.FAILED else None,
            exchange=reply.exchange,
        )

    def _video(self, task: RemoteTask, path: str) -> TaskReport:
        body, reply = self.call_json(CallKind.READ, "GET", path)
        data = as_dict(body.get("data"))
        word = str(data.get("status") or "")
        state = self.state_of(word)
        done = state is RemoteState.SUCCEEDED
        return TaskReport(
            remote_id=task.remote_id,
            state=state,
            raw=data,
            vendor_state=word,
            outputs=_outputs(data) if done else (),
            error=failure_of(data) if state is RemoteState.FAILED else None,
            cost=self._cost(task, data) if done else None,
            idempotency_key=str(data.get("title") or "") if task.model not in (CLIP, AGENT) else "",
            exchange=reply.exchange,
        )

    def _cost(self, task: RemoteTask, data: Mapping[str, Any]) -> Amount | None:
        """HeyGen names no price; it charges the length that came out."""
        seconds = as_decimal(data.get("duration"))
        if seconds is None or not task.model:
            return None
        price = self.priced(task.model).price
        return Amount(price.total(seconds=seconds, tier=task.details.get("resolution", "1080p")), price.currency)

    def find_by_key(self, idempotency_key: str, *, request: GenerationRequest | None = None) -> RemoteTask | None:
        if request is not None and request.model in (CLIP, AGENT, SPEECH):
            raise Unsupported("HeyGen lists only presenters by our key; this one is counted as spent if it stays lost.")
        params = {"title": idempotency_key, "limit": 100}
        body, _ = self.call_json(CallKind.READ, "GET", "/v3/videos", params=params)
        for item in objects(body, "data"):
            if item.get("title") == idempotency_key:
                found = str(item.get("id") or item.get("video_id") or "")
                details = {"resolution": request.resolution} if request else {}
                return RemoteTask(found, Task.AVATAR_VIDEO, request.model if request else "", details)
        return None

    # -- callbacks -------------------------------------------------------------------------------------------

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        lower = {name.lower(): value for name, value in headers.items()}
        secret, moment = self.credentials.get("webhook_secret", ""), lower.get("heygen-timestamp", "")
        if not secret:
            raise WebhookRejected("No HeyGen webhook secret is kept here; add the one shown when it was made.")
        if not moment.isdigit() or abs(self.clock().timestamp() - int(moment)) > SKEW_S:
            raise WebhookRejected("The callback has no time or is more than five minutes off.")
        wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, lower.get("heygen-signature", "")):
            raise WebhookRejected("The callback's signature does not fit; it was not sent by HeyGen.")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[TaskReport]:
        try:
            told = as_dict(json.loads(body))
        except ValueError as error:
            raise WebhookRejected("The callback's body is not JSON.") from error
        kind, data = str(told.get("event_type") or ""), as_dict(told.get("event_data"))
        state = OUTCOMES.get(kind)
        if state is None:
            return []
        return [
            TaskReport(
                remote_id=str(data.get("video_id") or ""),
                state=state,
                raw=told,
                vendor_state=kind,
                outputs=_outputs(data) if state is RemoteState.SUCCEEDED else (),
                error=failure_of(data) if state is RemoteState.FAILED else None,
                idempotency_key=str(data.get("callback_id") or ""),
            )
        ]

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        error = as_dict(reply.data.get("error"))
        code, words = str(error.get("code") or ""), str(error.get("message") or "")
        return error_of(code, words, reply, kind) if code else None


def _outputs(data: Mapping[str, Any]) -> tuple[Output, ...]:
    url = data.get("captioned_video_url") or data.get("video_url") or data.get("url")
    outputs = [Output("video", str(url), "video/mp4")] if url else []
    if data.get("subtitle_url"):
        outputs.append(Output("captions", str(data["subtitle_url"]), "application/x-subrip"))
    return tuple(outputs)
