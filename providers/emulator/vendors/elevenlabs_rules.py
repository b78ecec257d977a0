"""ElevenLabs' limits, voices and prices, and what its answers have in common (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.wire import Answer

LIMITS = {
    "eleven_multilingual_v2": 10_000,
    "eleven_v3": 3_000,
    "eleven_flash_v2_5": 40_000,
    "eleven_turbo_v2_5": 40_000,
    "eleven_flash_v2": 30_000,
    "eleven_turbo_v2": 30_000,
}
PER_THOUSAND = {
    "eleven_multilingual_v2": "0.10",
    "eleven_v3": "0.10",
    "eleven_flash_v2_5": "0.05",
    "eleven_turbo_v2_5": "0.05",
    "eleven_flash_v2": "0.05",
    "eleven_turbo_v2": "0.05",
}
VOICES = {"21m00Tcm4TlvDq8ikWAM": "Rachel", "pNInz6obpgDQGcFmaJgB": "Adam", "voice-test": "Test"}
SPEAKS = {"21m00Tcm4TlvDq8ikWAM": ("en",), "pNInz6obpgDQGcFmaJgB": ("en", "de"), "voice-test": ("en", "es")}
SPOKEN: dict[str, dict[str, Any]] = {
    "en": {"accent": "american", "locale": "en-US", "preview_url": None},
    "de": {"accent": "standard", "locale": "de-DE", "preview_url": None},
    "es": {"accent": "peninsular", "locale": "es-ES", "preview_url": None},
}
# Sample rates and bit rates by codec; the emulator renders the codec at its rate.
FORMATS = {
    "mp3": ("22050_32", "24000_48", "44100_32", "44100_64", "44100_96", "44100_128", "44100_192"),
    "pcm": ("8000", "16000", "22050", "24000", "32000", "44100", "48000"),
    "wav": ("8000", "16000", "22050", "24000", "32000", "44100", "48000"),
    "opus": ("48000_32", "48000_64", "48000_96", "48000_128", "48000_192"),
    "ulaw": ("8000",),
    "alaw": ("8000",),
}
MEDIA_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg", "pcm": "audio/pcm"}
SCRIPT = "Slow mornings taste better with a glass of cold brew from Aurora"
PLAN_CHARACTERS = 10_000_000


class Refused(Exception):
    """An error under ``detail``: HTTP status, code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


SETTINGS = {"stability": 0.5, "similarity_boost": 0.75, "style": 0.0, "use_speaker_boost": True, "speed": 1.0}


def voice_view(voice: str, name: str) -> dict[str, Any]:
    """A voice as lists and look-ups show it."""
    labels = {"accent": "american", "gender": "female", "age": "young", "use_case": "narration"}
    facts = {"category": "premade", "labels": labels, "settings": SETTINGS, "samples": None, "is_owner": False}
    more: dict[str, Any] = {"description": "A clear voice", "preview_url": None, "available_for_tiers": []}
    languages = [
        {"language": code, "model_id": "eleven_multilingual_v2", **SPOKEN[code]} for code in SPEAKS.get(voice, ())
    ]
    more["verified_languages"] = languages
    return {"voice_id": voice, "name": name, **facts, **more, "high_quality_base_model_ids": []}


def model_views() -> list[dict[str, Any]]:
    return [
        {
            "model_id": model,
            "name": model,
            "can_do_text_to_speech": True,
            "can_do_voice_conversion": False,
            "maximum_text_length_per_request": limit,
            "languages": [{"language_id": "en", "name": "English"}, {"language_id": "de", "name": "German"}],
            "model_rates": {"character_cost_multiplier": 1.0 if PER_THOUSAND[model] == "0.10" else 0.5},
            "concurrency_group": "standard" if PER_THOUSAND[model] == "0.10" else "turbo",
        }
        for model, limit in LIMITS.items()
    ]


def check_format(query: Mapping[str, str]) -> tuple[str, int]:
    """Codec and sample rate of ``output_format``."""
    codec, _, rest = str(query.get("output_format") or "mp3_44100_128").partition("_")
    if rest not in FORMATS.get(codec, ()):
        raise Refused(422, "invalid_output_format", f"output_format {codec}_{rest} is not supported")
    return codec, int(rest.partition("_")[0])


def price_of(model: str, speech: Speech) -> Decimal:
    return Decimal(PER_THOUSAND[model]) * len(speech.text) / 1000


def error(status: int, code: str, message: str) -> Answer:
    return Answer.of_json({"detail": {"status": code, "message": message}}, status)


def field_error(field: str, message: str, kind: str = "missing") -> Answer:
    """The list that validation answers with."""
    return Answer.of_json({"detail": [{"loc": ["body", field], "msg": message, "type": kind}]}, 422)
