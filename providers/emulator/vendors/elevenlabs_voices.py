"""ElevenLabs' voices: the public ones, those an account cloned or had trained, their settings and sounds.

Cloned voices are kept beside the log, so that they outlive the emulator. A professional voice asks for its captcha.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.elevenlabs_calls import CallingVendor, missing, plan_of, required_part
from providers.emulator.vendors.elevenlabs_rules import SETTINGS, VOICES, Refused, field_error, voice_view
from providers.emulator.wire import Answer, Call

PREVIEW = "Slow mornings taste better"
OWNER = "emulated-owner"
SMALL_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="  # the captcha
)
RANGES = {"stability": (0, 1), "similarity_boost": (0, 1), "style": (0, 1), "speed": (0.7, 1.2)}


class VoicesVendor(CallingVendor):
    """`/v1/voices…`, `/v2/voices`, `/v1/shared-voices`."""

    def voice_routes(self) -> list[Route]:
        guarded, one, pvc = self.guarded, "/v1/voices/{voice}", "/v1/voices/pvc/{voice}"
        return [
            route("GET", "/v2/voices", "catalogue", guarded(self._voices)),
            route("GET", "/v1/voices", "catalogue", guarded(self._all_voices)),
            route("GET", "/v1/shared-voices", "catalogue", guarded(self._library)),
            route("POST", "/v1/voices/add", "upload", guarded(self._clone)),
            route("POST", "/v1/voices/add/{owner}/{voice}", "upload", guarded(self._add_shared)),
            route("GET", "/v1/voices/settings/default", "catalogue", guarded(self._default_settings)),
            route("POST", "/v1/voices/pvc", "upload", guarded(self._professional)),
            route("POST", f"{pvc}/samples", "upload", guarded(self._add_samples)),
            route("GET", f"{pvc}/captcha", "catalogue", guarded(self._captcha)),
            route("POST", f"{pvc}/captcha", "upload", guarded(self._verify)),
            route("POST", f"{pvc}/verification", "upload", guarded(self._verify)),
            route("POST", f"{pvc}/train", "submit", guarded(self._train)),
            route("POST", f"{one}/edit", "upload", guarded(self._edit)),
            route("POST", f"{one}/settings/edit", "upload", guarded(self._change_settings)),
            route("GET", f"{one}/settings", "catalogue", guarded(self._settings)),
            route("GET", f"{one}/samples/{{sample}}/audio", "fetch", guarded(self._sample)),
            route("GET", one, "catalogue", guarded(self._voice)),
            route("DELETE", one, "cancel", guarded(self._remove_voice)),
            route("GET", r"/previews/{voice}\.mp3", "fetch", self._preview),
        ]

    # -- looking ---------------------------------------------------------------------------------------------

    def known(self, account: str, voice: str) -> str:
        """The id of a public voice or of one of the account's own."""
        if voice not in VOICES and not self._file(account, voice).exists():
            raise Refused(404, "voice_not_found", f"A voice with voice_id {voice} was not found")
        return voice

    def views(self, account: str, origin: str) -> list[dict[str, Any]]:
        """The account's own voices, newest first, then the public ones."""
        own = sorted(self._folder(account).glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        public = [voice_view(voice, VOICES[voice]) for voice in VOICES]
        return [self._heard(view, origin) for view in (*(json.loads(path.read_text()) for path in own), *public)]

    def _heard(self, view: dict[str, Any], origin: str) -> dict[str, Any]:
        return {**view, "preview_url": f"{origin}/{self.name}/previews/{view['voice_id']}.mp3"}

    def _voice_of(self, account: str, voice: str) -> dict[str, Any]:
        path = self._file(account, self.known(account, voice))
        view: dict[str, Any] = json.loads(path.read_text()) if path.exists() else voice_view(voice, VOICES[voice])
        return view

    def _own(self, account: str, voice: str) -> dict[str, Any]:
        if voice in VOICES:
            raise Refused(400, "voice_not_editable", "A premade voice cannot be changed")
        return self._voice_of(account, voice)

    def _voices(self, call: Call, account: str) -> Answer:
        size, query = int(call.query.get("page_size") or 10), call.query
        start = int(query.get("next_page_token") or 0)
        if not 1 <= size <= 100:
            return field_error("page_size", "Input should be between 1 and 100", "less_than_equal")
        wanted, words = set(query.get("voice_ids", "").split(",")) - {""}, query.get("search", "").lower()
        kinds = {query["category"]} if query.get("category") else set()
        found = [
            view
            for view in self.views(account, call.origin)
            if words in view["name"].lower()
            and (not wanted or view["voice_id"] in wanted)
            and (not kinds or view["category"] in kinds)
        ]
        if query.get("sort") == "name":
            found.sort(key=lambda view: str(view["name"]), reverse=query.get("sort_direction") == "desc")
        more = start + size < len(found)
        total = {"total_count": len(found), "next_page_token": str(start + size) if more else None}
        return Answer.of_json({"voices": found[start : start + size], "has_more": more, **total})

    def _all_voices(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"voices": self.views(account, call.origin)})

    def _voice(self, call: Call, account: str, voice: str) -> Answer:
        return Answer.of_json(self._heard(self._voice_of(account, voice), call.origin))

    def _settings(self, call: Call, account: str, voice: str) -> Answer:
        return Answer.of_json(self._voice_of(account, voice)["settings"])

    def _default_settings(self, call: Call, account: str) -> Answer:
        return Answer.of_json(SETTINGS)

    def _library(self, call: Call, account: str) -> Answer:
        """What others share: the public voices once more."""
        about = {"accent": "american", "gender": "female", "age": "young", "descriptive": "calm", "use_case": "ads"}
        flags = {"free_users_allowed": True, "live_moderation_enabled": False, "featured": False}
        counts = {"cloned_by_count": 0, "usage_character_count_1y": 0, "usage_character_count_7d": 0}
        more = {"play_api_usage_character_count_1y": 0, "date_unix": 1_700_000_000, "category": "professional"}
        words = call.query.get("search", "").lower()
        voices = [
            self._heard({"public_owner_id": OWNER, "voice_id": voice, "name": name} | about | flags, call.origin)
            | {**counts, **more, "language": "en"}
            for voice, name in VOICES.items()
            if words in name.lower()
        ]
        return Answer.of_json({"voices": voices, "has_more": False, "total_count": len(voices), "last_sort_id": None})

    def _preview(self, call: Call, voice: str) -> Answer:
        plan = plan_of(Speech(PREVIEW, voice))
        return Answer(media=plan, media_type=plan.media_type)

    # -- cloning ---------------------------------------------------------------------------------------------

    def _clone(self, call: Call, account: str) -> Answer:
        """An instant clone: a name and at least one recording."""
        name, parts = required_part(call, "name").data.decode(), call.multipart()
        if not ({"files", "files[]"} & set(parts)):
            raise missing("files")
        labels = parts["labels"].data.decode() if "labels" in parts else "{}"
        description = parts["description"].data.decode() if "description" in parts else None
        view = self._new(account, name, "cloned", json.loads(labels or "{}"))
        self._write(account, {**view, "description": description, "samples": [_sample_view(parts)]})
        return Answer.of_json({"voice_id": view["voice_id"], "requires_verification": False})

    def _add_shared(self, call: Call, account: str, owner: str, voice: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if not body.get("new_name"):
            raise missing("new_name")
        self.known(account, voice)
        return Answer.of_json({"voice_id": self._new(account, str(body["new_name"]), "professional")["voice_id"]})

    def _professional(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        for name in ("name", "language"):
            if not body.get(name):
                raise missing(name)
        view = self._new(account, str(body["name"]), "professional", body.get("labels") or {})
        checked = {"requires_verification": True, "is_verified": False, "verification_failures": []}
        self._write(account, {**view, "voice_verification": {**checked, "verification_attempts_count": 0}})
        return Answer.of_json({"voice_id": view["voice_id"]})

    def _new(self, account: str, name: str, category: str, labels: Any = None, voice: str = "") -> dict[str, Any]:
        view = {
            **voice_view(voice or self.new_id(), name),
            "category": category,
            "labels": labels or {},
            "is_owner": True,
        }
        self._write(account, {**view, "fine_tuning": {"state": {}, "is_allowed_to_fine_tune": True}})
        return self._voice_of(account, str(view["voice_id"]))

    def _add_samples(self, call: Call, account: str, voice: str) -> Answer:
        view, sample = self._own(account, voice), _sample_view(call.multipart())
        self._write(account, {**view, "samples": [*(view["samples"] or []), sample]})
        return Answer.of_json([sample])

    def _captcha(self, call: Call, account: str, voice: str) -> Answer:
        """The picture of the sentence that the owner of the voice has to read aloud."""
        self._own(account, voice)
        return Answer(body=base64.b64decode(SMALL_PNG), media_type="image/png")

    def _verify(self, call: Call, account: str, voice: str) -> Answer:
        view = self._own(account, voice)
        told = {**(view.get("voice_verification") or {}), "requires_verification": False, "is_verified": True}
        self._write(account, {**view, "voice_verification": told})
        return Answer.of_json({"status": "ok"})

    def _train(self, call: Call, account: str, voice: str) -> Answer:
        view = self._own(account, voice)
        if not (view.get("voice_verification") or {}).get("is_verified"):
            raise Refused(400, "voice_not_verified", "The voice has not been verified by its owner")
        model = str((call.json or {}).get("model_id") or "eleven_multilingual_v2")
        self._write(account, {**view, "fine_tuning": {**view["fine_tuning"], "state": {model: "fine_tuned"}}})
        return Answer.of_json({"status": "ok"})

    def _edit(self, call: Call, account: str, voice: str) -> Answer:
        view, parts = self._own(account, voice), call.multipart()
        changed: dict[str, Any] = {name: parts[name].data.decode() for name in ("name", "description") if name in parts}
        if "name" not in changed:
            raise missing("name")
        self._write(account, {**view, **changed})
        return Answer.of_json({"status": "ok"})

    def _change_settings(self, call: Call, account: str, voice: str) -> Answer:
        view, asked = self._own(account, voice), call.json if isinstance(call.json, dict) else {}
        for name, (low, high) in RANGES.items():
            if not low <= float(asked.get(name) or low) <= high:
                raise Refused(400, "invalid_voice_settings", f"{name} must be between {low} and {high}")
        kept = {name: value for name, value in asked.items() if name in view["settings"] and value is not None}
        self._write(account, {**view, "settings": {**view["settings"], **kept}})
        return Answer.of_json({"status": "ok"})

    def _sample(self, call: Call, account: str, voice: str, sample: str) -> Answer:
        found = [item for item in self._own(account, voice)["samples"] or [] if item["sample_id"] == sample]
        if not found:
            raise Refused(404, "sample_not_found", "The sample was not found")
        plan = plan_of(replace(Speech(PREVIEW, voice), seconds=3.0))
        return Answer(media=plan, media_type=plan.media_type)

    def _remove_voice(self, call: Call, account: str, voice: str) -> Answer:
        self._own(account, voice)
        self._file(account, voice).unlink()
        return Answer.of_json({"status": "ok"})

    # -- kept beside the log ---------------------------------------------------------------------------------

    def _folder(self, account: str) -> Path:
        return self.world.folder / "elevenlabs-voices" / account

    def _file(self, account: str, voice: str) -> Path:
        return self._folder(account) / f"{voice if re.fullmatch('[A-Za-z0-9]+', voice) else 'none'}.json"

    def _write(self, account: str, view: dict[str, Any]) -> None:
        path = self._file(account, str(view["voice_id"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(view))


def _sample_view(parts: dict[str, Any]) -> dict[str, Any]:
    file = parts.get("files") or parts.get("files[]")
    if file is None:
        raise missing("files")
    size, name = len(file.data), file.filename or "sample"
    return {"sample_id": f"sample{size}", "file_name": name, "mime_type": file.media_type, "size_bytes": size}
