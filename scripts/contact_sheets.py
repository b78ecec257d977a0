"""Lay six moments of each acceptance case on one sheet: docs/contact-sheets/<case>.jpg. Frames are drawn, not encoded.

Usage: python -m scripts.contact_sheets [CASE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from genengine.media import parse_spec
from genengine.media.compose.job import Job
from tests.media.acceptance.scenarios import SCENARIOS, files_of

OUT = Path(__file__).resolve().parent.parent / "docs" / "contact-sheets"
MOMENTS, TILE, GAP = 6, 240, 10


def sheet(job: Job) -> Image.Image:
    """Six evenly spaced frames side by side on a light ground."""
    frames = job.spec.duration_frames
    tiles = [job.still(frames * (2 * index + 1) // (2 * MOMENTS)) for index in range(MOMENTS)]
    height = round(TILE * tiles[0].height / tiles[0].width)
    out = Image.new("RGB", (MOMENTS * (TILE + GAP) + GAP, height + 2 * GAP), (236, 236, 238))
    for index, tile in enumerate(tiles):
        out.paste(tile.resize((TILE, height), Image.Resampling.LANCZOS), (GAP + index * (TILE + GAP), GAP))
    return out


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names or list(SCENARIOS):
        values = SCENARIOS[name]()
        spec = parse_spec(values)
        job = Job(spec, files_of(values), {}, None, 1)
        sheet(job).save(OUT / f"{name}.jpg", quality=86)
        print(f"{OUT / name}.jpg: {float(spec.duration_s):g} s")


if __name__ == "__main__":
    main(sys.argv[1:])
