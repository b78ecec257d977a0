"""Kling AI: clips from text and pictures over its new design, and over the legacy one for access-key accounts.

Several pictures go to Omni (new) or 1.6 (legacy); extension and lip-sync exist in the legacy design alone, which an
API key opens too. Reference: https://kling.ai/document-api. Facts, their confidence and what the reference leaves
open are in ``docs/providers/kling.md``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from providers.adapters.kling import calls
from providers.adapters.kling.answers import error_of, report_of
from providers.adapters.kling.cards import CLIPS, FRAMES, LIP_SYNC, OPERATIONS, UNIT
from providers.adapters.kling.lips import film_of, inline_sound, room_for, sound_length_ms
from providers.adapters.kling.tokens import access_token
from providers.base import RemoteAdapter
from providers.errors import InvalidRequest, OutcomeUnknown, ProviderError, Unsupported, WebhookRejected
from providers.http import CallKind, Reply
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_decimal, as_dict, objects
from providers.values import (
    Accepted,
    AccountReport,
    Amount,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskReport,
)
from providers.webhooks import verify_standard_webhook

PICTURE = PictureLimits(max_bytes=10_000_000, min_side=300, max_side=4096, max_shape=2.5)
NEWEST = 500  # tasks on the one page that is searched for a lost lip-sync


class KlingAdapter(RemoteAdapter):
    """Submits to the address of the task, polls ``/tasks`` or the legacy address, finds by ``external_task_id``."""

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
    models = (*CLIPS, *OPERATIONS)

    # -- signing in ------------------------------------------------------------------------------------------

    @property
    def is_legacy(self) -> bool:
        """Access-key accounts have the legacy design only."""
        return not self.credentials.get("api_key") and bool(self.credentials.get("access_key"))

    def auth_headers(self) -> Mapping[str, str]:
        if not self.is_legacy:
            return {"Authorization": f"Bearer {self.credential('api_key')}"}
        now = int(self.clock().timestamp())
        token = access_token(self.credential("access_key"), self.credential("secret_key"), now)
        return {"Authorization": f"Bearer {token}"}

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

    def billed_seconds(self, card: ModelCard, request: GenerationRequest) -> Decimal:
        """Lip-sync is charged for every five seconds begun, all else by the second."""
        seconds = super().billed_seconds(card, request)
        if card.id != LIP_SYNC:
            return seconds
        return (seconds / 5).to_integral_value(ROUND_CEILING) * 5

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Files go inline as bare base64. Frames are cropped to the asked ratio, for the output follows them."""
        return StagedInputs(tuple(self._staged(item, ratio) for item in inputs))

    @staticmethod
    def _staged(item: InputAsset, ratio: str) -> StagedInput:
        if item.role is InputRole.AUDIO:
            return StagedInput(item.role, inline_sound(item.path), item.media_type)
        if item.role is not InputRole.REFERENCE and item.role not in FRAMES:
            raise Unsupported(
                f"KlingAI takes frames, reference pictures and sound as files, not {item.role.value} files; "
                "name a film by options.video_id or options.video_url."
            )
        picture = prepare_picture(item.path, PICTURE, ratio=ratio if item.role in FRAMES else "")
        return StagedInput(item.role, base64.b64encode(picture.data).decode(), picture.media_type)

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        kind = self._legacy_kind(request.task, request.model)
        card, audio = self.card(request.model), self.price_tier(request).endswith("+audio")
        calls.refuse_misfit(card, request, staged, legacy=bool(kind))
        path = f"/v1/videos/{kind}"
        if request.model == LIP_SYNC:
            body = self._lip_sync_body(request, staged, idempotency_key, callback_url)
        elif kind:
            body = calls.legacy_call(request, staged, idempotency_key, callback_url, audio=audio)
        else:
            path, body = calls.new_call(card, request, staged, idempotency_key, callback_url, audio=audio)
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", path, body=body)
        data = as_dict(answer.get("data"))
        remote_id = str(data.get("id") or data.get("task_id") or "")
        if not remote_id:
            raise OutcomeUnknown("KlingAI accepted the call without naming a task.", exchange=reply.exchange)
        return Accepted(remote_id, answer, _details(kind), reply.exchange)

    def _lip_sync_body(
        self, request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str
    ) -> dict[str, Any]:
        """The faces are asked for first; what does not fit is refused before that call where it can be known."""
        sound, source = staged.get(InputRole.AUDIO), request.input(InputRole.AUDIO)
        if sound is None or source is None:
            raise InvalidRequest("Lip-sync needs the sound to be spoken; add an audio file.")
        film, length = film_of(request), sound_length_ms(source.path)
        room_for(request, length)
        body, _ = self.call_json(CallKind.WRITE, "POST", "/v1/videos/identify-face", body=film)
        return calls.lip_sync_call(request, sound.value, length, as_dict(body.get("data")), key, callback_url)

    def _legacy_kind(self, task: Task, model: str) -> str:
        """The legacy address of this work, empty when it goes over the new design."""
        if model in calls.ONLY_LEGACY:
            return calls.ONLY_LEGACY[model]
        return calls.LEGACY_KINDS.get(task, "text2video") if self.is_legacy else ""

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
        kind = self._legacy_kind(task, model)
        if model == LIP_SYNC:
            found = self._find_listed(idempotency_key, kind)
        elif kind:
            found = self._find_legacy(idempotency_key, kind)
        else:
            keys = {"external_task_ids": idempotency_key}
            body, _ = self.call_json(CallKind.READ, "GET", "/tasks", params=keys)
            found = next((str(item.get("id")) for item in objects(body, "data")), "")
        return RemoteTask(found, task, model, _details(kind)) if found else None

    def _find_legacy(self, key: str, kind: str) -> str:
        try:
            body, _ = self.call_json(CallKind.READ, "GET", f"/v1/videos/{kind}/{key}")
        except InvalidRequest as error:
            if error.vendor_code in ("1201", "1203"):
                return ""
            raise
        return str(as_dict(body.get("data")).get("task_id") or "")

    def _find_listed(self, key: str, kind: str) -> str:
        """Lip-sync tasks are read by their own id only: ours is looked for among the newest."""
        page = {"pageNum": 1, "pageSize": NEWEST}
        body, _ = self.call_json(CallKind.READ, "GET", f"/v1/videos/{kind}", params=page)
        mine = (item for item in objects(body, "data") if self._report(item).idempotency_key == key)
        return next((str(item.get("task_id") or "") for item in mine), "")

    def _report(self, data: Mapping[str, Any], reply: Reply | None = None) -> TaskReport:
        word = str(data.get("status") or data.get("task_status") or "")
        return report_of(data, self.state_of(word), word, reply.exchange if reply else None)

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
        return error_of(code, words, reply, kind)


def _details(kind: str) -> dict[str, str]:
    return {"design": "legacy", "kind": kind} if kind else {"design": "new"}
