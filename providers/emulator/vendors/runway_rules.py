"""RunwayML's models, limits, prices in credits and checks, as its clients' types have them (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEXT, IMAGE, RESTYLE, UPSCALE = "text_to_video", "image_to_video", "video_to_video", "video_upscale"
PERFORM, PICTURE, SOUND, SPEECH = "character_performance", "text_to_image", "sound_effect", "text_to_speech"
LARGER, HDR, FILM_SOUND = "image_upscale", "video_to_hdr", "video_to_audio"
AVATAR = "avatar_videos"
CHANGE, DUB, ISOLATE = "speech_to_speech", "voice_dubbing", "voice_isolation"
FROM_SOUND = frozenset({CHANGE, DUB, ISOLATE})
ENDPOINTS = (TEXT, IMAGE, RESTYLE, UPSCALE, PERFORM, PICTURE, SOUND, SPEECH, LARGER, HDR, FILM_SOUND, *FROM_SOUND)
LANGUAGES = frozenset(
    [
        "en",
        "hi",
        "pt",
        "zh",
        "es",
        "fr",
        "de",
        "ja",
        "ar",
        "ru",
        "ko",
        "id",
        "it",
        "nl",
        "tr",
        "pl",
        "sv",
        "fil",
        "ms",
        "ro",
        "uk",
        "el",
        "cs",
        "da",
        "fi",
        "bg",
        "hr",
        "sk",
        "ta",
    ]
)
SIX = frozenset({"1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"})
VEO = frozenset({"1280:720", "720:1280", "1920:1080", "1080:1920"})
STILLS = SIX | frozenset({"1920:1080", "1080:1920", "1024:1024", "1080:1080", "1168:880", "1360:768", "1440:1080"})
SHORT = frozenset(range(2, 11))
LONG = frozenset(range(3, 16))
SMALL = frozenset({"1280:720", "720:1280", "960:960"})
LARGE = frozenset({"1920:1080", "1080:1920", "1440:1440"})
HUGE = frozenset({"3840:2160", "2160:3840", "2880:2880"})
RETIRED = {
    "gen3a_turbo": "gen4_turbo",
    "gen4_aleph": "aleph2",
    "veo3": "veo3.1",
    "upscale_v1": "magnific_video_upscaler_creative",
}
ASPECTS = {
    "16:9": 16 / 9,
    "4:3": 4 / 3,
    "3:2": 1.5,
    "1:1": 1.0,
    "2:3": 2 / 3,
    "3:4": 0.75,
    "9:16": 9 / 16,
    "21:9": 21 / 9,
}
SHORTER_SIDE = {"720p": 720, "1k": 1024, "2k": 1440, "4k": 2160}
FRAME_RATES = {"24": 24, "25": 25, "30": 30, "48": 48, "50": 50, "60": 60, "120": 120, "23_98": 24, "29_97": 30}


@dataclass(frozen=True, slots=True)
class Model:
    """Ratios by endpoint, whole seconds, credits a second silent and with sound, seconds of work a second.

    ``usual`` is the length when none is asked for; 0 means that a length must be given.
    """

    ratios: Mapping[str, frozenset[str]]
    durations: frozenset[int] = SHORT
    credits: float = 5
    sound: float = 0
    render_s: float = 10
    usual: int = 0
    prompt: bool = True
    seconds_a_credit: int = 1


NONE: frozenset[str] = frozenset()
MODELS = {
    "gen4.5": Model({TEXT: frozenset({"1280:720", "720:1280"}), IMAGE: SIX}, SHORT, 12, 0, 12),
    "gen4_turbo": Model({IMAGE: SIX}, SHORT, 5, 0, 5, usual=10, prompt=False),
    "veo3.1": Model({TEXT: VEO, IMAGE: VEO}, frozenset({4, 6, 8}), 20, 40, 15, usual=8),
    "veo3.1_fast": Model({TEXT: VEO, IMAGE: VEO}, frozenset({4, 6, 8}), 10, 15, 8, usual=8),
    **{
        f"{family}_{size}": Model({TEXT: ratios, IMAGE: ratios}, LONG, price, sound, 20, usual=5)
        for family in ("kling3.0", "klingO3")
        for size, ratios, price, sound in (("standard", SMALL, 9, 13), ("pro", LARGE, 12, 17), ("4k", HUGE, 42, 42))
    },
    "kling2.5_turbo_pro": Model({TEXT: SMALL | LARGE, IMAGE: SMALL | LARGE}, frozenset({5, 10}), 7, 0, 10, usual=5),
    "seedance2": Model({TEXT: SMALL | LARGE, IMAGE: SMALL | LARGE}, frozenset(range(4, 16)), 36, 36, 14, usual=5),
    "seedance2_fast": Model({TEXT: SMALL, IMAGE: SMALL}, frozenset(range(4, 16)), 18, 18, 8, usual=5),
    "gemini_omni_flash": Model({TEXT: SMALL, IMAGE: SMALL}, LONG, 10, 0, 8, usual=5),
    "aleph2": Model({RESTYLE: NONE}, credits=15, render_s=14),
    "magnific_video_upscaler_creative": Model({UPSCALE: NONE}, credits=2, render_s=8, prompt=False),
    "enhance_frame_rate": Model({UPSCALE: NONE}, credits=2, render_s=4, prompt=False),
    "act_two": Model({PERFORM: SIX}, credits=5, render_s=9, prompt=False),
    "gwm1_avatars": Model({AVATAR: NONE}, credits=2, sound=2, render_s=4, prompt=False),
    "gen4_image": Model({PICTURE: STILLS}, credits=5, render_s=9),
    "gen4_image_turbo": Model({PICTURE: STILLS}, credits=2, render_s=4),
    "eleven_text_to_sound_v2": Model({SOUND: NONE}, credits=1, render_s=2),
    "gemini_2.5_flash": Model({PICTURE: STILLS}, credits=5, render_s=5),
    "magnific_precision_upscaler_v2": Model({LARGER: NONE}, credits=10, render_s=8, prompt=False),
    "ruby": Model({HDR: NONE}, credits=20, render_s=6, prompt=False),
    "mirelo_sfx_2_0": Model({FILM_SOUND: NONE, SOUND: NONE}, credits=1, render_s=2, prompt=False),
    **{name: Model({SPEECH: NONE}, render_s=2) for name in ("eleven_multilingual_v2", "eleven_v3", "eleven_v4")},
    "eleven_multilingual_sts_v2": Model({CHANGE: NONE}, render_s=1, prompt=False, seconds_a_credit=3),
    "eleven_voice_dubbing": Model({DUB: NONE}, render_s=2, prompt=False, seconds_a_credit=2),
    "eleven_voice_isolation": Model({ISOLATE: NONE}, render_s=1, prompt=False, seconds_a_credit=6),
}


class Refused(Exception):
    """An HTTP error of the vendor: status and words; ``issues`` name the fields of a failed validation."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.field = status, message, field

    @property
    def body(self) -> dict[str, Any]:
        if not self.field:
            return {"error": self.message}
        issue = {"code": "invalid_value", "path": [self.field], "message": self.message}
        return {"error": f"Validation of body failed: {self.field}: {self.message}", "issues": [issue]}


