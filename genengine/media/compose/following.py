"""A crop that moves over a film: the region that it ever shows is decoded, and the window in it is warped to the frame.

Positions are floats; nothing is rounded to whole pixels, so that a slow move does not step.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from genengine.media.compose.geometry import Rect, crop_for
from genengine.media.spec.model import Fit, FocusKey


class Following:
    """The crop of a film of ``source`` pixels to a picture of ``size`` along the path of ``fit``.

    ``region`` (x, y, w, h) is what has to be decoded, in pixels of the source, and ``decoded`` its size once scaled.
    """

    def __init__(self, source: tuple[int, int], fit: Fit, size: tuple[int, int]) -> None:
        self._keys, self._source, self._size = fit.path, source, size
        _, _, self._w, self._h = crop_for(*source, size, fit)
        corners = [self._corner(key.x, key.y) for key in fit.path]
        x0, y0 = (math.floor(min(values)) // 2 * 2 for values in zip(*corners, strict=True))
        x1, y1 = (math.ceil(max(values)) for values in zip(*corners, strict=True))
        w, h = (math.ceil(length / 2) * 2 for length in (x1 + self._w - x0, y1 + self._h - y0))
        self.region = x0, y0, min(source[0] - x0, w), min(source[1] - y0, h)
        self.decoded = tuple(
            max(side, math.ceil(length * side / crop / 2) * 2)
            for length, side, crop in zip(self.region[2:], size, (self._w, self._h), strict=True)
        )

    def window(self, frame: int) -> Rect:
        """The part of the decoded picture that is the crop at a frame of the clip."""
        x, y = self._corner(*focus_at(self._keys, frame))
        kx, ky = self.decoded[0] / self.region[2], self.decoded[1] / self.region[3]
        return Rect((x - self.region[0]) * kx, (y - self.region[1]) * ky, self._w * kx, self._h * ky)

    def _corner(self, x: float, y: float) -> tuple[float, float]:
        left = min(max(0.0, x * self._source[0] - self._w / 2), self._source[0] - self._w)
        top = min(max(0.0, y * self._source[1] - self._h / 2), self._source[1] - self._h)
        return left, top


def focus_at(keys: Sequence[FocusKey], frame: int) -> tuple[float, float]:
    """The focus at a frame: a cubic between the keys that never goes beyond them, still before and after."""
    if frame <= keys[0].frame:
        return keys[0].x, keys[0].y
    if frame >= keys[-1].frame:
        return keys[-1].x, keys[-1].y
    after = bisect_right(keys, frame, key=lambda key: key.frame)
    return _cubic(keys, after - 1, frame, "x"), _cubic(keys, after - 1, frame, "y")


def _cubic(keys: Sequence[FocusKey], index: int, frame: int, axis: str) -> float:
    start, end = keys[index], keys[index + 1]
    length = end.frame - start.frame
    a, b = float(getattr(start, axis)), float(getattr(end, axis))
    p = (frame - start.frame) / length
    q = 1 - p
    pull = _slope(keys, index, axis) * length, _slope(keys, index + 1, axis) * length
    return q * q * (1 + 2 * p) * a + p * p * (3 - 2 * p) * b + p * q * q * pull[0] - p * p * q * pull[1]


def _slope(keys: Sequence[FocusKey], index: int, axis: str) -> float:
    """Harmonic mean of the slopes either side (Fritsch and Carlson, 1980): none where the motion turns or rests. At
    the ends there is one side only: a film may begin and end amid a movement."""
    slopes = [_secant(keys[at], keys[at + 1], axis) for at in (index - 1, index) if 0 <= at < len(keys) - 1]
    one, other = slopes[0], slopes[-1]
    return 0.0 if one * other <= 0 else 2 * one * other / (one + other)


def _secant(start: FocusKey, end: FocusKey, axis: str) -> float:
    return (float(getattr(end, axis)) - float(getattr(start, axis))) / (end.frame - start.frame)
