"""What a request becomes in KlingAI's two designs: address, body, and what must be refused before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.adapters.kling.cards import EXTEND, LIP_SYNC, MULTI, OMNI
from providers.adapters.kling.lips import chosen_face, room_for
from providers.errors import InvalidRequest, Unsupported
from providers.values import Feature, GenerationRequest, InputRole, ModelCard, StagedInputs, Task

LEGACY_NAMES = {
    "kling-3.0": "kling-v3",
    "kling-2.6": "kling-v2-6",
    "kling-2.5-turbo": "kling-v2-5-turbo",
    MULTI: "kling-v1-6",
}
LEGACY_MODES = {"720p": "std", "1080p": "pro", "4k": "4k"}
LEGACY_KINDS = {Task.TEXT_TO_VIDEO: "text2video", Task.IMAGE_TO_VIDEO: "image2video"}
NEW_KINDS = {
    Task.TEXT_TO_VIDEO: "text-to-video",
    Task.IMAGE_TO_VIDEO: "image-to-video",
    Task.REFERENCES_TO_VIDEO: "omni-video",
}
ONLY_LEGACY = {MULTI: "multi-image2video", EXTEND: "video-extend", LIP_SYNC: "advanced-lip-sync"}
"""Operations that the new design does not have; an API key opens them too."""

CLIP_OPTIONS = frozenset({"audio", "multi_shot", "watermark"})
OPTIONS = {
    MULTI: frozenset[str](),
    EXTEND: frozenset({"video_id"}),
    LIP_SYNC: frozenset(
        {"video_id", "video_url", "face_id", "insert_ms", "sound_volume", "original_audio_volume", "watermark"}
    ),
}


def refuse_misfit(card: ModelCard, request: GenerationRequest, staged: StagedInputs, *, legacy: bool) -> None:
    """What cannot be expressed is said before money moves. ``legacy`` is the design that the call will speak."""
    if request.negative_prompt and (not legacy or request.model == LIP_SYNC):
        raise Unsupported("KlingAI takes no negative prompt here; snap the request to its card first.")
    if request.seed is not None:
        raise Unsupported("KlingAI takes no seed; snap the request to its card first.")
    if request.task is Task.IMAGE_TO_VIDEO and staged.get(InputRole.FIRST_FRAME) is None:
        raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
    if request.model != LIP_SYNC and request.duration_s != int(request.duration_s):
        raise InvalidRequest(f"KlingAI makes whole seconds, not {request.duration_s:g}; snap the request first.")
    unknown = set(request.options) - OPTIONS.get(request.model, CLIP_OPTIONS)
    if unknown:
        raise Unsupported(f"KlingAI knows no option {', '.join(sorted(unknown))} here; remove it.")
    if request.model in (OMNI, *ONLY_LEGACY):
        _refuse_operation(card, request, staged)


def _refuse_operation(card: ModelCard, request: GenerationRequest, staged: StagedInputs) -> None:
    if isinstance(card.durations, tuple) and request.duration_s not in card.durations:
        raise InvalidRequest(f"{card.label} makes no {request.duration_s:g} s; snap the request first.")
    if card.resolutions and request.resolution not in card.resolutions:
        raise InvalidRequest(f"{card.label} makes no {request.resolution}; snap the request first.")
    references = staged.all(InputRole.REFERENCE)
    if request.task is Task.REFERENCES_TO_VIDEO and not 1 <= len(references) <= card.max_references:
        raise InvalidRequest(f"{card.label} needs 1 to {card.max_references} pictures, not {len(references)}.")
    if request.model == MULTI and not request.prompt.strip():
        raise InvalidRequest(f"{card.label} needs words that say what the pictures do; add a prompt.")
    if request.model == EXTEND and not request.options.get("video_id"):
        raise InvalidRequest(
            "KlingAI extends only films it made; give the film's video_id (the id in its result, 30 days old at most)."
        )


def new_call(
    card: ModelCard, request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str, *, audio: bool
) -> tuple[str, dict[str, Any]]:
    """Path and body in the design of 2026: the model in the address, numbers as numbers."""
    settings: dict[str, Any] = {"resolution": request.resolution, "duration": int(request.duration_s)}
    if Feature.NATIVE_AUDIO in card.supports:
        settings["audio"] = "native" if audio else "off"
    elif audio:
        raise Unsupported(f"{card.label} makes no sound here; ask for it without audio.")
    if "multi_shot" in request.options:
        settings["multi_shot"] = bool(request.options["multi_shot"])
    body: dict[str, Any] = {"settings": settings, "options": _common(request, key, callback_url)}
    if request.task is not Task.IMAGE_TO_VIDEO:
        settings["aspect_ratio"] = request.ratio
    if request.task is Task.TEXT_TO_VIDEO:
        body["prompt"] = request.prompt
    else:
        pictures = [{"type": _content_type(item.role), "url": item.value} for item in staged.items]
        body["contents"] = [{"type": "prompt", "text": request.prompt}, *pictures]
    return f"/{NEW_KINDS[request.task]}/{request.model}", body


def _content_type(role: InputRole) -> str:
    return "refer_image" if role is InputRole.REFERENCE else role.value


def legacy_call(
    request: GenerationRequest, staged: StagedInputs, key: str, callback_url: str, *, audio: bool
) -> dict[str, Any]:
    """The body in the first design: the model by name, lengths as texts."""
    if request.model == EXTEND:
        body: dict[str, Any] = {"video_id": str(request.options["video_id"])}
        if request.prompt.strip():
            body["prompt"] = request.prompt
    elif request.model not in LEGACY_NAMES:
        raise Unsupported(f"{request.model} exists only with an API key; add one under Providers.")
    else:
        body = _legacy_clip(request, staged, audio=audio)
    if request.negative_prompt:
        body["negative_prompt"] = request.negative_prompt
    return {**body, **_common(request, key, callback_url)}


def _legacy_clip(request: GenerationRequest, staged: StagedInputs, *, audio: bool) -> dict[str, Any]:
    if "multi_shot" in request.options:
        raise Unsupported("Several shots need an API key; add one under Providers, or remove multi_shot.")
    body: dict[str, Any] = {
        "model_name": LEGACY_NAMES[request.model],
        "prompt": request.prompt,
        "mode": LEGACY_MODES[request.resolution],
        "duration": str(int(request.duration_s)),
    }
    if audio:
        body["sound"] = "on"
    if request.task is not Task.IMAGE_TO_VIDEO:
        body["aspect_ratio"] = request.ratio
    if request.task is Task.REFERENCES_TO_VIDEO:
        return {**body, "image_list": [{"image": item.value} for item in staged.all(InputRole.REFERENCE)]}
    names = {InputRole.FIRST_FRAME: "image", InputRole.LAST_FRAME: "image_tail"}
    return {**body, **{names[item.role]: item.value for item in staged.items}}


def _common(request: GenerationRequest, key: str, callback_url: str) -> dict[str, Any]:
    """Our key, the callback and the watermark; the same words in both designs, in different places."""
    common: dict[str, Any] = {"external_task_id": key}
    if callback_url:
        common["callback_url"] = callback_url
    if request.options.get("watermark"):
        common["watermark_info"] = {"enabled": True}
    return common


def lip_sync_call(
    request: GenerationRequest, sound: str, sound_ms: int, session: Mapping[str, Any], key: str, callback_url: str
) -> dict[str, Any]:
    """The body once the film's faces are known: one face, the sound, and where it begins."""
    face = chosen_face(request, session)
    start = room_for(request, sound_ms, int(face.get("start_time") or 0))
    speaking: dict[str, Any] = {
        "face_id": str(face["face_id"]),
        "sound_file": sound,
        "sound_start_time": 0,
        "sound_end_time": sound_ms,
        "sound_insert_time": start,
    }
    volumes = ("sound_volume", "original_audio_volume")
    speaking |= {name: request.options[name] for name in volumes if name in request.options}
    return {
        "session_id": str(session["session_id"]),
        "face_choose": [speaking],
        **_common(request, key, callback_url),
    }
