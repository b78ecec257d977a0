"""The reference ad: what it says (`AD`), and how any ad so described becomes a RenderSpec.

`AD` is 15 s, 1080×1920 at 30: three pictures with zoom and pan, crossfades, outlined captions, a transparent logo,
music to −14 LUFS, H.264 crf 20 veryfast. A description of another ad in the same form is measured with
``python -m benchmarks.render --ad FILE --assets FOLDER`` and written out as a spec with
``python -m benchmarks.render.reference FILE FOLDER OUT.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

Ad = dict[str, Any]
"""Times in seconds, pans as shares of the room that the zoom leaves, sizes in pixels of the frame."""

CAPTIONS = (
    "Meet the bottle that keeps up",
    "Cold for 24 hours",
    "Order today, free shipping",
    "Made for the long way",
    "Fits every bag",
    "Yours by Friday",
)
MOVES = (
    {"zoom": [1.0, 1.12], "pan_from": [0.5, 0.5], "pan_to": [0.5, 0.42]},
    {"zoom": [1.12, 1.0], "pan_from": [0.42, 0.5], "pan_to": [0.58, 0.5]},
    {"zoom": [1.0, 1.12], "pan_from": [0.5, 0.45], "pan_to": [0.5, 0.55]},
)
AD: Ad = {
    "width": 1080,
    "height": 1920,
    "fps": 30,
    "segment_seconds": 5.0,
    "crossfade_seconds": 0.5,
    "segments": [
        {"image": f"p{number}.jpg", "caption": caption, **move}
        for number, (caption, move) in enumerate(zip(CAPTIONS, MOVES, strict=False), 1)
    ],
    "logo": {"file": "logo.png", "width": 220, "corner": "top-right"},
    "music": {"file": "music.wav", "fade_out_seconds": 1.0, "lufs": -14.0, "true_peak_db": -1.0},
    "encode": {"preset": "veryfast", "crf": 20},
}


def with_scenes(ad: Ad, scenes: int) -> Ad:
    """The ad with as many scenes: its moves and captions again and again, its pictures counted on (``p4.jpg``, …)."""
    moves = ad["segments"]
    captions = [segment["caption"] for segment in moves] + list(CAPTIONS[len(moves) :])
    return ad | {
        "segments": [
            moves[index % len(moves)] | {"image": f"p{index + 1}.jpg", "caption": captions[index % len(captions)]}
            for index in range(scenes)
        ]
    }


def slot_frames(ad: Ad) -> tuple[int, int]:
    """Frames of a scene and of a crossfade."""
    return round(ad["segment_seconds"] * ad["fps"]), round(ad["crossfade_seconds"] * ad["fps"])


def spec_of(ad: Ad, *, graphics: bool = True) -> dict[str, Any]:
    """The RenderSpec of the ad. ``graphics`` False leaves only the moving pictures."""
    slot, crossfade = slot_frames(ad)
    music, scenes = ad["music"], len(ad["segments"])
    spec: dict[str, Any] = {
        "version": "1.0",
        "output": {
            "width": ad["width"], "height": ad["height"], "fps": ad["fps"],
            "preset": ad["encode"]["preset"], "crf": ad["encode"]["crf"],
            "loudness_lufs": music["lufs"], "true_peak_dbtp": music["true_peak_db"],
        },
        "assets": {f"p{number}": {"kind": "image"} for number in range(1, scenes + 1)}
        | {"logo": {"kind": "image"}, "music": {"kind": "audio"}},
        "segments": [_segment(ad, index) for index in range(scenes)],
        "audio": {"bed": {"asset": "music", "fade_out_frames": round(music["fade_out_seconds"] * ad["fps"])}},
        "constraints": {"max_duration_s": 60},
    }  # fmt: skip
    if graphics:
        cues = [
            {
                "start_frame": index * slot + (crossfade if index else 0),
                "end_frame": (index + 1) * slot,
                "text": segment["caption"],
            }
            for index, segment in enumerate(ad["segments"])
        ]
        spec["captions"] = {"style": "outline", "position": "bottom", "cues": cues}
        logo = ad["logo"]
        place, size = logo["corner"].replace("-", "_"), round(logo["width"] / ad["width"], 4)
        spec["overlays"] = [{"type": "image", "asset": "logo", "place": place, "size": size}]
    return spec


def _segment(ad: Ad, index: int) -> dict[str, Any]:
    slot, crossfade = slot_frames(ad)
    said = ad["segments"][index]
    start, end = (
        {"zoom": zoom, "x": pan[0], "y": pan[1]}
        for zoom, pan in zip(said["zoom"], (said["pan_from"], said["pan_to"]), strict=True)
    )
    segment: dict[str, Any] = {
        "type": "image",
        "asset": f"p{index + 1}",
        "duration_frames": slot,
        "motion": {"from": start, "to": end, "ease": "linear"},
    }
    if index:
        segment["transition"] = {"type": "crossfade", "frames": crossfade}
    return segment


def files_of(ad: Ad, folder: Path) -> dict[str, Path]:
    """The files by asset id."""
    pictures = {f"p{number}": segment["image"] for number, segment in enumerate(ad["segments"], 1)}
    names = pictures | {"logo": ad["logo"]["file"], "music": ad["music"]["file"]}
    return {name: (folder / file).resolve() for name, file in names.items()}


def write_spec(ad: Ad, folder: Path, out: Path, *, graphics: bool = True) -> Path:
    """Write the spec with the places of its files, as ``python -m genengine.media compile`` takes it."""
    files = {name: str(path) for name, path in files_of(ad, folder).items()}
    out.write_text(json.dumps(spec_of(ad, graphics=graphics) | {"files": files}))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render.reference")
    parser.add_argument("ad", type=Path, help="description of the ad, JSON in the form of `AD`")
    parser.add_argument("assets", type=Path, help="folder of its files")
    parser.add_argument("out", type=Path, help="where the RenderSpec goes")
    arguments = parser.parse_args()
    write_spec(json.loads(arguments.ad.read_text()), arguments.assets, arguments.out)


if __name__ == "__main__":
    main()
