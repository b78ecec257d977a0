"""What HeyGen's models can do and cost, and the bodies their calls take. Plain data and functions, no call.

Presenters and speech are priced by HeyGen's page, the clip model by a published client's note of 2026-09: its card is
unverified, and only the two sizes whose price is known are offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from providers.errors import InvalidRequest, Unsupported
from providers.shapes import as_decimal
from providers.values import (
    Facts,
    Feature,
    GenerationRequest,
    InputRole,
    ModelCard,
    PerSecond,
    SecondsRange,
    StagedInputs,
    Task,
)
from providers.voice_values import Voice

CLIP, AGENT, SPEECH = "heygen-video-1", "heygen-video-agent", "heygen-starfish"
PRICED = date(2026, 11, 1)
SPOKEN = SecondsRange(1, 1800, 0.001)
ABILITIES = frozenset({Feature.WEBHOOK, Feature.FIND_BY_KEY})
WORDS_A_SECOND = Decimal("2.5")
ENGINES = {"heygen-avatar-iv": "avatar_iv", "heygen-avatar-iii": "avatar_iii"}
PRESENTER_OPTIONS = frozenset(
    {"voice_id", "avatar_id", "voice_settings", "background", "caption", "motion_prompt", "expressiveness"}
)
OPTIONS = {
    CLIP: frozenset({"prompt_enhancement"}),
    AGENT: frozenset({"avatar_id", "voice_id", "style_id", "incognito_mode"}),
    SPEECH: frozenset({"voice_id", "speed", "language", "locale", "input_type"}),
}


def _presenter(model: str, label: str, price: str, large: str, roles: frozenset[InputRole], **more: Any) -> ModelCard:
    return ModelCard(
        id=model,
        version="v3",
        label=label,
        tasks=frozenset({Task.AVATAR_VIDEO}),
        durations=SPOKEN,
        ratios=("16:9", "9:16", "4:5", "5:4", "1:1"),
        resolutions=("720p", "1080p", "4k"),
        supports=ABILITIES,
        input_roles=roles,
        max_prompt_chars=5000,
        price=PerSecond(Decimal(price), "USD", {"720p": Decimal(price), "1080p": Decimal(price), "4k": Decimal(large)}),
        facts=Facts.DOC,
        prices_as_of=PRICED,
        **more,
    )


VOICE = frozenset({InputRole.AUDIO})
MODELS: tuple[ModelCard, ...] = (
    _presenter("heygen-avatar-iv", "HeyGen Avatar IV", "0.0667", "0.0833", VOICE, speed_s_per_s=20.0, quality=8),
    _presenter("heygen-avatar-iii", "HeyGen Avatar III", "0.0167", "0.02", VOICE, speed_s_per_s=12.0, quality=6),
    _presenter(
        "heygen-photo-avatar-iv",
        "HeyGen photo avatar",
        "0.05",
        "0.0667",
        VOICE | {InputRole.FIRST_FRAME},
        speed_s_per_s=20.0,
        quality=7,
    ),
    ModelCard(
        id=CLIP,
        version=CLIP,
        label="HeyGen Video 1",
        tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
        durations=SecondsRange(5, 15),
        ratios=("16:9", "9:16", "1:1", "4:3", "3:4", "21:9"),
        resolutions=("768p", "480p"),
        supports=frozenset({Feature.SEED}),
        input_roles=frozenset({InputRole.FIRST_FRAME}),
        max_prompt_chars=16_000,
        price=PerSecond(Decimal("0.03"), "USD", {"480p": Decimal("0.02"), "768p": Decimal("0.03")}),
        speed_s_per_s=3.0,
        quality=6,
        facts=Facts.UNSURE,
        unverified=True,
        prices_as_of=date(2026, 9, 25),
        notes="Always with sound. 1080p and 2k exist, but their price is not known, so they are not offered.",
    ),
    ModelCard(
        id=AGENT,
        version="v3",
        label="HeyGen Video Agent",
        tasks=frozenset({Task.AVATAR_VIDEO}),
        durations=SecondsRange(5, 300),
        ratios=("16:9", "9:16"),
        supports=frozenset({Feature.WEBHOOK}),
        input_roles=frozenset({InputRole.REFERENCE}),
        max_references=20,
        max_prompt_chars=9_900,
        price=PerSecond(Decimal("0.0333")),
        speed_s_per_s=8.0,
        quality=7,
        facts=Facts.DOC,
        prices_as_of=PRICED,
        notes="The prompt is a brief, not a script: the agent writes, casts and cuts, and decides the length.",
    ),
    ModelCard(
        id=SPEECH,
        version="starfish",
        label="HeyGen Starfish speech",
        tasks=frozenset({Task.TEXT_TO_SPEECH}),
        max_prompt_chars=5000,
        price=PerSecond(Decimal("0.000667")),
        speed_s_per_s=0.4,
        quality=7,
        facts=Facts.DOC,
        prices_as_of=PRICED,
    ),
)


def check_options(request: GenerationRequest) -> None:
    """Refuse what this model's call does not know, before anything is sent."""
    unknown = set(request.options) - OPTIONS.get(request.model, PRESENTER_OPTIONS)
    if unknown:
        raise Unsupported(f"HeyGen knows no option {', '.join(sorted(unknown))} here; remove it.")
    if request.negative_prompt:
        raise Unsupported("HeyGen knows no negative prompt; write what to avoid into the prompt.")
    if request.seed is not None and request.model != CLIP:
        raise Unsupported("HeyGen takes no seed here; remove it.")


