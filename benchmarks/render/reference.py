"""The reference ad as a RenderSpec: 15 s, 1080×1920 at 30, three pictures with zoom and pan, crossfades, outlined
captions, a transparent logo, music to −14 LUFS, H.264 crf 20 veryfast."""

from __future__ import annotations

from typing import Any

CAPTIONS = (
    "Meet the bottle that keeps up",
    "Cold for 24 hours",
    "Order today, free shipping",
    "Made for the long way",
    "Fits every bag",
    "Yours by Friday",
)
MOVES = (
    ({"zoom": 1.0, "x": 0.5, "y": 0.5}, {"zoom": 1.12, "x": 0.5, "y": 0.42}),
    ({"zoom": 1.12, "x": 0.42, "y": 0.5}, {"zoom": 1.0, "x": 0.58, "y": 0.5}),
    ({"zoom": 1.0, "x": 0.5, "y": 0.45}, {"zoom": 1.12, "x": 0.5, "y": 0.55}),
)
SLOT, CROSSFADE = 150, 15


def ad(scenes: int = 3, *, captions: tuple[str, ...] = CAPTIONS, graphics: bool = True) -> dict[str, Any]:
    """The spec with three scenes (or more of the same kind). ``graphics`` False leaves only the moving pictures."""
    segments = []
    for index in range(scenes):
        start, end = MOVES[index % 3]
        segment: dict[str, Any] = {
            "type": "image",
            "asset": f"p{index + 1}",
            "duration_frames": SLOT,
            "motion": {"from": start, "to": end, "ease": "linear"},
        }
        if index:
            segment["transition"] = {"type": "crossfade", "frames": CROSSFADE}
        segments.append(segment)
    spec: dict[str, Any] = {
        "version": "1.0",
        "output": {"width": 1080, "height": 1920, "fps": 30, "preset": "veryfast", "crf": 20},
        "assets": {f"p{index + 1}": {"kind": "image"} for index in range(scenes)}
        | {"logo": {"kind": "image"}, "music": {"kind": "audio"}},
        "segments": segments,
        "audio": {"bed": {"asset": "music", "fade_out_frames": 30}},
        "constraints": {"max_duration_s": 60},
    }
    if graphics:
        cues = [
            {
                "start_frame": index * SLOT + (CROSSFADE if index else 0),
                "end_frame": (index + 1) * SLOT,
                "text": captions[index % len(captions)],
            }
            for index in range(scenes)
        ]
        spec["captions"] = {"style": "outline", "position": "bottom", "cues": cues}
        spec["overlays"] = [{"type": "image", "asset": "logo", "place": "top_right", "size": 0.2}]
    return spec
