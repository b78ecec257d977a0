"""HeyGen v3: creates of four kinds, idempotent by key; a uniform error envelope; signed callbacks.

Written from HeyGen's published schemas (CLI snapshot of 2026-07) and reference text. The length of a video follows
the script at 2.5 words a second. Callbacks are signed although the reference does not say so for ``callback_url``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.faults import Trouble
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, DuplicateKey, MediaPlan, Route, even, route
from providers.emulator.vendors.heygen_catalogue import page_of
from providers.emulator.vendors.heygen_files import Refused, good
from providers.emulator.vendors.heygen_hooks import MOMENT
from providers.emulator.vendors.heygen_models import SESSION
from providers.emulator.vendors.heygen_scenes import MOST_IN_BATCH, bulk_state
from providers.emulator.vendors.heygen_translations import KIND as TRANSLATION
from providers.emulator.vendors.heygen_translations import PARALLEL, TranslationsVendor
from providers.emulator.wire import Answer, Call, LogNote

WORDS_A_SECOND = 2.5
RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "4:5": 4 / 5, "5:4": 5 / 4, "1:1": 1.0}
LINES = {"720p": 720, "1080p": 1080, "4k": 2160}
PRICES = {
    "image": ("0.05", "0.0667"),
    "avatar_iv": ("0.0667", "0.0833"),
    "avatar_v": ("0.0667", "0.0833"),
    "avatar_iii": ("0.0167", "0.02"),
}
TYPES = ("avatar", "image", "cinematic_avatar", "studio")
SPOKEN = frozenset({*TYPES, "agent", "template", "legacy"})  # what lists of videos show
KEY_PATTERN = re.compile(r"[A-Za-z0-9_\-:.;]{1,255}")


class HeyGenVendor(TranslationsVendor):
    """`/v3/videos`, `/v3/models/videos`, `/v3/video-agents`, speech, files, account and catalogue."""

    url_lifetime_s = 7 * 86_400.0

    def routes(self) -> list[Route]:
        guarded = self.guarded
        return [
            route("POST", "/v3/videos", "submit", guarded(partial(self._create, self._presenter))),
            route("POST", "/v3/models/videos", "submit", guarded(partial(self._create, self.clip_draft))),
            route("GET", "/v3/models/videos/{video_id}", "poll", guarded(self._read)),
            route("POST", "/v3/video-agents", "submit", guarded(partial(self._create, self.agent_draft))),
            route("GET", "/v3/video-agents/{session_id}", "poll", guarded(self._session)),
            route("POST", "/v3/voices/speech", "submit", guarded(self._speak)),
            route("POST", "/v3/videos/batches", "submit", guarded(self._create_many)),
            *self.template_routes(),
            route("POST", "/v3/templates/{template_id}", "submit", guarded(self._create_of_template)),
            route("GET", "/v3/videos/statuses", "poll", guarded(self._statuses)),
            route("GET", "/v3/videos/{video_id}", "poll", guarded(self._read)),
            route("DELETE", "/v3/videos/{video_id}", "cancel", guarded(self._delete)),
            route("GET", "/v3/videos", "list", guarded(self._list)),
            *self.catalogue_routes(),
            *self.translation_routes(),
            *self.file_routes(),
            *self.hook_routes(),
        ]

    # -- videos ----------------------------------------------------------------------------------------------

    def _create(self, draft_of: Callable[[Any, str], Draft], call: Call, account: str) -> Answer:
        key = call.headers.get("idempotency-key", "")
        if key and not KEY_PATTERN.fullmatch(key):
            raise Refused(400, "invalid_parameter", "Idempotency-Key is not valid", "Idempotency-Key")
        known = self.world.store.by_key(self.name, account, key) if key else None
        if known is not None:
            return self._replay(known)
        if self.world.store.open_count(self.name, account, "", self.world.now()) >= PARALLEL:
            return self.rate_limited(5)
        draft = draft_of(call.json, account)
        hook = "" if draft.kind == "clip" else str(call.json.get("callback_url") or "")
        try:
            task = self.accept(call, replace(draft, idempotency_key=key, callback_url=hook))
        except DuplicateKey as error:
            return self._replay(error.task)
        if draft.kind != "clip":
            self.plan_endpoints(task)
        return _created(task).noting(self.bill(task))

    def _replay(self, task: StoredTask) -> Answer:
        """The answer the first call got, as of its creation."""
        note = LogNote(remote_id=task.id, idempotency_key=task.idempotency_key, replay=True)
        return _created(task).noting(note)

    def _presenter(self, body: Any, account: str) -> Draft:
        kind = body.get("type") if isinstance(body, dict) else None
        if kind not in TYPES:
            raise Refused(400, "validation_error", f"type must be one of {', '.join(TYPES)}", "type")
        if kind == "studio":
            return self.studio_draft(body, _common(body), account)
        if kind == "cinematic_avatar":
            return self.cinematic_draft(body, _common(body), account)
        params, engine = self._params(body, account)
        small, large = PRICES[engine]
        price = Decimal(large if params["resolution"] == "4k" else small)
        return Draft(
            account=account,
            kind=params["type"],
            model=engine,
            params=params,
            cost=price * Decimal(str(params["seconds"])),
            currency="USD",
            queue_s=20,
            render_s=18 * params["seconds"],
        )

    def _params(self, body: Mapping[str, Any], account: str) -> tuple[dict[str, Any], str]:
        params = {**_common(body), "type": body["type"], **self._speech(body)}
        if body["type"] == "image":
            return {**params, "picture": self.asset_of(account, body.get("image"), "image")}, "image"
        if not body.get("avatar_id"):
            raise Refused(400, "invalid_parameter", "avatar_id is required", "avatar_id")
        engine = str((body.get("engine") or {}).get("type") or "avatar_iv")
        if engine not in PRICES or engine == "image":
            raise Refused(400, "invalid_parameter", f"engine {engine} is not supported", "engine")
        return params, engine

    @staticmethod
    def _speech(body: Mapping[str, Any]) -> dict[str, Any]:
        given = [name for name in ("script", "audio_url", "audio_asset_id") if body.get(name)]
        if len(given) != 1:
            raise Refused(400, "invalid_parameter", "give exactly one of script, audio_url, audio_asset_id", "script")
        script = str(body.get("script") or "")
        if len(script) > 5000:
            raise Refused(400, "invalid_parameter", "script is longer than 5000 characters", "script")
        if "[forbidden]" in script:
            raise Refused(400, "content_policy_violation", "the script violates the content policy", "script")
        words = len(script.split()) or 10
        return {"prompt": script or "(voice file)", "seconds": round(max(1.0, words / WORDS_A_SECOND), 1)}

    def _read(self, call: Call, account: str, video_id: str) -> Answer:
        task = self.world.store.get(self.name, video_id)
        if task is None or task.account != account:
            raise Refused(404, "video_not_found", f"video {video_id} does not exist")
        if task.phase(self.world.now()) == "cancelled":
            raise Refused(404, "video_not_found", f"video {video_id} was deleted")
        view = self._clip_or_video(task, call)
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "rendering_pass_2"
        return good(view)

    def _clip_or_video(self, task: StoredTask, call: Call) -> dict[str, Any]:
        return (self.clip_view if task.kind == "clip" else self._view)(task, call.origin)

    def _statuses(self, call: Call, account: str) -> Answer:
        """Many states at once, of videos and of batches."""
        named, batches = (
            [item for item in call.query.get(name, "").split(",") if item] for name in ("video_ids", "batch_ids")
        )
        if not 1 <= len(named) + len(batches) <= 100:
            raise Refused(400, "invalid_parameter", "give 1 to 100 video_ids or batch_ids", "video_ids")
        now, get = self.world.now(), self.world.store.get
        entries = [
            {
                "video_id": video_id,
                "status": bulk_state(get(self.name, video_id), account, now),
                "batch_id": None,
                "item_index": None,
                "error": None,
            }
            for video_id in named
        ]
        return good([*entries, *(entry for batch in batches for entry in self.batch_entries(account, batch))])

    def _create_many(self, call: Call, account: str) -> Answer:
        """Up to a hundred creates, each taken or refused by itself; above the limit they wait."""
        body = call.json if isinstance(call.json, dict) else {}
        videos = body.get("videos")
        if not isinstance(videos, list) or not 1 <= len(videos) <= MOST_IN_BATCH:
            raise Refused(400, "invalid_parameter", f"1 to {MOST_IN_BATCH} videos are expected", "videos")
        entries: list[dict[str, Any]] = []
        notes: list[LogNote] = []
        for number, video in enumerate(videos):
            hook = str((video if isinstance(video, dict) else {}).get("callback_url") or body.get("callback_url") or "")
            try:
                draft = replace(self._presenter(video, account), callback_url=hook)
            except Refused as error:
                told = {"code": error.code, "message": error.message}
                entries.append({"video_id": None, "error": told})
                continue
            task = self.accept(replace(call, body=call.body + str(number).encode()), draft)
            self.plan_endpoints(task)
            notes.append(self.bill(task))
            entries.append({"video_id": task.id, "error": None})
        batch = self.keep_batch(account, str(body.get("title") or ""), entries)
        return replace(good({"batch_id": batch, "total_items": len(entries)}), further=tuple(notes))

    def _create_of_template(self, call: Call, account: str, template_id: str) -> Answer:
        answer = self._create(partial(self._template_draft_of, template_id), call, account)
        task = self.world.store.get(self.name, json.loads(answer.body)["data"].get("video_id", ""))
        return answer if task is None else good(self._view(task, call.origin)).noting(answer.note)

    def _template_draft_of(self, template_id: str, body: Any, account: str) -> Draft:
        return self.template_draft(template_id, body, account)

    def _delete(self, call: Call, account: str, video_id: str) -> Answer:
        """For good; what is being made is not stopped, but nobody sees it any more."""
        task = self.world.store.get(self.name, video_id)
        if task is None or task.account != account or task.cancelled is not None:
            raise Refused(404, "video_not_found", f"video {video_id} does not exist")
        self.world.store.cancel(task, self.world.now())
        return good({"id": video_id, "deleted": True})

    def _list(self, call: Call, account: str) -> Answer:
        tasks = self.world.store.newest(self.name, account, limit=10_000)
        title = call.query.get("title", "")
        seen = [task for task in tasks if task.kind in SPOKEN and task.cancelled is None]
        found = [self._view(task, call.origin) for task in seen if title in task.params["title"]]
        return page_of(call, found, 100)

    def _view(self, task: StoredTask, origin: str) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        status = {"queued": "pending", "running": "processing", "succeeded": "completed"}.get(phase, "failed")
        view: dict[str, Any] = {
            "id": task.id,
            "title": task.params["title"],
            "status": status,
            "created_at": int(task.created),
            "video_url": None,
            "captioned_video_url": None,
            "subtitle_url": None,
            "thumbnail_url": None,
            "gif_url": None,
            "output_language": None,
            "folder_id": None,
        }
        if phase == "succeeded":
            view |= {
                "completed_at": int(task.ends),
                "duration": task.params["seconds"],
                "video_url": self.file_url(task, 0, ".mp4", origin),
                "video_page_url": f"https://app.heygen.com/videos/{task.id}",
            }
        elif status == "failed":
            refused = phase == "refused"
            view["failure_code"] = "content_policy_violation" if refused else "internal_error"
            view["failure_message"] = "The content was rejected" if refused else "Rendering failed"
        return view

    # -- the rest --------------------------------------------------------------------------------------------

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0:
            return None
        params = task.params
        if task.kind == "speech":
            return self.speech_plan(params)
        width, height = _size(params)
        picture = params.get("picture", "")
        clip = Clip(
            model=f"HeyGen {task.model}",
            prompt=params["prompt"],
            width=even(width),
            height=even(height),
            seconds=params["seconds"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            fps=24 if task.kind == "clip" else params.get("fps", 25),
            picture=self.world.input_path(picture) if picture else None,
            sound=True,
        )
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        view = self._view(task, task.params["origin"])
        fine = view["status"] == "completed"
        told: dict[str, Any] = {"video_id": task.id, "callback_id": task.params["callback_id"], "folder_id": None}
        told |= {"url": view["video_url"]} if fine else {"failure_message": view.get("failure_message")}
        subject = "avatar_video"
        if task.kind == "agent":
            subject, told["session_id"] = "video_agent", f"{SESSION}{task.id}"
        if task.kind == TRANSLATION:
            subject, told["video_translate_id"] = "video_translate", told.pop("video_id")
        event: dict[str, Any] = {
            "event_id": f"evt_{hook.id}",
            "event_type": f"{subject}.success" if fine else f"{subject}.fail",
            "event_data": told,
        }
        body = json.dumps(event).encode()
        endpoint = self.endpoint_of(task.account, hook.moment) if hook.moment.startswith(MOMENT) else {}
        if endpoint is None or event["event_type"] not in (endpoint.get("events") or [event["event_type"]]):
            return None
        secret = str(endpoint.get("secret") or self.world.webhook_secrets.get(self.name, ""))
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Heygen-Event-Id": event["event_id"],
            "Heygen-Timestamp": str(int(now)),
            "Heygen-Signature": "0" * 64 if hook.trouble == "forged" else signature,
        }
        return Delivery(endpoint.get("url") or task.callback_url, headers, body)


def _created(task: StoredTask) -> Answer:
    """What a create answers: an agent's video has no id yet, a clip is accepted with 202."""
    if task.kind == "agent":
        session = {"session_id": f"{SESSION}{task.id}", "status": "generating", "video_id": None}
        return good({**session, "created_at": int(task.created)})
    if task.kind == "clip":
        return good({"video_id": task.id, "status": "pending"}, 202)
    return good({"video_id": task.id, "status": "waiting", "output_format": "mp4"})


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    """Size, title and the caller's word of any create, checked."""
    resolution, ratio = body.get("resolution", "720p"), body.get("aspect_ratio", "16:9")
    if resolution not in LINES:
        raise Refused(400, "invalid_parameter", f"resolution {resolution} is not supported", "resolution")
    if ratio not in RATIOS:
        raise Refused(400, "invalid_parameter", f"aspect_ratio {ratio} is not supported", "aspect_ratio")
    return {
        "title": str(body.get("title") or ""),
        "callback_id": str(body.get("callback_id") or ""),
        "resolution": resolution,
        "ratio": ratio,
    }


def _size(params: Mapping[str, Any]) -> tuple[float, float]:
    if "width" in params:
        return params["width"], params["height"]
    shape, lines = RATIOS[params["ratio"]], LINES[params["resolution"]]
    return (lines * shape, lines) if shape >= 1 else (lines, lines / shape)
