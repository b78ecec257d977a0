"""ElevenLabs' protocol: speech with character times, voices, the account; errors under ``detail``.

Written from the official clients and the public reference (2026-11). Speech is a hum with gaps between words whose
times are those of the alignment; a transcript names words at the same pace.
"""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.elevenlabs_calls import missing, plan_of, sound_answer
from providers.emulator.vendors.elevenlabs_design import DesignVendor
from providers.emulator.vendors.elevenlabs_dictionaries import DictionariesVendor
from providers.emulator.vendors.elevenlabs_dubbing import DubbingVendor
from providers.emulator.vendors.elevenlabs_history import HistoryVendor
from providers.emulator.vendors.elevenlabs_rules import (
    LIMITS,
    PLAN_CHARACTERS,
    Refused,
    model_views,
    price_of,
)
from providers.emulator.vendors.elevenlabs_studio import StudioVendor
from providers.emulator.vendors.elevenlabs_transcripts import TranscriptsVendor
from providers.emulator.wire import Answer, Call

DAY_MS = 86_400_000
REFUSED_RIGHTS = (
    "can_extend_character_limit",
    "allowed_to_extend_character_limit",
    "can_extend_voice_limit",
    "can_use_instant_voice_cloning",
    "can_use_professional_voice_cloning",
    "has_open_invoices",
)


