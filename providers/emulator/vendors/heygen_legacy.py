"""HeyGen's v1 and v2 addresses, retired on paper in 2026-10 and still spoken by many clients.

One envelope with a code, one with ``error``; the length follows the scripts at 2.5 words a second, silence as given.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, Route, even, route
from providers.emulator.vendors.heygen import RATIOS, SPOKEN, HeyGenVendor
from providers.emulator.vendors.heygen_catalogue import LOOKS
from providers.emulator.vendors.heygen_files import Refused
from providers.emulator.vendors.heygen_hooks import EVENTS
from providers.emulator.vendors.heygen_scenes import TEMPLATES, WORDS_A_SECOND, invalid, known_template, template_view
from providers.emulator.vendors.heygen_translations import PARALLEL
from providers.emulator.wire import Answer, Call

AVATAR_USD = Decimal("0.0333")
LEGACY = "legacy"
MOST_TEXT = 1500
CREDITS = 360_000
LIST_PAGE = 20


class LegacyHeyGenVendor(HeyGenVendor):
    """All of v3, and `/v2/video/generate`, `/v1/video_status.get`, `/v2/avatars`, `/v1/webhook/…` and the like."""

    def routes(self) -> list[Route]:
        old = self._old
        return [
            route("POST", "/v2/video/generate", "submit", old(self._generate)),
            route("GET", r"/v1/video_status\.get", "poll", old(self._status)),
            route("GET", r"/v1/video\.list", "list", old(self._listed)),
            route("DELETE", r"/v1/video\.delete", "cancel", old(self._deleted)),
            route("GET", "/v2/user/remaining_quota", "account", old(self._quota)),
            route("GET", "/v1/user/remaining_quota", "account", old(self._quota)),
            route("GET", "/v1/user/me", "account", old(self._person)),
            route("GET", "/v2/avatars", "catalogue", old(self._old_avatars)),
            route("GET", "/v2/voices", "catalogue", old(self._old_voices)),
            route("GET", "/v2/templates", "catalogue", old(self._old_templates)),
            route("GET", "/v2/template/{template_id}", "catalogue", old(self._old_template)),
            route("POST", "/v2/template/{template_id}/generate", "submit", old(self._from_template)),
            route("POST", "/v1/asset", "upload", old(self._raw_asset)),
            *self._hook_routes(),
            *super().routes(),
        ]

    def _hook_routes(self) -> list[Route]:
        hooks, old = "/v1/webhook/endpoint", self._old
        return [
            route("POST", rf"{hooks}\.add", "webhooks", old(self._add)),
            route("GET", rf"{hooks}\.list", "webhooks", old(self._hooks_known)),
            route("DELETE", rf"{hooks}\.delete", "webhooks", old(self._drop)),
            route("GET", r"/v1/webhook/webhook\.list", "webhooks", old(self._kinds)),
            route("GET", r"/v1/webhook\.list", "webhooks", old(self._kinds)),
        ]

    def _old(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        """Sign in as v3 does, but answer errors in the old envelopes."""
        return partial(self._in_old_words, work)

    def _in_old_words(self, work: Callable[..., Answer], call: Call, **groups: str) -> Answer:
        account = account_of(call.headers.get("x-api-key", "") or call.bearer())
        if not account:
            return _failed(call, Refused(401, "unauthorized", "Unauthorized"))
        try:
            return work(call, account, **groups)
        except Refused as error:
            return _failed(call, error)

    # -- videos ----------------------------------------------------------------------------------------------

    def _generate(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        scenes = body.get("video_inputs")
        if not isinstance(scenes, list) or not 1 <= len(scenes) <= 50:
            raise invalid("video_inputs", "video_inputs must hold 1 to 50 scenes")
        seconds = round(sum(self._scene_seconds(scene) for scene in scenes), 1)
        width, height = _frame(body)
        said = " ".join(str((scene.get("voice") or {}).get("input_text") or "") for scene in scenes).strip()
        params = {
            "type": LEGACY,
            "title": str(body.get("title") or ""),
            "callback_id": str(body.get("callback_id") or ""),
            "caption": bool(body.get("caption")),
            "prompt": said or "(voice file)",
            "seconds": seconds,
            "width": width,
            "height": height,
        }
        draft = Draft(
            account=account,
            kind=LEGACY,
            model="avatar_iii",
            params=params,
            cost=AVATAR_USD * Decimal(str(seconds)),
            currency="USD",
            queue_s=20,
            render_s=18 * seconds,
        )
        return self._started(call, draft, body)

    def _started(self, call: Call, draft: Draft, body: Mapping[str, Any]) -> Answer:
        if self.world.store.open_count(self.name, draft.account, "", self.world.now()) >= PARALLEL:
            raise Refused(429, "rate_limit_exceeded", "Too many concurrent jobs")
        task = self.accept(call, replace(draft, callback_url=str(body.get("callback_url") or "")))
        self.plan_endpoints(task)
        return _fine({"video_id": task.id}).noting(self.bill(task))

    def _scene_seconds(self, scene: Any) -> float:
        """Check a scene's figure and voice and give its length."""
        scene = scene if isinstance(scene, dict) else {}
        figure, voice = scene.get("character") or {}, scene.get("voice") or {}
        named = {"avatar": "avatar_id", "talking_photo": "talking_photo_id"}.get(str(figure.get("type")), "")
        if figure and (not named or not figure.get(named)):
            raise invalid("character", "character needs type avatar with avatar_id or talking_photo with its id")
        if named == "avatar_id" and figure["avatar_id"] not in {look for look, _ in _looks()}:
            raise Refused(400, "avatar_not_found", f"avatar look not found: {figure['avatar_id']}")
        kind, text = voice.get("type"), str(voice.get("input_text") or "")
        if kind == "text":
            if not text or not voice.get("voice_id"):
                raise invalid("voice", "a text voice needs input_text and voice_id")
            if len(text) > MOST_TEXT:
                raise invalid("input_text", f"input_text is longer than {MOST_TEXT} characters")
            if "[forbidden]" in text:
                raise Refused(400, "content_policy_violation", "the script violates the content policy")
            speed = float(voice.get("speed") or 1.0)
            if not 0.5 <= speed <= 2.0:
                raise invalid("speed", "speed must be from 0.5 to 2.0")
            return max(1.0, len(text.split()) / WORDS_A_SECOND / speed)
        if kind == "audio" and (voice.get("audio_url") or voice.get("audio_asset_id")):
            return 5.0
        if kind == "silence" and 1 <= float(voice.get("duration") or 1) <= 100:
            return float(voice.get("duration") or 1)
        raise invalid("voice", "voice is text with input_text, audio with audio_url or silence of 1 to 100 seconds")

    def _named(self, call: Call, account: str) -> StoredTask:
        video_id = call.query.get("video_id", "")
        task = self.world.store.get(self.name, video_id)
        if task is None or task.account != account or task.cancelled is not None:
            raise Refused(404, "video_not_found", "Video is not found")
        return task

    def _status(self, call: Call, account: str) -> Answer:
        task = self._named(call, account)
        phase, params = task.phase(self.world.now()), task.params
        status = {"queued": "pending", "running": "processing", "succeeded": "completed"}.get(phase, "failed")
        view: dict[str, Any] = {"id": task.id, "status": status, "created_at": int(task.created), "error": None}
        view |= dict.fromkeys(("video_url", "video_url_caption", "caption_url", "gif_url", "thumbnail_url"))
        view |= {"duration": None, "callback_id": params["callback_id"] or None}
        if status == "completed":
            url = self.file_url(task, 0, ".mp4", call.origin)
            view |= {"video_url": url, "duration": params["seconds"]}
            view["video_url_caption"] = url if params.get("caption") else None
        elif status == "failed":
            refused = phase == "refused"
            words = "The content was rejected" if refused else "Rendering failed"
            code = "content_policy_violation" if refused else "internal_error"
            view["error"] = {"code": code, "detail": words, "message": words}
        return _hundred(view)

    def _listed(self, call: Call, account: str) -> Answer:
        limit, start = min(int(call.query.get("limit") or LIST_PAGE), 100), int(call.query.get("token") or 0)
        tasks = self.world.store.newest(self.name, account, limit=10_000)
        found = [task for task in tasks if task.kind in SPOKEN and task.cancelled is None]
        page = [
            {
                "video_id": task.id,
                "video_title": task.params["title"],
                "status": {"queued": "pending", "running": "processing", "succeeded": "completed"}.get(
                    task.phase(self.world.now()), "failed"
                ),
                "created_at": int(task.created),
                "type": "GENERATED",
            }
            for task in found[start : start + limit]
        ]
        more = len(found) > start + limit
        return _hundred({"videos": page, "token": str(start + limit) if more else None, "total": len(found)})

    def _deleted(self, call: Call, account: str) -> Answer:
        self.world.store.cancel(self._named(call, account), self.world.now())
        return _hundred(None)

    # -- templates -------------------------------------------------------------------------------------------

    def _old_templates(self, call: Call, account: str) -> Answer:
        return _fine({"templates": [template_view(name) for name in TEMPLATES]})

    def _old_template(self, call: Call, account: str, template_id: str) -> Answer:
        _, names, _ = known_template(template_id)
        variables = {name: {"name": name, "type": "text", "properties": {"content": ""}} for name in names}
        return _fine({"template_id": template_id, "variables": variables})

    def _from_template(self, call: Call, account: str, template_id: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        return self._started(call, self.template_draft(template_id, body, account), body)

    # -- account and catalogue -------------------------------------------------------------------------------

    def _quota(self, call: Call, account: str) -> Answer:
        """Seconds left; sixty are a credit."""
        tasks = self.world.store.newest(self.name, account, limit=100_000)
        spent = sum(float(task.params.get("seconds") or 0) for task in tasks if task.billed)
        left = max(0, CREDITS - round(spent))
        details = {"api": left, "streaming_avatar": 0, "streaming_avatar_instance_quota": 0, "seat": 1}
        return _fine({"remaining_quota": left, "details": details})

    def _person(self, call: Call, account: str) -> Answer:
        return _hundred({"username": "emulator", "email": "emulator@example.com", "first_name": "Emulated"})

    def _old_avatars(self, call: Call, account: str) -> Answer:
        page = "https://files.heygen.ai"
        avatars = [
            {
                "avatar_id": look,
                "avatar_name": name,
                "gender": "female",
                "premium": False,
                "type": None,
                "tags": None,
                "default_voice_id": "voice-en-1",
                "preview_image_url": f"{page}/{look}.webp",
                "preview_video_url": f"{page}/{look}.mp4",
            }
            for look, name in _looks()
        ]
        return _fine({"avatars": avatars, "talking_photos": []})

    def _old_voices(self, call: Call, account: str) -> Answer:
        voices = [
            {
                **{name: voice[name] for name in ("voice_id", "language", "gender", "name")},
                **OLD_VOICE,
                "preview_audio": voice["preview_audio_url"],
            }
            for voice in self.voices_known(call.origin)
        ]
        return _fine({"voices": voices})

    def _raw_asset(self, call: Call, account: str) -> Answer:
        """The bytes themselves as the body, their kind in Content-Type."""
        kind = call.headers.get("content-type", "")
        if not call.body or kind.partition("/")[0] not in ("image", "video", "audio"):
            raise invalid("Content-Type", "an image, video or audio file is expected as the body")
        kept = self.keep_asset(account, uuid.uuid4().hex, call.body, kind)
        facts = {"id": kept["asset_id"], "name": kept["asset_id"], "file_type": kind.partition("/")[0]}
        more = {"url": kept["url"], "image_key": None, "folder_id": "", "meta": None}
        return _hundred({**facts, **more, "created_ts": int(self.world.now())}, words="msg")

    # -- webhooks --------------------------------------------------------------------------------------------

    def _add(self, call: Call, account: str) -> Answer:
        return _hundred(self.add_hook(account, call.json))

    def _hooks_known(self, call: Call, account: str) -> Answer:
        return _hundred(self.hooks_of(account))

    def _drop(self, call: Call, account: str) -> Answer:
        self.drop_hook(account, call.query.get("endpoint_id", ""))
        return _hundred(None)

    def _kinds(self, call: Call, account: str) -> Answer:
        return _hundred(list(EVENTS))

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        """Old endpoints have their signature under an old name."""
        delivery = super().webhook(task, hook, now)
        if delivery is None or task.kind != LEGACY:
            return delivery
        return replace(delivery, headers={**delivery.headers, "Signature": delivery.headers["Heygen-Signature"]})


OLD_VOICE = {"support_pause": True, "emotion_support": False, "support_locale": False}


def _looks() -> list[tuple[str, str]]:
    return [(f"look-{name.lower()}", name) for name in LOOKS]


def _frame(body: Mapping[str, Any]) -> tuple[int, int]:
    """The asked size, or 1280 by 720, or 720 lines in the asked shape."""
    frame, ratio = body.get("dimension"), body.get("aspect_ratio")
    if isinstance(frame, dict):
        width, height = frame.get("width"), frame.get("height")
        if not isinstance(width, int) or not isinstance(height, int) or not 0 < width * height <= 8_847_360:
            raise invalid("dimension", "width and height are whole pixels")
        return even(width), even(height)
    shape = RATIOS.get(str(ratio or "16:9"))
    if shape is None:
        raise invalid("aspect_ratio", f"aspect_ratio {ratio} is not supported")
    return (even(720 * shape), 720) if shape >= 1 else (720, even(720 / shape))


def _fine(value: Any) -> Answer:
    return Answer.of_json({"error": None, "data": value})


def _hundred(value: Any, words: str = "message") -> Answer:
    more = {"msg": None, "message": None} if words == "msg" else {"message": "Success"}
    return Answer.of_json({"code": 100, "data": value, **more})


def _failed(call: Call, error: Refused) -> Answer:
    """v2 answers with ``error``, v1 with a number and words."""
    if call.path.startswith("/v2/"):
        body: dict[str, Any] = {"data": None, "error": {"code": error.code, "message": error.message}}
    else:
        number = {401: 400112, 404: 400547, 429: 400125}.get(error.status, 400102)
        body = {"code": number, "data": None, "message": error.message}
    answer = Answer(error.status, json.dumps(body).encode())
    if error.status == 429:
        answer.headers["Retry-After"] = "5"
    return answer