def invalid(field: str, message: str) -> Refused:
    return Refused(400, message, field)


def find_model(body: Any, endpoint: str) -> tuple[str, Model]:
    """The model that is asked for, which must do what this address does."""
    if not isinstance(body, dict):
        raise Refused(400, "Validation of body failed: the body is not a JSON object")
    name = str(body.get("model") or "")
    facts = MODELS.get(name)
    if facts is None or endpoint not in facts.ratios:
        hint = f"; use {RETIRED[name]}" if name in RETIRED else ""
        raise Refused(400, f"Model variant {name!r} is not available{hint}", "model")
    return name, facts


def check_prompt(body: Mapping[str, Any], facts: Model) -> str:
    """1 to 1000 UTF-16 units; some models do without."""
    prompt = body.get("promptText")
    if prompt is None and not facts.prompt:
        return ""
    if not isinstance(prompt, str) or not 1 <= len(prompt.encode("utf-16-le")) // 2 <= 1000:
        raise invalid("promptText", "1 to 1000 characters are required")
    return prompt


def check_clip(body: Mapping[str, Any], facts: Model, endpoint: str) -> dict[str, Any]:
    """Ratio, length and sound of a clip that is made anew."""
    ratio, duration = body.get("ratio"), body.get("duration", facts.usual or None)
    if ratio not in facts.ratios[endpoint]:
        raise invalid("ratio", f"expected one of {sorted(facts.ratios[endpoint])}")
    if not isinstance(duration, int) or isinstance(duration, bool) or duration not in facts.durations:
        raise invalid("duration", f"expected one of {sorted(facts.durations)}")
    return {"size": ratio, "duration": duration, "audio": bool(body.get("audio")) and facts.sound > 0}


def check_seed(body: Mapping[str, Any]) -> int:
    seed = body.get("seed", 0)
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise invalid("seed", "an integer from 0 to 4294967295 is expected")
    return seed


def size_for(shape: float, lines: int) -> str:
    """Width and height in even pixels with ``lines`` on the shorter side."""
    wide, tall = (lines * shape, lines) if shape >= 1 else (lines, lines / shape)
    return f"{max(2, round(wide / 2) * 2)}:{max(2, round(tall / 2) * 2)}"


def upscaled(body: Mapping[str, Any], model: str, width: int, height: int) -> dict[str, Any]:
    """The size and frame rate that an upscale comes to."""
    if model == "enhance_frame_rate":
        rate = str(body.get("targetFramerate"))
        if rate not in FRAME_RATES:
            raise invalid("targetFramerate", f"expected one of {sorted(FRAME_RATES)}")
        return {"size": size_for(width / height, min(width, height)), "fps": FRAME_RATES[rate]}
    resolution = body.get("resolution", "2k")
    if resolution not in SHORTER_SIDE:
        raise invalid("resolution", f"expected one of {list(SHORTER_SIDE)}")
    for name in ("creativity", "sharpen", "smartGrain"):
        value = body.get(name, 0)
        if not isinstance(value, int | float) or not 0 <= value <= 100:
            raise invalid(name, "0 to 100 is expected")
    return {"size": size_for(width / height, SHORTER_SIDE[resolution])}
