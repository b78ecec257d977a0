"""ElevenLabs beyond speech: effects, music, voice changer, isolation, alignment, dialogue."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.vendors.elevenlabs_calls import missing, plan_of, required_part, sound_answer
from providers.emulator.vendors.elevenlabs_rules import SCRIPT, Refused
from providers.emulator.vendors.elevenlabs_voices import VoicesVendor
from providers.emulator.wire import Answer, Call

MUSIC_MODELS = ("music_v1", "music_v2", "music_v2_5")
BOUNDARY = "emulated-music"
STEMS = ("vocals", "drums", "bass", "other")


class StudioVendor(VoicesVendor):
    """`/v1/sound-generation`, `/v1/music…`, `/v1/voice-changer`, `/v1/audio-isolation`, `/v1/text-to-dialogue`."""

    def sound(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if not str(body.get("text") or "").strip():
            raise missing("text")
        seconds = float(body.get("duration_seconds") or 3.0)
        if not 0.5 <= seconds <= 30:
            raise Refused(400, "invalid_duration", "duration_seconds must be between 0.5 and 30")
        speech = Speech(str(body["text"]), "effect", seconds=seconds)
        return self.charged(sound_answer(speech, call), call, account, "sound", 1200, Decimal("0.12"))

    # -- music -----------------------------------------------------------------------------------------------

    def music(self, call: Call, account: str) -> Answer:
        speech = self._asked_music(call)
        answer = self.charged(sound_answer(speech, call), call, account, "music", 3000, _music_price(speech))
        answer.headers["song-id"] = answer.headers["request-id"]
        return answer

    def detailed_music(self, call: Call, account: str) -> Answer:
        """JSON about the piece and the piece itself, as one multipart answer."""
        speech = self._asked_music(call)
        about = {"composition_plan": _plan(str(call.json.get("prompt") or ""), speech.seconds), "song_metadata": {}}

        def wrap(data: bytes) -> bytes:
            first = f"--{BOUNDARY}\nContent-Type: application/json\n\n{json.dumps(about)}\n"
            head = f"--{BOUNDARY}\r\nContent-Type: audio/mpeg\r\nContent-Disposition: attachment; "
            return (
                first.encode() + f'{head}filename="song.mp3"\r\n\r\n'.encode() + data + f"\r\n--{BOUNDARY}--".encode()
            )

        answer = Answer(media=plan_of(speech), media_type=f"multipart/mixed; boundary={BOUNDARY}", wrap=wrap)
        return self.charged(answer, call, account, "music", 3000, _music_price(speech))

    def music_plan(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if not body.get("prompt"):
            raise missing("prompt")
        return Answer.of_json(_plan(str(body["prompt"]), float(body.get("music_length_ms") or 30_000) / 1000))

    def music_for_film(self, call: Call, account: str) -> Answer:
        """Music as long as a film that is not looked into: half a minute."""
        parts = call.multipart()
        if not {"video", "videos", "file", "files"} & set(parts):
            raise missing("videos")
        speech = Speech("music for a film", "music", seconds=30.0)
        return self.charged(sound_answer(speech, call), call, account, "music", 3000, _music_price(speech))

    def stems(self, call: Call, account: str) -> Answer:
        """A ZIP of the parts of a piece."""
        required_part(call, "file")

        def wrap(data: bytes) -> bytes:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                for stem in STEMS:
                    archive.writestr(f"{stem}.mp3", data)
            return packed.getvalue()

        answer = Answer(media=plan_of(Speech("stem", "music", seconds=10.0)), media_type="application/zip", wrap=wrap)
        return self.charged(answer, call, account, "stems", 1000, Decimal("0.05"))

    @staticmethod
    def _asked_music(call: Call) -> Speech:
        body = call.json if isinstance(call.json, dict) else {}
        prompt, plan = body.get("prompt"), body.get("composition_plan")
        if (prompt is None) == (plan is None):
            raise Refused(422, "invalid_parameters", "give either prompt or composition_plan")
        if body.get("model_id", "music_v1") not in MUSIC_MODELS:
            raise Refused(400, "unsupported_model", "model_id must be a music model")
        sections = plan.get("sections", []) if isinstance(plan, dict) else []
        length = sum(int(part["duration_ms"]) for part in sections) if plan else body.get("music_length_ms") or 30_000
        if not 3_000 <= int(length) <= 600_000:
            raise Refused(400, "invalid_music_length", "music_length_ms must be between 3000 and 600000")
        if "in the style of" in str(prompt).lower():
            raise Refused(400, "bad_prompt", "The prompt names protected material")
        return Speech(str(prompt or "music"), "music", seconds=int(length) / 1000)

    # -- voices and recordings -------------------------------------------------------------------------------

    def change_voice(self, call: Call, account: str, voice: str) -> Answer:
        required_part(call, "audio")
        answer = sound_answer(Speech(SCRIPT, self.known(account, voice)), call)
        return self.charged(answer, call, account, "voice-changer", 1000, Decimal("0.01"))

    def isolate(self, call: Call, account: str) -> Answer:
        required_part(call, "audio")
        answer = Answer(media=plan_of(Speech(SCRIPT, "isolated")), media_type="audio/mpeg")
        return self.charged(answer, call, account, "isolation", 1000, Decimal("0.01"))

    def dialogue(self, call: Call, account: str) -> Answer:
        text, cost = self._lines(call, account)
        return self.charged(sound_answer(Speech(text, "dialogue"), call), call, account, "eleven_v3", len(text), cost)

    def timed_dialogue(self, call: Call, account: str) -> Answer:
        """The dialogue with the times of its characters and of who speaks when."""
        text, cost = self._lines(call, account)
        speech = Speech(" ".join(text.split()), "dialogue")
        signs, starts, ends = speech.character_times()
        times = {"character_start_times_seconds": starts, "character_end_times_seconds": ends}
        alignment = {"characters": signs, **times}
        segments, at = [], 0
        for number, item in enumerate(call.json["inputs"]):
            last = min(len(signs), at + len(str(item.get("text") or "")))
            span = {"start_time_seconds": starts[at], "end_time_seconds": ends[last - 1]}
            indexes = {"character_start_index": at, "character_end_index": last, "dialogue_input_index": number}
            segments.append({"voice_id": item["voice_id"], **span, **indexes})
            at = min(len(signs) - 1, last + 1)

        def wrap(data: bytes) -> bytes:
            told = {"audio_base64": base64.b64encode(data).decode(), "alignment": alignment}
            return json.dumps({**told, "normalized_alignment": alignment, "voice_segments": segments}).encode()

        answer = Answer(media=plan_of(speech), wrap=wrap)
        return self.charged(answer, call, account, "eleven_v3", len(text), cost)

    def _lines(self, call: Call, account: str) -> tuple[str, Decimal]:
        """What is said by all speakers, and its price."""
        inputs = call.json.get("inputs") if isinstance(call.json, dict) else None
        if not isinstance(inputs, list) or not inputs:
            raise missing("inputs")
        for item in inputs:
            self.known(account, str(item.get("voice_id")))
        text = " ".join(str(item.get("text") or "") for item in inputs)
        if not text.strip():
            raise missing("text")
        return text, Decimal("0.10") * len(text) / 1000

    def align(self, call: Call, account: str) -> Answer:
        required_part(call, "file")
        speech = Speech(" ".join(required_part(call, "text").data.decode().split()))
        signs, starts, ends = speech.character_times()
        characters = [{"text": c, "start": s, "end": e} for c, s, e in zip(signs, starts, ends, strict=True)]
        words = [{"text": word, "start": start, "end": end, "loss": 0.1} for word, start, end in speech.word_times()]
        answer = Answer.of_json({"characters": characters, "words": words, "loss": 0.1})
        return self.charged(answer, call, account, "alignment", 0, Decimal("0.001"))


def _music_price(speech: Speech) -> Decimal:
    return Decimal("0.005") * Decimal(str(speech.seconds))


def _plan(prompt: str, seconds: float) -> dict[str, Any]:
    """A composition plan of one section."""
    styles = [word for word in prompt.split() if len(word) > 3][:5] or ["calm"]
    section = {"section_name": "Theme", "positive_local_styles": styles, "negative_local_styles": [], "lines": []}
    plan = {"positive_global_styles": styles, "negative_global_styles": []}
    return {**plan, "sections": [{**section, "duration_ms": round(seconds * 1000)}]}
