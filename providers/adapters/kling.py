"""Kling AI: text and image to video over its new design, and over the legacy one for access-key accounts.

Reference: https://kling.ai/document-api. Facts, their confidence and what the reference leaves open are in
``docs/providers/kling.md``.
"""

from __future__ import annotations

import base64
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
from providers.http import CallKind, Reply
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
    Rate,
    RemoteState,
    RemoteTask,
    SecondsRange,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)
from providers.webhooks import verify_standard_webhook

UNIT = Rate("kl-unit", Decimal("0.14"), date(2026, 9, 1))
BOTH_TASKS = frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO})
FRAMES = frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME})
COMMON = frozenset({Feature.WEBHOOK, Feature.FIND_BY_KEY, Feature.LAST_FRAME})
RATIOS = ("16:9", "9:16", "1:1")
PICTURE = PictureLimits(max_bytes=10_000_000, min_side=300, max_side=4096, max_shape=2.5)
LEGACY_NAMES = {"kling-3.0": "kling-v3", "kling-2.6": "kling-v2-6", "kling-2.5-turbo": "kling-v2-5-turbo"}
LEGACY_MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}
LEGACY_KINDS = {Task.TEXT_TO_VIDEO: "text2video", Task.IMAGE_TO_VIDEO: "image2video"}
NEW_KINDS = {Task.TEXT_TO_VIDEO: "text-to-video", Task.IMAGE_TO_VIDEO: "image-to-video"}
TOKEN_LIFETIME_S = 1800
CLOCK_SLACK_S = 5
CONTENT_WORDS = ("risk control", "safety", "policy", "sensitive", "content", "moderation")


def _price(base: str, **tiers: str) -> PerSecond:
    named = {name.lstrip("_").replace("_audio", "+audio"): Decimal(value) for name, value in tiers.items()}
    return PerSecond(Decimal(base), "USD", named)


