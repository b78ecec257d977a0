"""What each of Replicate's models calls its inputs, made of a request. Plain functions, no call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers.errors import InvalidRequest
from providers.values import GenerationRequest, InputRole, StagedInputs

SVD = "stability-ai/stable-video-diffusion"
SVD_FRAMES = 25


def _veo(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    values: dict[str, Any] = {
        "prompt": request.prompt,
        "aspect_ratio": request.ratio,
        "duration": int(request.duration_s),
        "resolution": request.resolution,
        "generate_audio": str(request.options.get("audio", "off")) not in ("off", "False"),
    }
    frame = staged.get(InputRole.FIRST_FRAME)
    return _with(values, image=frame and frame.value, negative_prompt=request.negative_prompt, seed=request.seed)


def _kling(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    frame, last = staged.get(InputRole.FIRST_FRAME), staged.get(InputRole.LAST_FRAME)
    if frame is None:
        raise InvalidRequest("This model needs a first frame; add a picture.")
    values = {
        "prompt": request.prompt,
        "start_image": frame.value,
        "mode": "pro" if request.resolution == "1080p" else "standard",
        "duration": int(request.duration_s),
    }
    return _with(values, end_image=last and last.value, negative_prompt=request.negative_prompt)


def _lipsync(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    video, voice = staged.get(InputRole.VIDEO), staged.get(InputRole.AUDIO)
    if video is None or voice is None:
        raise InvalidRequest("Lip-sync needs a video and a voice; add both.")
    values = {"video": video.value, "audio": voice.value, "sync_mode": request.options.get("sync_mode", "cut_off")}
    return _with(
        values,
        temperature=request.options.get("temperature"),
        active_speaker=request.options.get("active_speaker"),
    )


def _sdxl(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    sides = {"16:9": (1344, 768), "9:16": (768, 1344), "1:1": (1024, 1024), "4:5": (896, 1152)}
    width, height = sides.get(request.ratio, (1024, 1024))
    values = {"prompt": request.prompt, "width": width, "height": height, "num_outputs": 1, "apply_watermark": True}
    return _with(values, negative_prompt=request.negative_prompt, seed=request.seed)


def _whisper(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    voice = staged.get(InputRole.AUDIO)
    if voice is None:
        raise InvalidRequest("Speech to text needs a sound file; add one.")
    values = {"audio": voice.value, "transcription": "plain text"}
    return _with(values, language=request.options.get("language"), initial_prompt=request.prompt or None)


def _svd(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    """25 frames at the rate that makes the asked length; the picture alone decides what is seen."""
    frame = staged.get(InputRole.FIRST_FRAME)
    if frame is None:
        raise InvalidRequest("Stable Video Diffusion needs a first frame; add a picture.")
    values = {
        "input_image": frame.value,
        "video_length": "25_frames_with_svd_xt",
        "sizing_strategy": "maintain_aspect_ratio",
        "frames_per_second": min(30, max(5, round(SVD_FRAMES / request.duration_s))),
    }
    return _with(values, seed=request.seed, motion_bucket_id=request.options.get("motion_bucket_id"))


def _with(values: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {**values, **{name: value for name, value in optional.items() if value not in (None, "")}}


Inputs = Callable[[GenerationRequest, StagedInputs], dict[str, Any]]
INPUTS: dict[str, Inputs] = {
    "google/veo-3": _veo,
    "kwaivgi/kling-v2.1": _kling,
    "sync/lipsync-2-pro": _lipsync,
    "stability-ai/sdxl": _sdxl,
    "openai/whisper": _whisper,
    SVD: _svd,
}
