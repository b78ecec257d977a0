"""ElevenLabs' dubbing: the one task that is submitted, polled and fetched, with its list and transcripts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.faults import Trouble
from providers.emulator.inputs import read_film
from providers.emulator.media.sound import Speech
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan
from providers.emulator.vendors.elevenlabs_calls import CallingVendor, missing, plan_of
from providers.emulator.vendors.elevenlabs_rules import SCRIPT, Refused
from providers.emulator.wire import Answer, Call

LANGUAGES = frozenset(
    "en hi pt zh es fr de ja ar ru ko id it nl tr pl sv fil ms ro uk el cs da fi bg hr sk ta".split()  # noqa: SIM905
)
A_MINUTE = Decimal("0.33")
WORDS = {"refused": "The content violates our policy", "failed": "Something went wrong"}


class DubbingVendor(CallingVendor):
    """`/v1/dubbing` and what lies below it."""

    def dub(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        if "target_lang" not in parts:
            raise missing("target_lang")
        if "file" not in parts and "source_url" not in parts:
            raise Refused(400, "invalid_request", "give a file or source_url")
        language = parts["target_lang"].data.decode()
        if language not in LANGUAGES:
            raise Refused(400, "invalid_language", f"target_lang {language} is not supported")
        film = parts.get("file")
        is_video = film is not None and film.media_type.startswith("video/")
        seconds = read_film(self.world, self.world.save_input(film.data)).seconds if film and is_video else 4.0
        draft = Draft(
            account=account,
            kind="dubbing",
            model="dubbing",
            params={"language": language, "video": is_video, "seconds": seconds},
            cost=(A_MINUTE * Decimal(str(seconds)) / 60).quantize(Decimal("0.000001")),
            currency="USD",
            queue_s=5,
            render_s=30,
        )
        task = self.accept(call, draft)
        return Answer.of_json({"dubbing_id": task.id, "expected_duration_sec": seconds}).noting(self.bill(task))

    def _task(self, account: str, task_id: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.kind != "dubbing" or task.account != account or task.cancelled is not None:
            raise Refused(404, "dubbing_not_found", "Dubbing not found")
        return task

    def _view(self, task: StoredTask) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        kind = "video/mp4" if task.params["video"] else "audio/mpeg"
        return {
            "dubbing_id": task.id,
            "name": "dubbing",
            "status": {"queued": "dubbing", "running": "dubbing", "succeeded": "dubbed"}.get(phase, "failed"),
            "source_language": "en",
            "target_languages": [task.params["language"]],
            "editable": False,
            "created_at": datetime.fromtimestamp(task.created, UTC).isoformat(),
            "media_metadata": {"content_type": kind, "duration": task.params["seconds"]},
            "error": WORDS.get(phase),
        }

    def dubbing(self, call: Call, account: str, task_id: str) -> Answer:
        view = self._view(self._task(account, task_id))
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "aligning"
        return Answer.of_json(view)

    def dubbings(self, call: Call, account: str) -> Answer:
        size, start = min(int(call.query.get("page_size") or 100), 200), int(call.query.get("cursor") or 0)
        mine = [task for task in self.world.store.newest(self.name, account, limit=10_000) if task.kind == "dubbing"]
        kept = [task for task in mine if task.cancelled is None]
        more = len(kept) > start + size
        page = [self._view(task) for task in kept[start : start + size]]
        return Answer.of_json({"dubs": page, "next_cursor": str(start + size) if more else None, "has_more": more})

    def _finished(self, account: str, task_id: str, language: str) -> StoredTask:
        task = self._task(account, task_id)
        if task.phase(self.world.now()) != "succeeded" or language != task.params["language"]:
            raise Refused(404, "dubbing_not_found", "The dub is not ready")
        return task

    def dubbed(self, call: Call, account: str, task_id: str, language: str) -> Answer:
        task = self._finished(account, task_id, language)
        seconds = task.params["seconds"]
        if not task.params["video"]:
            return Answer(media=plan_of(Speech(f"dub {language}", seconds=seconds)), media_type="audio/mpeg")
        seed, mark = self.seed_of(task), self.mark_of(task)
        clip = Clip("ElevenLabs dubbing", language, 640, 360, seconds, mark, seed, sound=True)
        plan = MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))
        return Answer(media=plan, media_type="video/mp4")

    def captions(self, call: Call, account: str, task_id: str, language: str, form: str = "") -> Answer:
        """The dub's words with times as SRT, WebVTT or JSON."""
        self._finished(account, task_id, language)
        form = form or call.query.get("format_type", "srt")
        words = Speech(SCRIPT).word_times()
        start, end = words[0][1], words[-1][2]
        if form == "json":
            return Answer.of_json(
                {"language": language, "utterances": [{"text": SCRIPT, "start_s": start, "end_s": end}]}
            )
        if form not in ("srt", "webvtt"):
            raise Refused(422, "invalid_format", "format_type is srt, webvtt or json")
        times = f"{_stamp(start)} --> {_stamp(end)}"
        text = f"1\n{times}\n{SCRIPT}\n" if form == "srt" else f"WEBVTT\n\n{times.replace(',', '.')}\n{SCRIPT}\n"
        if "transcripts" in call.path:
            return Answer.of_json({"transcript_format": form, form: text})
        return Answer(body=text.encode(), media_type="text/plain")

    def remove(self, call: Call, account: str, task_id: str) -> Answer:
        self.world.store.cancel(self._task(account, task_id), self.world.now())
        return Answer.of_json({"status": "ok"})


def _stamp(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"00:{whole // 60_000:02}:{whole // 1000 % 60:02},{whole % 1000:03}"
