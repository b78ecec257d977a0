"""HeyGen's videos of several scenes: studio and cinematic creates, templates, and batches of creates.

A template's length is five seconds a scene. What a batch holds is kept beside the log, since tasks do not name it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, Route, route
from providers.emulator.vendors.heygen_files import Refused, good
from providers.emulator.vendors.heygen_models import ModelsVendor
from providers.emulator.wire import Answer, Call

SCENE_S = 5.0
CINEMATIC_USD = Decimal(7)
STUDIO_USD = Decimal("0.0667")
TEMPLATES = {
    "template-product": ("Product teaser", ("headline", "picture", "offer"), 3),
    "template-story": ("Vertical story", ("script",), 1),
}
MOST_IN_BATCH = 100
WORDS_A_SECOND = 2.5


def invalid(param: str, words: str) -> Refused:
    return Refused(400, "invalid_parameter", words, param)


class ScenesVendor(ModelsVendor):
    """The drafts of `studio` and `cinematic_avatar`; `/v3/templates…`; what a batch tells."""

    def template_routes(self) -> list[Route]:
        one = "/v3/templates/{template_id}"
        return [
            route("GET", "/v3/templates", "catalogue", self.guarded(self._templates)),
            route("GET", one, "catalogue", self.guarded(self._template)),
            route("GET", "/v3/videos/batches/{batch_id}", "poll", self.guarded(self._batch)),
        ]

    # -- drafts ----------------------------------------------------------------------------------------------

    def studio_draft(self, body: Mapping[str, Any], common: Mapping[str, Any], account: str) -> Draft:
        """1 to 50 scenes, spoken, still or filmed, one after another."""
        scenes = body.get("scenes")
        if not isinstance(scenes, list) or not 1 <= len(scenes) <= 50:
            raise invalid("scenes", "1 to 50 scenes are expected")
        seconds = sum(_scene_seconds(scene) for scene in scenes)
        said = " ".join(str(scene.get("script") or "") for scene in scenes).strip()
        params = {**common, "type": "studio", "prompt": said or "studio", "seconds": round(seconds, 1)}
        return self._several(account, "studio", params, STUDIO_USD * Decimal(str(params["seconds"])))

    def cinematic_draft(self, body: Mapping[str, Any], common: Mapping[str, Any], account: str) -> Draft:
        """4 to 15 seconds of one to three looks, from a prompt; one price."""
        prompt, looks = str(body.get("prompt") or ""), body.get("avatar_id")
        if not 1 <= len(prompt) <= 10_000:
            raise invalid("prompt", "prompt must have 1 to 10000 characters")
        if "[forbidden]" in prompt:
            raise Refused(400, "content_policy_violation", "the prompt violates the content policy", "prompt")
        if not isinstance(looks, list) or not 1 <= len(looks) <= 3:
            raise invalid("avatar_id", "1 to 3 looks are expected")
        seconds = body.get("duration", 10)
        if not isinstance(seconds, int) or not 4 <= seconds <= 15:
            raise invalid("duration", "Input should be an integer from 4 to 15")
        if common["ratio"] not in ("16:9", "9:16", "1:1") or common["resolution"] == "4k":
            raise invalid("aspect_ratio", "16:9, 9:16 or 1:1 at 720p or 1080p is expected")
        params = {**common, "type": "cinematic_avatar", "prompt": prompt, "seconds": float(seconds)}
        return self._several(account, "cinematic_avatar", params, CINEMATIC_USD)

    @staticmethod
    def _several(account: str, kind: str, params: dict[str, Any], cost: Decimal) -> Draft:
        return Draft(
            account=account,
            kind=kind,
            model=kind,
            params=params,
            cost=cost,
            currency="USD",
            queue_s=20,
            render_s=18 * params["seconds"],
        )

    def template_draft(self, template_id: str, body: Any, account: str) -> Draft:
        """A video of a template: every variable it has must be named among its own."""
        title, names, scenes = known_template(template_id)
        body = body if isinstance(body, dict) else {}
        variables = body.get("variables")
        if not isinstance(variables, dict):
            raise invalid("variables", "variables is required")
        odd = next((name for name in variables if name not in names), "")
        if odd:
            raise invalid("variables", f"the template has no variable {odd}")
        frame = body.get("dimension") or {"width": 1280, "height": 720}
        for side in ("width", "height"):
            if not isinstance(frame.get(side), int) or not 128 <= frame[side] <= 4096 or frame[side] % 2:
                raise invalid("dimension", f"{side} must be even, from 128 to 4096")
        if body.get("fps", 25) not in (25, 30, 60):
            raise invalid("fps", "fps must be 25, 30 or 60")
        params = {
            "type": "template",
            "title": str(body.get("title") or title),
            "callback_id": str(body.get("callback_id") or ""),
            "prompt": " ".join(_said(value) for value in variables.values()).strip() or title,
            "seconds": SCENE_S * scenes,
            "width": frame["width"],
            "height": frame["height"],
            "fps": body.get("fps", 25),
        }
        return self._several(account, "template", params, STUDIO_USD * Decimal(str(params["seconds"])))

    # -- templates -------------------------------------------------------------------------------------------

    def _templates(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"data": [template_view(name) for name in TEMPLATES], "has_more": False, "token": None})

    def _template(self, call: Call, account: str, template_id: str) -> Answer:
        _, names, scenes = known_template(template_id)
        variables = {name: {"name": name, "type": "text", "properties": {"content": ""}} for name in names}
        numbers = [{"id": f"scene-{number + 1}", "variables": list(names)} for number in range(scenes)]
        return good({**template_view(template_id), "variables": variables, "scenes": numbers})

    # -- batches ---------------------------------------------------------------------------------------------

    def keep_batch(self, account: str, title: str, entries: list[dict[str, Any]]) -> str:
        """Keep a batch's entries and give its id."""
        batch = uuid.uuid4().hex
        path = self._batch_file(account, batch)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"title": title, "items": entries}))
        return batch

    def _batch_file(self, account: str, batch: str) -> Path:
        named = batch if re.fullmatch(r"[0-9a-f]{32}", batch) else "none"
        return self.world.folder / "heygen-batches" / account / f"{named}.json"

    def batch_entries(self, account: str, batch: str) -> list[dict[str, Any]]:
        """How each video of a batch is now."""
        path = self._batch_file(account, batch)
        if not path.exists():
            raise Refused(404, "resource_not_found", f"batch {batch} does not exist", "batch_id")
        kept = json.loads(path.read_text())["items"]
        return [self._entry(account, batch, index, item) for index, item in enumerate(kept)]

    def _entry(self, account: str, batch: str, index: int, item: Mapping[str, Any]) -> dict[str, Any]:
        task = self.world.store.get(self.name, str(item["video_id"] or "")) if item["video_id"] else None
        status = bulk_state(task, account, self.world.now()) if item["video_id"] else "failed"
        return {
            "video_id": item["video_id"],
            "status": status,
            "batch_id": batch,
            "item_index": index,
            "error": item["error"],
        }

    def _batch(self, call: Call, account: str, batch_id: str) -> Answer:
        entries = self.batch_entries(account, batch_id)
        counts: dict[str, int] = {}
        for entry in entries:
            counts[entry["status"]] = counts.get(entry["status"], 0) + 1
        open_ones = counts.get("queued", 0) + counts.get("processing", 0)
        status = "processing" if open_ones else "completed"
        told = {"batch_id": batch_id, "status": status, "total_items": len(entries), "counts_by_status": counts}
        return good({**told, "items": entries, "has_more": False, "next_token": None})


