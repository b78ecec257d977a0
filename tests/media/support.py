"""Small specs and measurements shared by the media tests. Everything is rendered for real, only smaller."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genengine.media.ffmpeg.binaries import ffmpeg

REPOSITORY = Path(__file__).resolve().parents[2]
MEDIA = REPOSITORY / "examples" / "media"
CAN = MEDIA / "photos" / "product-can-hero-portrait.jpg"
RANGE = MEDIA / "photos" / "product-range-landscape.jpg"
SQUARE = MEDIA / "photos" / "product-flatlay-square.jpg"
TURNTABLE = MEDIA / "video" / "product-turntable-portrait.mp4"
LOGO = MEDIA / "brand" / "logo-light.png"
MUSIC = MEDIA / "music" / "upbeat.opus"
VOICE = MEDIA / "voice" / "voiceover_explainer_en.opus"


def small_output(**changes: Any) -> dict[str, Any]:
    """A quick output: 180×320 at 30 frames a second."""
    return {"width": 180, "height": 320, "preset": "ultrafast", "crf": 20, **changes}


def image_spec(frames: int = 30, **changes: Any) -> dict[str, Any]:
    """One picture with a slow zoom; ``changes`` replace top-level fields."""
    spec: dict[str, Any] = {
        "version": "1.0",
        "output": small_output(),
        "assets": {"can": {"kind": "image"}},
        "segments": [
            {
                "type": "image",
                "asset": "can",
                "duration_frames": frames,
                "motion": {"from": {"zoom": 1.0}, "to": {"zoom": 1.1}},
            }
        ],
    }
    return spec | changes


def frames_of(video: Path, width: int, height: int) -> NDArray[np.uint8]:
    """All frames as RGB: frames × height × width × 3."""
    argv = [ffmpeg(), "-v", "error", "-i", str(video), "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    raw = subprocess.run(argv, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def make_video(path: Path, *arguments: str) -> Path:
    """A test clip by ffmpeg's own sources, such as ``-f lavfi -i testsrc2=…``."""
    subprocess.run([ffmpeg(), "-v", "error", "-y", *arguments, str(path)], check=True)
    return path