class KlingAdapter(RemoteAdapter):
    """Submits to ``/text-to-video`` and ``/image-to-video``, polls ``/tasks``, finds by ``external_task_id``."""

    name = "kling"
    label = "KlingAI"
    docs_url = "https://kling.ai/document-api"
    live_url = "https://api-singapore.klingai.com"
    credential_fields = ("api_key", "access_key", "secret_key", "webhook_secret")
    unknown_window = timedelta(hours=1)
    poll_interval = timedelta(seconds=5)
    can_find_by_key = True
    states = {
        "submitted": RemoteState.QUEUED,
        "processing": RemoteState.RUNNING,
        "succeeded": RemoteState.SUCCEEDED,
        "succeed": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
    }
    models = (
        ModelCard(
            id="kling-3.0",
            version="kling-3.0",
            label="KlingAI 3.0",
            tasks=BOTH_TASKS,
            durations=SecondsRange(3, 15),
            ratios=RATIOS,
            resolutions=("720p", "1080p", "4k"),
            supports=COMMON | {Feature.NATIVE_AUDIO},
            input_roles=FRAMES,
            max_prompt_chars=2500,
            price=_price(
                "0.112",
                _720p="0.084",
                _1080p="0.112",
                _4k="0.42",
                _720p_audio="0.126",
                _1080p_audio="0.168",
                _4k_audio="0.42",
            ),
            rate=UNIT,
            speed_s_per_s=23.0,
            quality=9,
            facts=Facts.DOC,
            prices_as_of=date(2026, 9, 1),
        ),
        ModelCard(
            id="kling-3.0-turbo",
            version="kling-3.0-turbo",
            label="KlingAI 3.0 Turbo",
            tasks=BOTH_TASKS,
            durations=SecondsRange(3, 15),
            ratios=RATIOS,
            resolutions=("720p", "1080p"),
            supports=COMMON,
            input_roles=FRAMES,
            max_prompt_chars=2500,
            price=_price("0.14", _720p="0.112", _1080p="0.14"),
            rate=UNIT,
            speed_s_per_s=10.0,
            quality=8,
            facts=Facts.CODE,
            unverified=True,
            prices_as_of=date(2026, 9, 1),
        ),
        ModelCard(
            id="kling-2.6",
            version="kling-2.6",
            label="KlingAI 2.6",
            tasks=BOTH_TASKS,
            durations=(5, 10),
            ratios=RATIOS,
            resolutions=("720p", "1080p"),
            supports=COMMON,
            input_roles=FRAMES,
            price=_price("0.07", _720p="0.042", _1080p="0.07"),
            rate=UNIT,
            speed_s_per_s=18.0,
            quality=7,
            facts=Facts.DOC,
            prices_as_of=date(2026, 9, 1),
        ),
        ModelCard(
            id="kling-2.5-turbo",
            version="kling-2.5-turbo",
            label="KlingAI 2.5 Turbo",
            tasks=BOTH_TASKS,
            durations=(5, 10),
            ratios=RATIOS,
            resolutions=("720p", "1080p"),
            supports=COMMON,
            input_roles=FRAMES,
            price=_price("0.07", _720p="0.042", _1080p="0.07"),
            rate=UNIT,
            speed_s_per_s=10.0,
            quality=6,
            facts=Facts.CODE,
            unverified=True,
            prices_as_of=date(2026, 9, 1),
        ),
    )

    # -- signing in ------------------------------------------------------------------------------------------

    @property
    def is_legacy(self) -> bool:
        """Access-key accounts have the legacy design only."""
        return not self.credentials.get("api_key") and bool(self.credentials.get("access_key"))

    def auth_headers(self) -> Mapping[str, str]:
        token = self._token() if self.is_legacy else self.credential("api_key")
        return {"Authorization": f"Bearer {token}"}

    def _token(self) -> str:
        """A fresh HS256 token a call: 30 minutes long, valid from five seconds ago against clock skew."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.credential("access_key"),
            "exp": now + TOKEN_LIFETIME_S,
            "nbf": now - CLOCK_SLACK_S,
        }
        signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
        key = self.credential("secret_key").encode()
        return f"{signed}.{_base64url(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"

    def check_credentials(self) -> AccountReport:
        """Ask for the account's packs: free, at most once a second."""
        end = int(self.clock().timestamp() * 1000)
        start = end - 30 * 86_400_000
        times = {"start_time": start, "end_time": end}
        body, _ = self.call_json(CallKind.READ, "GET", "/account/costs", params=times)
        packs = objects(as_dict(body.get("data")), "resource_pack_subscribe_infos")
        left = sum((as_decimal(pack.get("remaining_quantity")) or Decimal(0) for pack in packs), Decimal(0))
        words = f"{len(packs)} resource packs, {left:f} units left (up to 12 hours old)."
        return AccountReport(True, words, Amount(left, UNIT.unit), body)

    # -- the paid call ---------------------------------------------------------------------------------------

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures go inline as bare base64, cropped to the asked ratio: the output follows the first frame."""
        staged = []
        for item in inputs:
            if item.role not in FRAMES:
                raise Unsupported(f"KlingAI takes first and last frames here, not {item.role.value} files.")
            picture = prepare_picture(item.path, PICTURE, ratio=ratio)
            staged.append(StagedInput(item.role, base64.b64encode(picture.data).decode(), picture.media_type))
        return StagedInputs(tuple(staged))

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        self._refuse(request, staged)
        build = self._legacy_call if self.is_legacy else self._new_call
        path, body = build(request, staged, idempotency_key, callback_url)
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", path, body=body)
        data = as_dict(answer.get("data"))
        remote_id = str(data.get("id") or data.get("task_id") or "")
        if not remote_id:
            raise OutcomeUnknown("KlingAI accepted the call without naming a task.", exchange=reply.exchange)
        return Accepted(remote_id, answer, self._details(request.task), reply.exchange)

    def _refuse(self, request: GenerationRequest, staged: StagedInputs) -> None:
        """What cannot be expressed is said before money moves."""
        if request.negative_prompt and not self.is_legacy:
            raise Unsupported("This KlingAI design has no negative prompt; snap the request to its card first.")
        if request.seed is not None:
            raise Unsupported("KlingAI takes no seed; snap the request to its card first.")
        if request.task is Task.IMAGE_TO_VIDEO and staged.get(InputRole.FIRST_FRAME) is None:
            raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
        if request.duration_s != int(request.duration_s):
            raise InvalidRequest(f"KlingAI makes whole seconds, not {request.duration_s:g}; snap the request first.")
        unknown = set(request.options) - {"audio", "multi_shot", "watermark"}
        if unknown:
            raise Unsupported(f"KlingAI knows no option {', '.join(sorted(unknown))}; remove it.")

    def _new_call(
        self, request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str
    ) -> tuple[str, dict[str, Any]]:
        settings: dict[str, Any] = {"resolution": request.resolution, "duration": int(request.duration_s)}
        audio = self.price_tier(request).endswith("+audio")
        if Feature.NATIVE_AUDIO in self.card(request.model).supports:
            settings["audio"] = "native" if audio else "off"
        elif audio:
            raise Unsupported(f"{self.card(request.model).label} makes no sound here; ask for it without audio.")
        if "multi_shot" in request.options:
            settings["multi_shot"] = bool(request.options["multi_shot"])
        body: dict[str, Any] = {"settings": settings, "options": {"external_task_id": key}}
        if callback_url:
            body["options"]["callback_url"] = callback_url
        if request.options.get("watermark"):
            body["options"]["watermark_info"] = {"enabled": True}
        if request.task is Task.TEXT_TO_VIDEO:
            settings["aspect_ratio"] = request.ratio
            body["prompt"] = request.prompt
        else:
            frames = [{"type": item.role.value, "url": item.value} for item in staged.items]
            body["contents"] = [{"type": "prompt", "text": request.prompt}, *frames]
        return f"/{NEW_KINDS[request.task]}/{request.model}", body

    def _legacy_call(
        self, request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str
    ) -> tuple[str, dict[str, Any]]:
        if request.model not in LEGACY_NAMES:
            raise Unsupported(f"{request.model} exists only with an API key; add one under Providers.")
        body: dict[str, Any] = {
            "model_name": LEGACY_NAMES[request.model],
            "prompt": request.prompt,
            "mode": LEGACY_MODES[request.resolution],
            "duration": str(int(request.duration_s)),
            "external_task_id": key,
        }
        if self.price_tier(request).endswith("+audio"):
            body["sound"] = "on"
        if request.negative_prompt:
            body["negative_prompt"] = request.negative_prompt
        if callback_url:
            body["callback_url"] = callback_url
        if request.task is Task.TEXT_TO_VIDEO:
            body["aspect_ratio"] = request.ratio
        names = {InputRole.FIRST_FRAME: "image", InputRole.LAST_FRAME: "image_tail"}
        body.update({names[item.role]: item.value for item in staged.items})
        return f"/v1/videos/{LEGACY_KINDS[request.task]}", body

    def _details(self, task: Task) -> dict[str, str]:
        return {"design": "legacy", "kind": LEGACY_KINDS[task]} if self.is_legacy else {"design": "new"}

    # -- after it --------------------------------------------------------------------------------------------

    def poll(self, task: RemoteTask) -> TaskReport:
        if task.details.get("design") == "legacy":
            path = f"/v1/videos/{task.details['kind']}/{task.remote_id}"
            body, reply = self.call_json(CallKind.READ, "GET", path)
            return self._report(as_dict(body.get("data")), reply)
        body, reply = self.call_json(CallKind.READ, "GET", "/tasks", params={"task_ids": task.remote_id})
        for item in objects(body, "data"):
            if str(item.get("id")) == task.remote_id:
                return self._report(item, reply)
        raise InvalidRequest(f"KlingAI knows no task {task.remote_id}.", exchange=reply.exchange)

    def find_by_key(self, idempotency_key: str, *, request: GenerationRequest | None = None) -> RemoteTask | None:
        task = request.task if request else Task.TEXT_TO_VIDEO
        model = request.model if request else ""
        if self.is_legacy:
            found = self._find_legacy(idempotency_key, task)
        else:
            keys = {"external_task_ids": idempotency_key}
            body, _ = self.call_json(CallKind.READ, "GET", "/tasks", params=keys)
            found = next((str(item.get("id")) for item in objects(body, "data")), "")
        return RemoteTask(found, task, model, self._details(task)) if found else None

    def _find_legacy(self, key: str, task: Task) -> str:
        try:
            body, _ = self.call_json(CallKind.READ, "GET", f"/v1/videos/{LEGACY_KINDS[task]}/{key}")
        except InvalidRequest as error:
            if error.vendor_code in ("1201", "1203"):
                return ""
            raise
        return str(as_dict(body.get("data")).get("task_id") or "")

    def _report(self, data: Mapping[str, Any], reply: Reply | None = None) -> TaskReport:
        """The same report from a poll or a callback, in either design."""
        word = str(data.get("status") or data.get("task_status") or "")
        state = self.state_of(word)
        info = as_dict(data.get("task_info"))
        return TaskReport(
            remote_id=str(data.get("id") or data.get("task_id") or ""),
            state=state,
            raw=dict(data),
            vendor_state=word,
            outputs=_outputs(data) if state is RemoteState.SUCCEEDED else (),
            error=_failure(data) if state is RemoteState.FAILED else None,
            cost=_cost(data),
            idempotency_key=str(data.get("external_id") or info.get("external_task_id") or ""),
            exchange=reply.exchange if reply else None,
        )

    # -- callbacks -------------------------------------------------------------------------------------------

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        secret = self.credentials.get("webhook_secret", "")
        if not secret:
            raise WebhookRejected("No KlingAI webhook secret is kept here; make one in Kling's console and add it.")
        verify_standard_webhook(secret, headers, body, now=self.clock())

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[TaskReport]:
        try:
            data = json.loads(body)
        except ValueError as error:
            raise WebhookRejected("The callback's body is not JSON.") from error
        return [self._report(data)] if isinstance(data, dict) else []

    # -- errors ----------------------------------------------------------------------------------------------

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        """Kling's service code decides, whatever the HTTP status; 429 alone does not mean retry."""
        code, words = reply.data.get("code"), str(reply.data.get("message") or "")
        if not isinstance(code, int) or (code == 0 and reply.ok):
            return None
        return _error_of(code, words, reply, kind)


