"""Lint of the longest video that is allowed, as full as people fill it: a minute of 20 slots, 21 overlays, 60 captions.

Usage: ``python -m benchmarks.render.longest ASSETS``. Prints one JSON object with CPU seconds in a warm worker: after
a first check, which loads fonts, the faster of two others with other words.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.render.reference import AD, files_of, with_scenes
from genengine.media import lint

PICTURES = 6
FPS = 30


def main() -> None:
    files = files_of(with_scenes(AD, PICTURES), Path(sys.argv[1]))
    print(json.dumps({"minute": round(_seconds({"segments": 20, "overlays": 21, "cues": 60}, files), 3)}))


def _seconds(counts: dict[str, int], files: dict[str, Path]) -> float:
    lint(minute(0, segments=2, overlays=2, cues=2), files)
    taken = []
    for form in (1, 2):
        spec = minute(form, **counts)
        begun = time.process_time()
        lint(spec, {name: files[name] for name in spec["assets"]})
        taken.append(time.process_time() - begun)
    return min(taken)


def minute(form: int, *, segments: int, overlays: int, cues: int) -> dict[str, Any]:
    """A minute with that many slots, overlays (one of them the logo) and captions; ``form`` changes all words."""
    frames = 60 * FPS
    cut = [frames * index // segments for index in range(segments + 1)]
    area = {"left": 0.25, "top": 0.3, "right": 0.75, "bottom": 0.8}
    slots: list[dict[str, Any]] = [
        {"type": "image", "asset": f"p{index % PICTURES + 1}", "duration_frames": end - start, "subject": area}
        for index, (start, end) in enumerate(pairwise(cut))
    ]
    words = [
        {
            "type": "text", "text": f"Offer {index} of series {form}", "style": "headline", "place": "top",
            "start_frame": frames * index // overlays, "end_frame": max(frames * (index + 1) // overlays, 1),
        }
        for index in range(overlays - 1)
    ]  # fmt: skip
    captions = [
        {
            "start_frame": frames * index // cues, "end_frame": frames * (index + 1) // cues,
            "text": f"Sentence {index} that is said in form {form}",
        }
        for index in range(cues)
    ]  # fmt: skip
    return {
        "version": "1.0",
        "output": {"width": 1080, "height": 1920, "fps": FPS, "channel": "tiktok"},
        "assets": {f"p{n}": {"kind": "image"} for n in range(1, PICTURES + 1)}
        | {"logo": {"kind": "image"}, "music": {"kind": "audio"}},
        "segments": slots,
        "captions": {"cues": captions},
        "overlays": [*words, {"type": "image", "asset": "logo", "place": "top_right", "size": 0.2}],
        "audio": {"bed": {"asset": "music"}},
    }


if __name__ == "__main__":
    main()
