"""One clip in the manner of an overlay preset: the product cut out, before a ground of its own, without words.

Words come later and are laid over whole films, so the product stands where the presets leave them room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from genengine.media.archetypes.assemble import PRESETS
from genengine.media.archetypes.prepare import prepare
from genengine.media.archetypes.values import Look

TALL = 0.7
STANDS = MappingProxyType({"tall": ("bottom", 0.8, 0.46, 0.05), "wide": ("top_right", 0.46, 0.64, 0.1)})
"""Where the subject stands in a tall frame and in others, its share of the frame's width and height, and its distance
from the edge: words stand above or beside it, and captions find room between or below."""


@dataclass(frozen=True, slots=True)
class SetClip:
    """Segment and overlay of a RenderSpec, the files that they name, and what was decided."""

    segment: dict[str, Any]
    overlay: dict[str, Any]
    files: Mapping[str, Path]
    notes: tuple[str, ...]


def set_clip(preset: str, photo: Path, size: tuple[int, int], frames: int, folder: Path, look: Look) -> SetClip:
    """Set a photo's subject before a ground, for ``frames`` frames of ``size`` pixels; new files go to ``folder``.

    A photo that cannot be cut out well is shown whole as a card. Raises ``CannotAssemble`` for an unknown preset,
    ``RenderFailed`` for a file that cannot be read.
    """
    prepared = prepare(preset, {"photo": photo}, size, folder)
    subject = prepared.materials[0]
    place, width, height, margin = STANDS["tall" if size[0] / size[1] < TALL else "wide"]
    if PRESETS[preset].label == "Split" and place == "bottom":
        place = "bottom_right"
    backdrop = PRESETS[preset].move != "rest" and subject.cutout
    ground: dict[str, Any] = (
        {"type": "image", "asset": "photo", "fit": {"mode": "blurred"}}
        if backdrop
        else {"type": "text", "background": {"from": look.ground, "to": look.ground_to}}
    )
    overlay = {
        "type": "image",
        "asset": subject.asset,
        "area": "frame",
        "start_frame": 0,
        "end_frame": frames,
        "place": place,
        "size": width,
        "max_height": height,
        "margin": margin,
        "shadow": True,
    }
    used = {subject.asset, *(["photo"] if backdrop else [])}
    files = {name: path for name, path in prepared.files.items() if name in used}
    return SetClip(ground | {"duration_frames": frames}, overlay, files, prepared.notes)
