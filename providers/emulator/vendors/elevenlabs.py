"""ElevenLabs' protocol: speech with character times, effects, transcripts, dubbing; errors under ``detail``.

Written from the official clients and the public reference (2026-11). Speech is a hum with gaps between words whose
times are those of the alignment; a transcript names words at the same pace.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.sound import Speech, render_speech
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, Vendor, route
from providers.emulator.wire import Answer, Call

LIMITS = {"eleven_multilingual_v2": 10_000, "eleven_v3": 3_000, "eleven_flash_v2_5": 40_000}
PER_THOUSAND = {"eleven_multilingual_v2": "0.10", "eleven_v3": "0.10", "eleven_flash_v2_5": "0.05"}
VOICES = {"21m00Tcm4TlvDq8ikWAM": "Rachel", "pNInz6obpgDQGcFmaJgB": "Adam", "voice-test": "Test"}
SCRIPT = "Slow mornings taste better with a glass of cold brew from Aurora"
PLAN_CHARACTERS = 10_000_000


class Refused(Exception):
    """An error under ``detail``: HTTP status, code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class ElevenLabsVendor(Vendor):
    """`/v1/text-to-speech`, `/v1/sound-generation`, `/v1/speech-to-text`, `/v1/dubbing`, `/v2/voices`."""

    name = "elevenlabs"

    def routes(self) -> list[Route]:
        dubbing = "/v1/dubbing/{task_id}"
        return [
            route("POST", "/v1/text-to-speech/{voice}/with-timestamps", "submit", self._guarded(self._timed_speech)),
            route("POST", "/v1/text-to-speech/{voice}", "submit", self._guarded(self._speech)),
            route("POST", "/v1/sound-generation", "submit", self._guarded(self._sound)),
            route("POST", "/v1/speech-to-text", "submit", self._guarded(self._transcript)),
            route("POST", "/v1/dubbing", "submit", self._guarded(self._dub)),
            route("GET", f"{dubbing}/audio/{{language}}", "fetch", self._guarded(self._dubbed)),
            route("GET", dubbing, "poll", self._guarded(self._dubbing)),
            route("DELETE", dubbing, "cancel", self._guarded(self._remove)),
            route("GET", "/v1/user/subscription", "account", self._guarded(self._subscription)),
            route("GET", "/v2/voices", "catalogue", self._guarded(self._voices)),
            route("GET", "/v1/models", "catalogue", self._guarded(self._models)),
        ]

    def server_error(self, status: int) -> Answer:
        return _error(status, "internal_server_error", "An unexpected error occurred")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = _error(429, "too_many_concurrent_requests", "Too many concurrent requests")
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return _error(200, "internal_server_error", "An unexpected error occurred")

    def not_found(self, call: Call) -> Answer:
        return Answer.of_json({"detail": "Not Found"}, 404)

    def new_id(self) -> str:
        return "".join(random.SystemRandom().choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=20))

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.headers.get("xi-api-key", ""))
            if not account:
                return _error(401, "invalid_api_key", "Invalid API key")
            try:
                if call.fault and call.fault.do is Trouble.REFUSE_AT_END and "dubbing" not in call.path:
                    raise Refused(400, "content_against_policy", "The text violates our terms of service")
                return work(call, account, **groups)
            except Refused as error:
                return _error(error.status, error.code, error.message)

        return handler

    # -- sound at once ---------------------------------------------------------------------------------------

    def _asked(self, call: Call, voice: str) -> tuple[Speech, str]:
        body = call.json
        if not isinstance(body, dict) or not str(body.get("text") or "").strip():
            raise Refused(422, "validation", "text is required")
        model, text = str(body.get("model_id") or "eleven_multilingual_v2"), str(body["text"])
        if model not in LIMITS:
            raise Refused(400, "unsupported_model", f"Model {model} does not exist")
        if voice not in VOICES:
            raise Refused(404, "voice_not_found", f"A voice with voice_id {voice} was not found")
        if len(text) > LIMITS[model]:
            raise Refused(400, "max_character_limit_exceeded", f"The text has more than {LIMITS[model]} characters")
        speed = float((body.get("voice_settings") or {}).get("speed", 1.0))
        return Speech(" ".join(text.split()), voice, speed), model

    def _timed_speech(self, call: Call, account: str, voice: str) -> Answer:
        speech, model = self._asked(call, voice)
        characters, starts, ends = speech.character_times()
        alignment = {
            "characters": characters,
            "character_start_times_seconds": starts,
            "character_end_times_seconds": ends,
        }

        def wrap(data: bytes) -> bytes:
            sound = base64.b64encode(data).decode()
            return json.dumps(
                {"audio_base64": sound, "alignment": alignment, "normalized_alignment": alignment}
            ).encode()

        answer = Answer(media=_plan(speech), wrap=wrap)
        return self._charged(answer, call, account, model, len(speech.text), _price(model, speech))

    def _speech(self, call: Call, account: str, voice: str) -> Answer:
        speech, model = self._asked(call, voice)
        answer = Answer(media=_plan(speech), media_type="audio/mpeg")
        return self._charged(answer, call, account, model, len(speech.text), _price(model, speech))

    def _sound(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if not str(body.get("text") or "").strip():
            raise Refused(422, "validation", "text is required")
        seconds = float(body.get("duration_seconds") or 3.0)
        if not 0.5 <= seconds <= 30:
            raise Refused(400, "invalid_duration", "duration_seconds must be between 0.5 and 30")
        speech = Speech(str(body["text"]), "effect", seconds=seconds)
        answer = Answer(media=_plan(speech), media_type="audio/mpeg")
        return self._charged(answer, call, account, "sound", 1200, Decimal("0.12"))

    def _transcript(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        if "file" not in parts or not parts["file"].data:
            raise Refused(422, "validation", "file is required")
        if parts.get("model_id") is None or not parts["model_id"].data.startswith(b"scribe_"):
            raise Refused(400, "unsupported_model", "model_id must be a scribe model")
        words: list[dict[str, Any]] = []
        for index, (word, start, end) in enumerate(Speech(SCRIPT).word_times()):
            if index:
                words.append({"text": " ", "start": words[-1]["end"], "end": start, "type": "spacing"})
            words.append(
                {"text": word, "start": start, "end": end, "type": "word", "speaker_id": None, "logprob": -0.1}
            )
        body = {"language_code": "eng", "language_probability": 0.99, "text": SCRIPT, "words": words}
        answer = Answer.of_json({**body, "transcription_id": self.new_id(), "audio_duration_secs": words[-1]["end"]})
        return self._charged(answer, call, account, "scribe", 0, Decimal("0.001"))

    def _charged(self, answer: Answer, call: Call, account: str, model: str, characters: int, cost: Decimal) -> Answer:
        """Record a call that is paid the moment it is answered."""
        draft = Draft(
            account=account,
            kind="call",
            model=model,
            params={"characters": characters},
            cost=cost,
            currency="USD",
            queue_s=0,
            render_s=0,
        )
        task = self.accept(call, draft)
        answer.headers |= {
            "request-id": task.id,
            "character-cost": str(characters),
            "history-item-id": uuid.uuid4().hex[:20],
        }
        return answer.noting(self.bill(task))

    # -- dubbing ---------------------------------------------------------------------------------------------

    def _dub(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        if "file" not in parts or "target_lang" not in parts:
            raise Refused(422, "validation", "file and target_lang are required")
        language = parts["target_lang"].data.decode()
        is_video = parts["file"].media_type.startswith("video/")
        draft = Draft(
            account=account,
            kind="dubbing",
            model="dubbing",
            params={"language": language, "video": is_video, "seconds": 4.0},
            cost=Decimal("0.022"),
            currency="USD",
            queue_s=5,
            render_s=30,
        )
        task = self.accept(call, draft)
        return Answer.of_json({"dubbing_id": task.id, "expected_duration_sec": 4.0}).noting(self.bill(task))

    def _task(self, account: str, task_id: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account or task.cancelled is not None:
            raise Refused(404, "dubbing_not_found", "Dubbing not found")
        return task

    def _dubbing(self, call: Call, account: str, task_id: str) -> Answer:
        task = self._task(account, task_id)
        phase = task.phase(self.world.now())
        status = {"queued": "dubbing", "running": "dubbing", "succeeded": "dubbed"}.get(phase, "failed")
        words = {"refused": "The content violates our policy", "failed": "Something went wrong"}
        view = {
            "dubbing_id": task.id,
            "name": "dubbing",
            "status": "aligning" if call.fault and call.fault.do is Trouble.UNKNOWN_STATE else status,
            "target_languages": [task.params["language"]],
            "media_metadata": {"content_type": "video/mp4" if task.params["video"] else "audio/mpeg", "duration": 4.0},
            "error": words.get(phase),
        }
        return Answer.of_json(view)

    def _dubbed(self, call: Call, account: str, task_id: str, language: str) -> Answer:
        task = self._task(account, task_id)
        if task.phase(self.world.now()) != "succeeded" or language != task.params["language"]:
            raise Refused(404, "dubbing_not_found", "The dub is not ready")
        if not task.params["video"]:
            return Answer(media=_plan(Speech(f"dub {language}", seconds=4.0)), media_type="audio/mpeg")
        clip = Clip("ElevenLabs dubbing", language, 640, 360, 4.0, self.mark_of(task), self.seed_of(task), sound=True)
        plan = MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))
        return Answer(media=plan, media_type="video/mp4")

    def _remove(self, call: Call, account: str, task_id: str) -> Answer:
        self.world.store.cancel(self._task(account, task_id), self.world.now())
        return Answer.of_json({"status": "ok"})

    # -- account and catalogue -------------------------------------------------------------------------------

    def _subscription(self, call: Call, account: str) -> Answer:
        tasks = self.world.store.newest(self.name, account, limit=100_000)
        used = sum(task.params.get("characters", 0) for task in tasks)
        plan = {"tier": "pro", "status": "active", "voice_limit": 160}
        return Answer.of_json({**plan, "character_count": used, "character_limit": PLAN_CHARACTERS})

    def _voices(self, call: Call, account: str) -> Answer:
        voices = [
            {"voice_id": voice, "name": name, "category": "premade", "labels": {"accent": "american"}}
            for voice, name in VOICES.items()
        ]
        return Answer.of_json(
            {"voices": voices, "has_more": False, "total_count": len(voices), "next_page_token": None}
        )

    def _models(self, call: Call, account: str) -> Answer:
        models = [
            {
                "model_id": model,
                "name": model,
                "can_do_text_to_speech": True,
                "maximum_text_length_per_request": limit,
                "languages": [{"language_id": "en", "name": "English"}],
            }
            for model, limit in LIMITS.items()
        ]
        return Answer.of_json(models)


def _plan(speech: Speech) -> MediaPlan:
    return MediaPlan(f"{speech.key()}.mp3", "audio/mpeg", partial(render_speech, speech))


def _price(model: str, speech: Speech) -> Decimal:
    return Decimal(PER_THOUSAND[model]) * len(speech.text) / 1000


def _error(status: int, code: str, message: str) -> Answer:
    return Answer.of_json({"detail": {"status": code, "message": message}}, status)
