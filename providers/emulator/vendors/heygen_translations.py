"""HeyGen's video translation: one task a language, followed like a video; the third version's calls and words.

Written from the vendor's reference (2026-11). Guesses: the languages that are listed, the price of precision (twice
that of speed), the fields of a listed translation, and that what only the sound was asked for still names a film.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from providers.emulator.inputs import read_film
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, Route, route
from providers.emulator.vendors.heygen_catalogue import CatalogueVendor, page_of
from providers.emulator.vendors.heygen_files import Refused, good
from providers.emulator.wire import Answer, Call, LogNote

PARALLEL = 10  # of videos, agents and translations together
KIND = "translation"
ROOT = "/v3/video-translations"
LANGUAGES = (
    "English", "English (UK)", "Spanish", "Spanish (Spain)", "French", "German", "Italian", "Portuguese (Brazil)",
    "Dutch", "Polish", "Turkish", "Hindi", "Japanese", "Korean", "Chinese (Mandarin, Simplified)", "Arabic",
)  # fmt: skip
SOUND_USD, LIPS_USD = Decimal("0.0167"), Decimal("0.0333")
FACTORS = {"speed": 1, "precision": 2}
STATES = {"queued": "pending", "running": "running", "succeeded": "completed"}


class TranslationsVendor(CatalogueVendor):
    """`/v3/video-translations…`."""

    def translation_routes(self) -> list[Route]:
        guarded, one = self.guarded, f"{ROOT}/{{translation}}"
        return [
            route("POST", ROOT, "submit", guarded(self._translate)),
            route("GET", f"{ROOT}/languages", "catalogue", guarded(self._languages)),
            route("GET", ROOT, "list", guarded(self._translations)),
            route("GET", one, "poll", guarded(self._translation)),
            route("DELETE", one, "cancel", guarded(self._drop_translation)),
        ]

    def _languages(self, call: Call, account: str) -> Answer:
        return good({"languages": list(LANGUAGES)})

    def _translate(self, call: Call, account: str) -> Answer:
        """A task for each language; a key that was used gives the same ids again."""
        body, key = call.json if isinstance(call.json, dict) else {}, call.headers.get("idempotency-key", "")
        languages = body.get("output_languages")
        if not isinstance(languages, list) or not languages:
            raise Refused(400, "invalid_parameter", "output_languages must name at least one", "output_languages")
        drafts = [self.translation_draft(account, body, str(language)) for language in languages]
        if known := self._made_under(account, key):
            note = LogNote(remote_id=known[0], idempotency_key=key, replay=True)
            return good({"video_translation_ids": known}).noting(note)
        if self.world.store.open_count(self.name, account, "", self.world.now()) + len(drafts) > PARALLEL:
            return self.rate_limited(5)
        ids, notes = [], []
        for number, draft in enumerate(drafts):
            named = replace(draft, idempotency_key=f"{key}.{number}" if key else "")
            task = self.accept(replace(call, body=call.body + str(number).encode()), named)
            self.plan_endpoints(task)
            notes.append(self.bill(task))
            ids.append(task.id)
        return replace(good({"video_translation_ids": ids}), further=tuple(notes))

    def _made_under(self, account: str, key: str) -> list[str]:
        """The ids that a key was answered with, in the order of the languages."""
        ids: list[str] = []
        while key and (task := self.world.store.by_key(self.name, account, f"{key}.{len(ids)}")):
            ids.append(task.id)
        return ids

    def translation_draft(self, account: str, body: Mapping[str, Any], language: str) -> Draft:
        if language not in LANGUAGES:
            raise Refused(400, "invalid_parameter", f"{language} is no language of the list", "output_languages")
        mode = str(body.get("mode") or "speed")
        if mode not in FACTORS:
            raise Refused(400, "invalid_parameter", "mode is speed or precision", "mode")
        film = read_film(self.world, self.asset_of(account, body.get("video"), "video"))
        start, end = float(body.get("start_time") or 0), float(body.get("end_time") or film.seconds)
        if not 0 <= start < end:
            raise Refused(400, "invalid_parameter", "end_time must be after start_time", "end_time")
        seconds = round(max(1.0, min(end, film.seconds) - start), 2)
        rate = SOUND_USD if body.get("translate_audio_only") else LIPS_USD * FACTORS[mode]
        params = {
            "type": KIND,
            "title": str(body.get("title") or ""),
            "callback_id": str(body.get("callback_id") or ""),
            "language": language,
            "source": str(body.get("input_language") or "English"),
            "prompt": f"translated into {language}",
            "seconds": seconds,
            "width": film.width,
            "height": film.height,
            "picture": film.picture,
        }
        return Draft(
            account=account,
            kind=KIND,
            model=f"translation-{mode}",
            params=params,
            cost=rate * Decimal(str(seconds)),
            currency="USD",
            queue_s=20,
            render_s=20 * seconds * FACTORS[mode],
            callback_url=str(body.get("callback_url") or ""),
        )

    def translation_of(self, account: str, translation: str) -> StoredTask:
        task = self.world.store.get(self.name, translation)
        if task is None or task.account != account or task.kind != KIND or task.cancelled is not None:
            raise Refused(404, "resource_not_found", f"video translation {translation} does not exist")
        return task

    def _translation(self, call: Call, account: str, translation: str) -> Answer:
        return good(self._translation_view(self.translation_of(account, translation), call.origin))

    def _translations(self, call: Call, account: str) -> Answer:
        mine = self.world.store.newest(self.name, account, limit=10_000)
        kept = [task for task in mine if task.kind == KIND and task.cancelled is None]
        return page_of(call, [self._translation_view(task, call.origin) for task in kept], 100)

    def _drop_translation(self, call: Call, account: str, translation: str) -> Answer:
        self.world.store.cancel(self.translation_of(account, translation), self.world.now())
        return good({"id": translation, "deleted": True})

    def _translation_view(self, task: StoredTask, origin: str) -> dict[str, Any]:
        phase, params = task.phase(self.world.now()), task.params
        languages = {"input_language": params["source"], "output_language": params["language"]}
        view: dict[str, Any] = {"id": task.id, "title": params["title"], **languages, "created_at": int(task.created)}
        view |= {"status": STATES.get(phase, "failed"), "callback_id": params["callback_id"] or None, "video_url": None}
        if phase == "succeeded":
            view |= {"video_url": self.file_url(task, 0, ".mp4", origin), "duration": params["seconds"]}
        elif view["status"] == "failed":
            view["failure_message"] = "The content was rejected" if phase == "refused" else "Translation failed"
        return view
