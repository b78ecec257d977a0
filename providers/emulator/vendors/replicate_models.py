"""Replicate's models with their inputs, limits and prices, and the views of models and versions (2026-11)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MOMENT = "2026-11-01T00:00:00.000Z"
HARDWARE = (
    ("CPU", "cpu"),
    ("Nvidia T4 GPU", "gpu-t4"),
    ("Nvidia L40S GPU", "gpu-l40s"),
    ("2x Nvidia L40S GPU", "gpu-l40s-2x"),
    ("Nvidia A100 (80GB) GPU", "gpu-a100-large"),
    ("Nvidia H100 GPU", "gpu-h100"),
)


class Refused(Exception):
    """A problem+json error: status, detail and the fields that are missing."""

    def __init__(self, status: int, detail: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.fields = status, detail, fields


@dataclass(frozen=True, slots=True)
class Model:
    """What it makes, its required inputs, dollars a second (standard, better) or a call, seconds of work a second."""

    kind: str
    required: tuple[str, ...]
    price: str
    better: str
    render_s: float
    durations: tuple[int, ...] = ()
    community: bool = False
    per_call: bool = False


SVD = "stability-ai/stable-video-diffusion"
MODELS = {
    "google/veo-3": Model("video", ("prompt",), "0.20", "0.40", 14, (4, 6, 8)),
    "google/veo-3-fast": Model("video", ("prompt",), "0.10", "0.15", 7, (4, 6, 8)),
    "google/veo-3.1": Model("video", ("prompt",), "0.20", "0.40", 14, (4, 6, 8)),
    "google/veo-3.1-fast": Model("video", ("prompt",), "0.10", "0.15", 7, (4, 6, 8)),
    "kwaivgi/kling-v2.1": Model("video", ("prompt", "start_image"), "0.05", "0.09", 18, (5, 10)),
    "kwaivgi/kling-v1.6-standard": Model("video", ("prompt",), "0.05", "0.05", 18, (5, 10)),
    "kwaivgi/kling-v1.6-pro": Model("video", ("prompt",), "0.098", "0.098", 18, (5, 10)),
    "kwaivgi/kling-v2.5-turbo-pro": Model("video", ("prompt",), "0.07", "0.07", 10, (5, 10)),
    "kwaivgi/kling-v2.6": Model("video", ("prompt",), "0.07", "0.14", 18, (5, 10)),
    "minimax/video-01": Model("video", ("prompt",), "0.083", "0.083", 15, (6,)),
    "minimax/video-01-live": Model("video", ("prompt", "first_frame_image"), "0.083", "0.083", 15, (6,)),
    "black-forest-labs/flux-schnell": Model("image", ("prompt",), "0.003", "0.003", 2),
    "black-forest-labs/flux-dev": Model("image", ("prompt",), "0.025", "0.025", 4),
    "black-forest-labs/flux-1.1-pro": Model("image", ("prompt",), "0.04", "0.04", 4),
    "minimax/hailuo-02": Model("video", ("prompt",), "0.045", "0.08", 15, (6, 10)),
    "sync/lipsync-2-pro": Model("lipsync", ("video", "audio"), "0.083", "0.083", 12),
    "sync/lipsync-2": Model("lipsync", ("video", "audio"), "0.05", "0.05", 10),
    "stability-ai/sdxl": Model("image", ("prompt",), "0.01", "0.01", 8, community=True),
    SVD: Model("video", ("input_image",), "0.17", "0.17", 20, community=True, per_call=True),
    "openai/whisper": Model("transcript", ("audio",), "0.01", "0.01", 6, community=True),
}
SHAPES = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0}


def version_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def version_view(name: str) -> dict[str, Any]:
    """A version with the input schema that clients read before they run it."""
    required = list(MODELS[name].required)
    inputs = {"type": "object", "required": required, "properties": {field: {"type": "string"} for field in required}}
    schema = {"components": {"schemas": {"Input": inputs, "Output": {"type": "string", "format": "uri"}}}}
    return {"id": version_of(name), "created_at": MOMENT, "cog_version": "0.14.0", "openapi_schema": schema}


def model_view(name: str) -> dict[str, Any]:
    """A model as lists and searches show it."""
    owner, _, model = name.partition("/")
    page = f"https://replicate.com/{name}"
    facts = {"url": page, "visibility": "public", "run_count": 1, "description": None, "default_example": None}
    more = {"github_url": None, "paper_url": None, "license_url": None, "cover_image_url": None}
    return {"owner": owner, "name": model, **facts, **more, "latest_version": version_view(name)}


def find_model(owner: str, model: str) -> str:
    name = f"{owner}/{model}"
    if name not in MODELS:
        raise Refused(404, "The requested resource could not be found.")
    return name


def frames_of_svd(given: Mapping[str, Any]) -> float:
    """Seconds of a Stable Video Diffusion clip: 14 or 25 frames at the asked rate."""
    lengths = {"14_frames_with_svd": 14, "25_frames_with_svd_xt": 25}
    length, rate = str(given.get("video_length", "14_frames_with_svd")), given.get("frames_per_second", 6)
    if length not in lengths:
        raise Refused(422, f"- input.video_length: {length} is not one of {list(lengths)}\n")
    if not isinstance(rate, int) or not 5 <= rate <= 30:
        raise Refused(422, "- input.frames_per_second: Must be between 5 and 30\n")
    return round(lengths[length] / rate, 3)


def iso_time(moment: float) -> str:
    """A moment as Replicate writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