def spoken_seconds(request: GenerationRequest) -> Decimal:
    """The length a text should take to speak, at its speed."""
    return Decimal(max(1, len(request.prompt.split()))) / WORDS_A_SECOND / _speed(request)


def _speed(request: GenerationRequest) -> Decimal:
    speed = as_decimal(request.options.get("speed", 1))
    if speed is None or not Decimal("0.5") <= speed <= 2:
        raise InvalidRequest("options.speed is a number from 0.5 to 2.")
    return speed


def presenter_body(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    """``POST /v3/videos``: an avatar or a photo, and what it says."""
    options = request.options
    body: dict[str, Any] = {"resolution": request.resolution, "aspect_ratio": request.ratio, "fit": "cover"}
    body.update({name: options[name] for name in PRESENTER_OPTIONS - {"avatar_id"} if options.get(name)})
    photo, voice = staged.get(InputRole.FIRST_FRAME), staged.get(InputRole.AUDIO)
    if request.model not in ENGINES:
        if photo is None:
            raise InvalidRequest("The photo avatar needs a photo; add one or choose an avatar model.")
        body.update(type="image", image=_asset(photo.value))
    elif not options.get("avatar_id"):
        raise InvalidRequest("Name the avatar's look in options.avatar_id, as HeyGen lists it.")
    else:
        engine = {"type": ENGINES[request.model]}
        body.update(type="avatar", avatar_id=str(options["avatar_id"]), engine=engine)
    if voice is not None:
        return {**body, "audio_asset_id": voice.value}
    if not request.prompt.strip():
        raise InvalidRequest("A presenter needs a script or a voice file; add one.")
    return {**body, "script": request.prompt}


def clip_body(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    """``POST /v3/models/videos``: from words, or from a first frame whose shape the clip follows."""
    seconds, frame = request.duration_s, staged.get(InputRole.FIRST_FRAME)
    if not request.prompt.strip():
        raise InvalidRequest("HeyGen's clip model needs a prompt; write one.")
    if not 5 <= seconds <= 15 or seconds != int(seconds):
        raise InvalidRequest(f"HeyGen makes clips of 5 to 15 whole seconds, not {seconds:g}; change the length.")
    body: dict[str, Any] = {
        "model": CLIP,
        "mode": request.task.value,
        "prompt": request.prompt,
        "duration": int(seconds),
        "resolution": request.resolution,
        **{name: value for name, value in request.options.items() if value},
    }
    if request.seed is not None:
        body["seed"] = request.seed % 2**32
    if request.task is Task.TEXT_TO_VIDEO:
        return {**body, "aspect_ratio": request.ratio}
    if frame is None:
        raise InvalidRequest("Image to video needs a first frame; add a picture.")
    return {**body, "image": _asset(frame.value)}


def agent_body(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    """``POST /v3/video-agents``: a brief. There is no field for the length: it is asked for in words."""
    if not request.prompt.strip():
        raise InvalidRequest("The Video Agent needs a brief; write what the video is to tell.")
    body: dict[str, Any] = {
        "prompt": f"{request.prompt.strip()}\n\nThe video lasts about {round(request.duration_s)} seconds.",
        "orientation": "portrait" if request.ratio == "9:16" else "landscape",
        **{name: value for name, value in request.options.items() if value},
    }
    files = [_asset(item.value) for item in staged.all(InputRole.REFERENCE)]
    return {**body, "files": files} if files else body


def speech_body(request: GenerationRequest) -> dict[str, Any]:
    """``POST /v3/voices/speech``: a text and a voice that the Starfish engine knows."""
    if not request.prompt.strip() or not request.options.get("voice_id"):
        raise InvalidRequest("Speech needs a text and options.voice_id, as HeyGen lists it for the starfish engine.")
    if len(request.prompt) > 5000:
        raise InvalidRequest(f"HeyGen speaks 5000 characters at once, not {len(request.prompt)}; split the text.")
    speed = {"speed": float(_speed(request))} if "speed" in request.options else {}
    return {"text": request.prompt, **dict(request.options), **speed}


def _asset(asset_id: str) -> dict[str, str]:
    return {"type": "asset_id", "asset_id": asset_id}


def read_voice(item: Mapping[str, Any]) -> Voice:
    """One entry of ``GET /v3/voices``."""
    words = {name: str(item.get(name) or "") for name in ("voice_id", "name", "type", "preview_audio_url")}
    labels = {"gender": str(item["gender"])} if item.get("gender") else {}
    languages = tuple(filter(None, [str(item.get("language") or "")]))
    return Voice(words["voice_id"], words["name"], words["type"], labels, words["preview_audio_url"], languages)
