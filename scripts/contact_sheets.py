"""Render the acceptance cases and lay six moments of each on one sheet: docs/contact-sheets/<case>.jpg.

Usage: python -m scripts.contact_sheets [CASE ...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from genengine.media import compile as compile_video
from tests.media.acceptance.measuring import frame
from tests.media.acceptance.scenarios import SCENARIOS, files_of

OUT = Path(__file__).resolve().parent.parent / "docs" / "contact-sheets"
MOMENTS, TILE, GAP = 6, 240, 10


def sheet(video: Path, seconds: float) -> Image.Image:
    """Six evenly spaced frames side by side on a light ground."""
    times = [seconds * (index + 0.5) / MOMENTS for index in range(MOMENTS)]
    tiles = [Image.fromarray(np.asarray(frame(video, at))) for at in times]
    height = round(TILE * tiles[0].height / tiles[0].width)
    out = Image.new("RGB", (MOMENTS * (TILE + GAP) + GAP, height + 2 * GAP), (236, 236, 238))
    for index, tile in enumerate(tiles):
        out.paste(tile.resize((TILE, height), Image.Resampling.LANCZOS), (GAP + index * (TILE + GAP), GAP))
    return out


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or list(SCENARIOS):
            spec = SCENARIOS[name]()
            report = compile_video(spec, files_of(spec), Path(folder) / f"{name}.mp4")
            sheet(report.path, report.duration_ms / 1000).save(OUT / f"{name}.jpg", quality=86)
            print(f"{OUT / name}.jpg: {report.duration_ms / 1000:g} s")


if __name__ == "__main__":
    main(sys.argv[1:])