def known_template(template_id: str) -> tuple[str, tuple[str, ...], int]:
    """Title, variables and number of scenes."""
    if template_id not in TEMPLATES:
        raise Refused(404, "resource_not_found", f"template {template_id} does not exist", "template_id")
    return TEMPLATES[template_id]


def template_view(template_id: str) -> dict[str, Any]:
    title, _, _ = TEMPLATES[template_id]
    ratio = "portrait" if "story" in template_id else "landscape"
    page = f"https://files.heygen.ai/{template_id}.jpg"
    return {"template_id": template_id, "name": title, "thumbnail_image_url": page, "aspect_ratio": ratio}


def bulk_state(task: StoredTask | None, account: str, now: float) -> str:
    """A task's state in the words of bulk answers."""
    words = {"queued": "queued", "running": "processing", "succeeded": "completed"}
    if task is None or task.account != account:
        return "not_found"
    return words.get(task.phase(now), "failed")


def _scene_seconds(scene: Any) -> float:
    kind = scene.get("type") if isinstance(scene, dict) else None
    if kind not in ("avatar_video", "image", "video"):
        raise invalid("scenes", "a scene's type is avatar_video, image or video")
    if kind != "avatar_video":
        return float(scene.get("duration") or SCENE_S)
    if not scene.get("avatar_id"):
        raise invalid("scenes", "avatar_id is required in an avatar_video scene")
    return max(1.0, len(str(scene.get("script") or "").split()) / WORDS_A_SECOND)


def _said(variable: Any) -> str:
    if not isinstance(variable, dict):
        return str(variable)
    return str((variable.get("properties") or {}).get("content") or variable.get("value") or "")
