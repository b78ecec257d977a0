"""Raw frames of a spec: as we compose them (for the encoding limit), or warped by Lanczos (the truth).

Usage: ``python -m benchmarks.render.frames SPEC.json OUT.yuv [--truth]``, with the places of the files in the spec.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from genengine.media import parse_spec
from genengine.media.compose import canvas
from genengine.media.compose.geometry import Rect
from genengine.media.compose.graphics import draw, graphics
from genengine.media.compose.planes import Frame, empty_frame, soften_chroma, views, yuv444
from genengine.media.compose.sources import Studio
from genengine.media.compose.timeline import pieces
from genengine.media.compose.transitions import mix


class LanczosCanvas(canvas.Canvas):
    """The same windows from the picture itself, every frame by an 8×8 Lanczos warp: dear and as good as it gets."""

    def __init__(self, rgb: np.ndarray) -> None:
        self.height, self.width = rgb.shape[:2]
        y, u, v = yuv444(rgb)
        self._planes = y, soften_chroma(u), soften_chroma(v)

    def draw(self, window: Rect, frame: Frame, size: tuple[int, int]) -> None:
        kx, ky = window.w / size[0], window.h / size[1]
        luma = np.array([[kx, 0, kx / 2 + window.x - 0.5], [0, ky, ky / 2 + window.y - 0.5]])
        chroma = np.array([[2 * kx, 0, kx / 2 + window.x - 0.5], [0, 2 * ky, ky + window.y - 0.5]])
        for plane, target, matrix in zip(self._planes, views(frame, *size), (luma, chroma, chroma), strict=True):
            flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
            shape = (target.shape[1], target.shape[0])
            cv2.warpAffine(plane, matrix, shape, dst=target, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def write(place: Path, out: Path, *, truth: bool) -> None:
    """All frames in order as I420."""
    if truth:
        import genengine.media.compose.sources as sources

        sources.Canvas = LanczosCanvas  # type: ignore[misc]
    said = json.loads(place.read_text())
    files = {name: Path(path) for name, path in said.pop("files").items()}
    spec = parse_spec(said)
    size = (spec.output.width, spec.output.height)
    studio, starts = Studio(spec, files), spec.slot_starts
    layers = [draw(plan, spec, files) for plan in graphics(spec, files)]
    frame, other = empty_frame(*size), empty_frame(*size)
    with out.open("wb") as file:
        for piece in pieces(spec):
            source = studio.open(piece.slot, piece.start - starts[piece.slot])
            before = studio.open(piece.before, piece.start - starts[piece.before]) if piece.before is not None else None
            for number in range(piece.start, piece.end):
                source.draw(number - starts[piece.slot], frame)
                if before is not None and piece.before is not None:
                    other[:] = frame
                    before.draw(number - starts[piece.before], frame)
                    mix(frame, other, spec.segments[piece.slot].transition, number - starts[piece.slot], size)
                for layer in layers:
                    if strength := layer.strength(number):
                        layer.blend(frame, size, strength)
                file.write(frame.data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--truth", action="store_true")
    arguments = parser.parse_args()
    write(arguments.spec, arguments.out, truth=arguments.truth)


if __name__ == "__main__":
    main()