class ElevenLabsVendor(StudioVendor, DesignVendor, DictionariesVendor, TranscriptsVendor, DubbingVendor, HistoryVendor):
    """`/v1/text-to-speech`, `/v1/user`, `/v1/usage`, and the addresses of the other modules."""

    name = "elevenlabs"

    def routes(self) -> list[Route]:
        return [
            *self._speech_routes(),
            *self._studio_routes(),
            *self.transcript_routes(),
            *self.voice_routes(),
            *self.design_routes(),
            *self.dictionary_routes(),
            *self._dubbing_routes(),
            *self._account_routes(),
            *self._history_routes(),
        ]

    def _speech_routes(self) -> list[Route]:
        speech = "/v1/text-to-speech/{voice}"
        return [
            route("POST", f"{speech}/stream/with-timestamps", "submit", self.guarded(self._timed_stream)),
            route("POST", f"{speech}/with-timestamps", "submit", self.guarded(self._timed_speech)),
            route("POST", f"{speech}/stream", "submit", self.guarded(self._speech)),
            route("POST", speech, "submit", self.guarded(self._speech)),
        ]

    def _studio_routes(self) -> list[Route]:
        changer = "/v1/(?:voice-changer|speech-to-speech)/{voice}"
        return [
            route("POST", "/v1/sound-generation", "submit", self.guarded(self.sound)),
            route("POST", "/v1/music/plan", "plan", self.guarded(self.music_plan)),
            route("POST", "/v1/music/detailed", "submit", self.guarded(self.detailed_music)),
            route("POST", "/v1/music(?:/stream)?", "submit", self.guarded(self.music)),
            route("POST", changer + "(?:/stream)?", "submit", self.guarded(self.change_voice)),
            route("POST", "/v1/audio-isolation(?:/stream)?", "submit", self.guarded(self.isolate)),
            route("POST", "/v1/music/video-to-music", "submit", self.guarded(self.music_for_film)),
            route("POST", "/v1/music/stem-separation", "submit", self.guarded(self.stems)),
            route("POST", "/v1/text-to-dialogue(?:/stream)?", "submit", self.guarded(self.dialogue)),
            route("POST", "/v1/text-to-dialogue/with-timestamps", "submit", self.guarded(self.timed_dialogue)),
            route("POST", "/v1/forced-alignment", "submit", self.guarded(self.align)),
        ]

    def _dubbing_routes(self) -> list[Route]:
        dubbing = "/v1/dubbing/{task_id}"
        return [
            route("POST", "/v1/dubbing", "submit", self.guarded(self.dub)),
            route("GET", "/v1/dubbing", "list", self.guarded(self.dubbings)),
            route("GET", f"{dubbing}/audio/{{language}}", "fetch", self.guarded(self.dubbed)),
            route("GET", f"{dubbing}/transcripts/{{language}}/format/{{form}}", "fetch", self.guarded(self.captions)),
            route("GET", f"{dubbing}/transcript/{{language}}", "fetch", self.guarded(self.captions)),
            route("GET", dubbing, "poll", self.guarded(self.dubbing)),
            route("DELETE", dubbing, "cancel", self.guarded(self.remove)),
        ]

    def _account_routes(self) -> list[Route]:
        return [
            route("GET", "/v1/user/subscription", "account", self.guarded(self._subscription)),
            route("GET", "/v1/user", "account", self.guarded(self._user)),
            route("GET", "/v1/usage/character-stats", "account", self.guarded(self._usage)),
            route("GET", "/v1/models", "catalogue", self.guarded(self._models)),
        ]

    # -- speech ----------------------------------------------------------------------------------------------

    def _asked(self, call: Call, account: str, voice: str) -> tuple[Speech, str]:
        body = call.json
        if not isinstance(body, dict) or not str(body.get("text") or "").strip():
            raise missing("text")
        model, text = str(body.get("model_id") or "eleven_multilingual_v2"), str(body["text"])
        if model not in LIMITS:
            raise Refused(400, "unsupported_model", f"Model {model} does not exist")
        self.known(account, voice)
        self.check_locators(account, body)
        if len(text) > LIMITS[model]:
            raise Refused(400, "max_character_limit_exceeded", f"The text has more than {LIMITS[model]} characters")
        speed = float((body.get("voice_settings") or {}).get("speed") or 1.0)
        if not 0.7 <= speed <= 1.2:
            raise Refused(400, "invalid_voice_settings", "speed must be between 0.7 and 1.2")
        return Speech(" ".join(text.split()), voice, speed), model

    def _speech(self, call: Call, account: str, voice: str) -> Answer:
        speech, model = self._asked(call, account, voice)
        return self.charged(
            sound_answer(speech, call), call, account, model, len(speech.text), price_of(model, speech), speech
        )

    def _timed_speech(self, call: Call, account: str, voice: str) -> Answer:
        speech, model = self._asked(call, account, voice)
        alignment = _times(speech, 0, len(speech.text))

        def wrap(data: bytes) -> bytes:
            sound = base64.b64encode(data).decode()
            return json.dumps(
                {"audio_base64": sound, "alignment": alignment, "normalized_alignment": alignment}
            ).encode()

        answer = Answer(media=plan_of(speech), wrap=wrap)
        return self.charged(answer, call, account, model, len(speech.text), price_of(model, speech), speech)

    def _timed_stream(self, call: Call, account: str, voice: str) -> Answer:
        """The timed answer as one JSON line a word."""
        speech, model = self._asked(call, account, voice)
        cuts = [0, *(index + 1 for index, char in enumerate(speech.text) if char == " "), len(speech.text)]

        def wrap(data: bytes) -> bytes:
            step = -(-len(data) // (len(cuts) - 1))
            lines = []
            for number, (first, last) in enumerate(pairwise(cuts)):
                part, times = data[number * step : (number + 1) * step], _times(speech, first, last)
                sound = base64.b64encode(part).decode()
                lines.append(json.dumps({"audio_base64": sound, "alignment": times, "normalized_alignment": times}))
            return ("\n".join(lines) + "\n").encode()

        answer = Answer(media=plan_of(speech), wrap=wrap)
        return self.charged(answer, call, account, model, len(speech.text), price_of(model, speech), speech)

    # -- account and catalogue -------------------------------------------------------------------------------

    def _subscription(self, call: Call, account: str) -> Answer:
        return Answer.of_json(self._plan(account))

    def _plan(self, account: str) -> dict[str, Any]:
        tasks = self.world.store.newest(self.name, account, limit=100_000)
        used = sum(task.params.get("characters", 0) for task in tasks)
        return {
            "tier": "pro",
            "status": "active",
            "character_count": used,
            "character_limit": PLAN_CHARACTERS,
            "max_credit_limit_extension": 0,
            "next_character_count_reset_unix": int(self.world.now()) + 2_592_000,
            "voice_limit": 160,
            "voice_slots_used": 0,
            "voice_add_edit_counter": 0,
            "professional_voice_limit": 1,
            "professional_voice_slots_used": 0,
            "professional_voice_slots_used_in_workspace": 0,
            "current_overage": {"amount": "0.00", "currency": "usd"},
            "open_invoices": [],
            **dict.fromkeys(REFUSED_RIGHTS, False),
        }

    def _user(self, call: Call, account: str) -> Answer:
        done = {"is_new_user": False, "is_onboarding_completed": True, "is_onboarding_checklist_completed": True}
        more = {"can_use_delayed_payment_methods": False, "created_at": 1_700_000_000, "seat_type": "workspace_admin"}
        names = {"user_id": account, "workspace_id": account, "subscription": self._plan(account)}
        return Answer.of_json({**names, **done, **more})

    def _usage(self, call: Call, account: str) -> Answer:
        """Characters a day between two moments in milliseconds; the day begins at midnight UTC."""
        try:
            first, last = (int(call.query[name]) for name in ("start_unix", "end_unix"))
        except (KeyError, ValueError) as error:
            raise missing("start_unix") from error
        days = list(range(first - first % DAY_MS, last + 1, DAY_MS))
        if not 1 <= len(days) <= 3660:
            raise Refused(400, "invalid_time_range", "end_unix must be after start_unix")
        used = dict.fromkeys(days, 0)
        for task in self.world.store.newest(self.name, account, limit=100_000):
            day = int(task.created * 1000) // DAY_MS * DAY_MS
            if day in used:
                used[day] += int(task.params.get("characters", 0))
        return Answer.of_json({"time": days, "usage": {"All": list(used.values())}})

    def _models(self, call: Call, account: str) -> Answer:
        return Answer.of_json(model_views())


def _times(speech: Speech, first: int, last: int) -> dict[str, Any]:
    characters, starts, ends = speech.character_times()
    return {
        "characters": characters[first:last],
        "character_start_times_seconds": starts[first:last],
        "character_end_times_seconds": ends[first:last],
    }
