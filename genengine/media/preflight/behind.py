"""Small pictures of what lies behind words: one still a slot, and for a film one frame near the words' middle."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.canvas import fitted
from genengine.media.compose.keeping_clear import Box
from genengine.media.compose.pictures import load_rgb
from genengine.media.errors import MediaError
from genengine.media.legibility import rgb
from genengine.media.spec.model import Bar, Fit, ImageSegment, RenderSpec, TextSegment
from genengine.media.stills import thumbnail

SMALL_SIDE = 320
MOST_FILM_FRAMES = 6
"""Each costs a decoder's start; more films than this are not looked at."""

Picture = NDArray[np.uint8]


class Behind:
    """Pictures behind frames of one spec, each made once. None where a file is not there or cannot be read."""

    def __init__(self, spec: RenderSpec, files: Mapping[str, Path]) -> None:
        self._spec, self._files = spec, files
        self.scale = SMALL_SIDE / max(spec.output.width, spec.output.height)
        self._size = _even(spec.output.width * self.scale), _even(spec.output.height * self.scale)
        self._made: dict[int, Picture | None] = {}
        self._stills: dict[tuple[str, Fit, int], Picture] = {}
        self._films = 0

    def part(self, frame: int, box: Box) -> Picture | None:
        """The pixels (rows × columns × 3) of ``box`` at a frame, on a small copy."""
        slot = max(index for index, start in enumerate(self._spec.slot_starts) if start <= frame)
        if slot not in self._made:
            try:
                self._made[slot] = self._make(slot, frame)
            except (MediaError, OSError):
                self._made[slot] = None
        picture = self._made[slot]
        if picture is None:
            return None
        x0, y0, x1, y1 = (round(value * self.scale) for value in box)
        cut = picture[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)]
        return cut if cut.size else None

    def _make(self, slot: int, frame: int) -> Picture | None:
        segment = self._spec.segments[slot]
        if isinstance(segment, TextSegment):
            return self._ground(segment)
        path = self._files.get(segment.asset)
        if path is None:
            return None
        above = segment.bar.rows(self._size[1]) if segment.bar else 0
        size = self._size[0], self._size[1] - above
        if isinstance(segment, ImageSegment):
            shown = segment.asset, segment.fit, above
            if shown not in self._stills:
                self._stills[shown] = fitted(load_rgb(path, least=SMALL_SIDE), size, segment.fit, 1.0)
            return _under(self._stills[shown], segment.bar, above)
        self._films += 1
        if self._films > MOST_FILM_FRAMES:
            return None
        at = float((segment.start_frame + frame - self._spec.slot_starts[slot]) / self._spec.output.fps)
        return _under(self._film_frame(path, at, segment.fit, size), segment.bar, above)

    def _film_frame(self, path: Path, at: float, fit: Fit, size: tuple[int, int]) -> Picture:
        with tempfile.TemporaryDirectory(prefix="behind-") as folder:
            still = thumbnail(path, Path(folder) / "still.jpg", at_s=at, width=SMALL_SIDE)
            return fitted(load_rgb(still), size, fit, 1.0)

    def _ground(self, segment: TextSegment) -> Picture:
        top, bottom = (np.array(rgb(value), np.float32) for value in (segment.background_from, segment.background_to))
        share = np.linspace(0, 1, self._size[1], dtype=np.float32)[:, None]
        column = np.rint(top * (1 - share) + bottom * share).astype(np.uint8)
        return np.broadcast_to(column[:, None], (self._size[1], self._size[0], 3))


def _under(picture: Picture, bar: Bar | None, rows: int) -> Picture:
    """The picture with a bar of ``rows`` above it."""
    if bar is None:
        return picture
    above = np.empty((rows, picture.shape[1], 3), np.uint8)
    above[:] = rgb(bar.color)
    return np.concatenate([above, picture])


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