def _error_of(code: int, words: str, reply: Reply, kind: CallKind) -> ProviderError:
    told: dict[str, Any] = {"vendor_code": str(code), "vendor_message": words}
    if code in (1000, 1001, 1002, 1003, 1004, 1103, 1304, 1100):
        return CredentialsRejected(f"KlingAI does not accept this account or key: {words}.", **told)
    if code in (1101, 1102):
        return QuotaExhausted(f"The KlingAI account has nothing left: {words}. Top it up.", **told)
    if code in (1302, 1303):
        return RateLimited(f"KlingAI is saturated: {words}.", retry_after=reply.retry_after, **told)
    if code in (1300, 1301):
        return ContentRefused(f"KlingAI refuses this content: {words}. Change the prompt or the picture.", **told)
    if code == 1201 and "external_task_id" in words and kind is CallKind.SUBMIT:
        return OutcomeUnknown("KlingAI already has a task with our key; look it up.", **told)
    if 1200 <= code < 1300:
        return InvalidRequest(f"KlingAI finds the request invalid: {words}.", **told)
    if kind is CallKind.SUBMIT:
        return OutcomeUnknown(f"KlingAI failed ({words}); the task may exist. Look it up before sending again.", **told)
    return Transient(f"KlingAI failed: {words}. Try again later.", **told)


def _outputs(data: Mapping[str, Any]) -> tuple[Output, ...]:
    videos = objects(data, "outputs") or objects(as_dict(data.get("task_result")), "videos")
    wanted = [item for item in videos if item.get("type", "video") == "video" and item.get("url")]
    return tuple(Output("video", str(item["url"]), "video/mp4") for item in wanted)


def _failure(data: Mapping[str, Any]) -> TaskFailure:
    words = str(data.get("message") or data.get("task_status_msg") or "no reason given")
    refused = has_word(words, CONTENT_WORDS)
    return TaskFailure(ErrorKind.CONTENT_REFUSED if refused else ErrorKind.TRANSIENT, "failed", words)


def _cost(data: Mapping[str, Any]) -> Amount | None:
    """The vendor's own amount: cash in its currency, else units."""
    for row in objects(data, "billing"):
        amount = as_decimal(row.get("amount"))
        if amount is not None:
            return Amount(amount, str(row.get("currency") or UNIT.unit))
    cash = as_decimal(as_dict(data.get("final_balance_deduction")).get("quota"))
    if cash is not None:
        return Amount(cash, "USD")
    units = as_decimal(data.get("final_unit_deduction"))
    return None if units is None else Amount(units, UNIT.unit)


def _segment(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
