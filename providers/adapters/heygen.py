"""HeyGen v3: a presenter speaks a script or a given voice, from an avatar or from a photo.

Reference: https://developers.heygen.com. The older v1 and v2 addresses were promised until 2026-10-31 only and
are not used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

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
from providers.http import CallKind, Reply, Timeouts
from providers.limits import TrafficLimits
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_decimal, as_dict, has_word, objects
from providers.values import (
    Accepted,
    AccountReport,
    Amount,
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
    SecondsRange,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)

PRICED = date(2026, 11, 1)
SPOKEN = SecondsRange(1, 1800, 0.001)
RATIOS = ("16:9", "9:16", "4:5", "5:4", "1:1")
RESOLUTIONS = ("720p", "1080p", "4k")
ABILITIES = frozenset({Feature.WEBHOOK, Feature.FIND_BY_KEY})
PICTURE = PictureLimits(max_bytes=30_000_000, min_side=64, max_side=4096)
ASSET_BYTES = 32_000_000
SKEW_S = 300
# HeyGen measured 31 s at the 99th percentile for a create; its own client waits two minutes.
PATIENCE = Timeouts(connect=5, read=30, submit=120, upload=600)
OPTIONS = frozenset(
    {"voice_id", "avatar_id", "voice_settings", "background", "caption", "motion_prompt", "expressiveness"}
)
CREDENTIAL_CODES = {
    "unauthorized",
    "authentication_failed",
    "forbidden",
    "resource_access_denied",
    "ai_vendor_access_restricted",
    "subscription_required",
    "plan_upgrade_required",
}
QUOTA_CODES = {"insufficient_credit", "quota_exceeded", "trial_limit_exceeded", "resource_limit_reached"}
CONTENT_CODES = {"content_policy_violation", "avatar_not_usable"}
FAULT_CODES = {
    "internal_error",
    "service_unavailable",
    "gateway_timeout",
    "voice_provider_error",
    "resource_not_ready",
}


def _card(model: str, label: str, price: str, large: str, roles: frozenset[InputRole], **more: Any) -> ModelCard:
    return ModelCard(
        id=model,
        version="v3",
        label=label,
        tasks=frozenset({Task.AVATAR_VIDEO}),
        durations=SPOKEN,
        ratios=RATIOS,
        resolutions=RESOLUTIONS,
        supports=ABILITIES,
        input_roles=roles,
        max_prompt_chars=5000,
        price=PerSecond(Decimal(price), "USD", {"720p": Decimal(price), "1080p": Decimal(price), "4k": Decimal(large)}),
        facts=Facts.DOC,
        prices_as_of=PRICED,
        **more,
    )


class HeyGenAdapter(RemoteAdapter):
    """Creates by ``POST /v3/videos`` under an Idempotency-Key, polls ``GET /v3/videos/{id}``."""

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
        "completed": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
    }
    models = (
        _card(
            "heygen-avatar-iv",
            "HeyGen Avatar IV",
            "0.0667",
            "0.0833",
            frozenset({InputRole.AUDIO}),
            speed_s_per_s=20.0,
            quality=8,
        ),
        _card(
            "heygen-avatar-iii",
            "HeyGen Avatar III",
            "0.0167",
            "0.02",
            frozenset({InputRole.AUDIO}),
            speed_s_per_s=12.0,
            quality=6,
        ),
        _card(
            "heygen-photo-avatar-iv",
            "HeyGen photo avatar",
            "0.05",
            "0.0667",
            frozenset({InputRole.FIRST_FRAME, InputRole.AUDIO}),
            speed_s_per_s=20.0,
            quality=7,
        ),
    )
    engines: Mapping[str, str] = {"heygen-avatar-iv": "avatar_iv", "heygen-avatar-iii": "avatar_iii"}

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

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Photo and voice are uploaded as assets and named by their ids."""
        staged = []
        for item in inputs:
            if item.role is InputRole.FIRST_FRAME:
                picture = prepare_picture(item.path, PICTURE)
                asset = self._upload("photo.jpg", picture.data, picture.media_type)
            elif item.role is InputRole.AUDIO:
                asset = self._upload(item.path.name, item.path.read_bytes(), item.media_type)
            else:
                raise Unsupported(f"HeyGen takes a photo or a voice here, not {item.role.value} files.")
            staged.append(StagedInput(item.role, asset, item.media_type))
        return StagedInputs(tuple(staged))

    def _upload(self, name: str, data: bytes, media_type: str) -> str:
        if len(data) > ASSET_BYTES:
            raise InvalidRequest(f"{name} has more than 32 MB, HeyGen's limit; use a smaller file.")
        body, reply = self.call_json(CallKind.WRITE, "POST", "/v3/assets", files={"file": (name, data, media_type)})
        asset = str(as_dict(body.get("data")).get("asset_id") or "")
        if not asset:
            raise Transient("HeyGen took the file without naming it; try again.", exchange=reply.exchange)
        return asset

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        body = self._body(request, staged, idempotency_key, callback_url)
        answer, reply = self.call_json(
            CallKind.SUBMIT, "POST", "/v3/videos", body=body, headers={"Idempotency-Key": idempotency_key}
        )
        remote_id = str(as_dict(answer.get("data")).get("video_id") or "")
        if not remote_id:
            raise OutcomeUnknown("HeyGen accepted the call without naming a video.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {}, reply.exchange)

    def _body(self, request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str) -> dict[str, Any]:
        options = request.options
        unknown = set(options) - OPTIONS
        if unknown or request.seed is not None or request.negative_prompt:
            named = ", ".join(sorted(unknown)) or "seed or negative prompt"
            raise Unsupported(f"HeyGen knows no {named} for presenters; remove it.")
        body: dict[str, Any] = {
            # The title is our key: videos can be listed by it when an answer was lost.
            "title": key,
            "callback_id": key,
            "resolution": request.resolution,
            "aspect_ratio": request.ratio,
            "fit": "cover",
        }
        if callback_url:
            body["callback_url"] = callback_url
        body.update({name: options[name] for name in OPTIONS - {"avatar_id"} if options.get(name)})
        body.update(self._presenter(request, staged))
        voice = staged.get(InputRole.AUDIO)
        if voice is not None:
            body["audio_asset_id"] = voice.value
        elif request.prompt.strip():
            body["script"] = request.prompt
        else:
            raise InvalidRequest("A presenter needs a script or a voice file; add one.")
        return body

    def _presenter(self, request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
        photo = staged.get(InputRole.FIRST_FRAME)
        if request.model == "heygen-photo-avatar-iv":
            if photo is None:
                raise InvalidRequest("The photo avatar needs a photo; add one or choose an avatar model.")
            return {"type": "image", "image": {"type": "asset_id", "asset_id": photo.value}}
        if not request.options.get("avatar_id"):
            raise InvalidRequest("Name the avatar's look in options.avatar_id, as HeyGen lists it.")
        engine = {"type": self.engines[request.model]}
        return {"type": "avatar", "avatar_id": str(request.options["avatar_id"]), "engine": engine}

    def poll(self, task: RemoteTask) -> TaskReport:
        body, reply = self.call_json(CallKind.READ, "GET", f"/v3/videos/{task.remote_id}")
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
            error=_failure(data) if state is RemoteState.FAILED else None,
            cost=self._cost(task, data) if done else None,
            idempotency_key=str(data.get("title") or ""),
            exchange=reply.exchange,
        )

    def _cost(self, task: RemoteTask, data: Mapping[str, Any]) -> Amount | None:
        """HeyGen names no price; it charges the length that came out."""
        seconds = as_decimal(data.get("duration"))
        if seconds is None or not task.model:
            return None
        price = self.priced(task.model).price
        return Amount(price.total(seconds=seconds, tier="1080p"), price.currency)

    def find_by_key(self, idempotency_key: str, *, request: GenerationRequest | None = None) -> RemoteTask | None:
        params = {"title": idempotency_key, "limit": 100}
        body, _ = self.call_json(CallKind.READ, "GET", "/v3/videos", params=params)
        for item in objects(body, "data"):
            if item.get("title") == idempotency_key:
                found = str(item.get("id") or item.get("video_id") or "")
                return RemoteTask(found, Task.AVATAR_VIDEO, request.model if request else "")
        return None

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
        states = {"avatar_video.success": RemoteState.SUCCEEDED, "avatar_video.fail": RemoteState.FAILED}
        if kind not in states:
            return []
        state = states[kind]
        return [
            TaskReport(
                remote_id=str(data.get("video_id") or ""),
                state=state,
                raw=told,
                vendor_state=kind,
                outputs=_outputs(data) if state is RemoteState.SUCCEEDED else (),
                error=_failure(data) if state is RemoteState.FAILED else None,
                idempotency_key=str(data.get("callback_id") or ""),
            )
        ]

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        error = as_dict(reply.data.get("error"))
        code, words = str(error.get("code") or ""), str(error.get("message") or "")
        return _error_of(code, words, reply, kind) if code else None


def _error_of(code: str, words: str, reply: Reply, kind: CallKind) -> ProviderError:
    told: dict[str, Any] = {"vendor_code": code, "vendor_message": words}
    if code in CREDENTIAL_CODES:
        return CredentialsRejected(f"HeyGen does not allow this key: {words}.", **told)
    if code in QUOTA_CODES:
        return QuotaExhausted(f"The HeyGen account has nothing left: {words}. Top it up.", **told)
    if code in CONTENT_CODES:
        return ContentRefused(f"HeyGen refuses this content: {words}.", **told)
    if code == "rate_limit_exceeded":
        return RateLimited(f"HeyGen is saturated: {words}.", retry_after=reply.retry_after, **told)
    if code == "request_in_progress" and kind is CallKind.SUBMIT:
        return OutcomeUnknown("HeyGen is still working on this key; look the video up.", **told)
    if code in FAULT_CODES or reply.status >= 500 or reply.ok:
        if kind is CallKind.SUBMIT:
            return OutcomeUnknown(f"HeyGen failed ({words}); the video may exist. Look it up.", **told)
        return Transient(f"HeyGen failed: {words}. Try again later.", **told)
    return InvalidRequest(f"HeyGen finds the request invalid: {words}.", **told)


def _outputs(data: Mapping[str, Any]) -> tuple[Output, ...]:
    url = data.get("captioned_video_url") or data.get("video_url") or data.get("url")
    outputs = [Output("video", str(url), "video/mp4")] if url else []
    if data.get("subtitle_url"):
        outputs.append(Output("captions", str(data["subtitle_url"]), "application/x-subrip"))
    return tuple(outputs)


def _failure(data: Mapping[str, Any]) -> TaskFailure:
    """Codes of failed videos are those of the errors, and older ones in capitals; money can fail here too."""
    code = str(data.get("failure_code") or data.get("code") or "")
    words = str(data.get("failure_message") or data.get("msg") or data.get("error") or "no reason given")
    if code in CONTENT_CODES or has_word(code + words, ("policy", "moderation")):
        return TaskFailure(ErrorKind.CONTENT_REFUSED, code, words)
    if code in QUOTA_CODES or "INSUFFICIENT_CREDIT" in code:
        return TaskFailure(ErrorKind.QUOTA_EXHAUSTED, code, words)
    known_fault = code in FAULT_CODES or not code
    return TaskFailure(ErrorKind.TRANSIENT if known_fault else ErrorKind.INVALID_REQUEST, code, words)
