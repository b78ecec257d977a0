"""A still picture that can be looked at from any sub-pixel window.

Luma is warped bilinearly from a 2× Lanczos canvas, which is sharper and steadier than a bicubic warp from 1× at a
third of its price; chroma stays at full size, low-passed once, and is warped to half size. Built once a picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.geometry import Rect, contained, crop_for
from genengine.media.compose.planes import Frame, soften_chroma, views, yuv444
from genengine.media.native.scaling import scale_plane
from genengine.media.spec.model import Fit, Inset

Picture = NDArray[np.uint8]
BLUR_SIGMA, BLUR_DIM = 1 / 7, 0.6
"""Of a ground made of the picture itself: how soft, as a part of the frame's width, and how bright. Sharper or
brighter, and a product in front of it is seen twice."""

SOFT_AFTER = 0.04
"""Of the frame's height: how far from its edge a continued ground is wholly soft."""

GRAIN = 1.2
"""In steps of 8 bits: what keeps a soft ground from showing bands."""


class Canvas:
    """A picture fitted to the frame's ratio; ``draw`` shows any window of it (in pixels of ``width`` × ``height``)."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self.height, self.width = rgb.shape[:2]
        y, u, v = yuv444(rgb)
        self._luma = _scaled(y, (self.width * 2, self.height * 2), cv2.INTER_LANCZOS4)
        self._chroma = soften_chroma(u), soften_chroma(v)

    def draw(self, window: Rect, frame: Frame, size: tuple[int, int]) -> None:
        """Fill ``frame`` (I420 of ``size``) with ``window``."""
        width, height = size
        kx, ky = window.w / width, window.h / height
        y, u, v = views(frame, width, height)
        scale_plane(self._luma, y, (2 * kx, kx + 2 * window.x - 0.5), (2 * ky, ky + 2 * window.y - 0.5))
        for source, target in zip(self._chroma, (u, v), strict=True):
            scale_plane(source, target, (2 * kx, kx / 2 + window.x - 0.5), (2 * ky, ky + window.y - 0.5))


def fitted(rgb: NDArray[np.uint8], frame: tuple[int, int], fit: Fit, zoom: float) -> NDArray[np.uint8]:
    """The picture in the frame's ratio, with just the pixels that the closest ``zoom`` can show."""
    target = _even(frame[0] * zoom), _even(frame[1] * zoom)
    if fit.mode == "blurred":
        return _blur(rgb, target)
    if fit.mode == "blurred_fill":
        return _over_blur(rgb, target)
    if fit.inset is not None:
        return _set_in(rgb, target, fit, fit.inset)
    x, y, w, h = crop_for(rgb.shape[1], rgb.shape[0], frame, fit)
    return resized(rgb[y : y + h, x : x + w], target)


def resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Area average when shrinking, Lanczos when enlarging."""
    if (rgb.shape[1], rgb.shape[0]) == size:
        return np.ascontiguousarray(rgb)
    shrinks = size[0] * size[1] < rgb.shape[0] * rgb.shape[1]
    return _scaled(rgb, size, cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)


def _set_in(rgb: Picture, size: tuple[int, int], fit: Fit, inset: Inset) -> Picture:
    """The crop smaller than the frame, with as much of the picture around it as there is."""
    x, y, w, _ = crop_for(rgb.shape[1], rgb.shape[0], size, fit)
    scale = size[0] * inset.scale / w
    room = [side * (1 - inset.scale) for side in size]
    spans = []
    for start, before, side, whole in zip(
        (x, y), (room[0] * inset.x, room[1] * inset.y), size, rgb.shape[1::-1], strict=True
    ):
        first = start - before / scale
        low, high = max(0, round(first)), min(whole, round(first + side / scale))
        spans.append((low, high, round((low - first) * scale), round((high - first) * scale), side))
    (x0, x1, left, right, width), (y0, y1, top, bottom, height) = spans
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    picture = resized(rgb[y0:y1, x0:x1], (right - left, bottom - top))
    return _gone_on(picture, (left, top, width - right, height - bottom))


def _gone_on(picture: Picture, room: tuple[int, int, int, int]) -> Picture:
    """The picture with its ground continued by ``room`` pixels (left, top, right, bottom): for the first few it is
    mirrored, so that there is no seam; further out its softened edge goes on, so that nothing is seen twice."""
    if not any(room):
        return picture
    left, top, right, bottom = room
    whole = np.asarray(cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_REFLECT_101), np.uint8)
    height, width = whole.shape[:2]
    small = resized(picture, (max(2, picture.shape[1] // 8), max(2, picture.shape[0] // 8)))
    small32 = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(1.0, width / 8 / 40))
    up, down, before, after = (-(-side // 8) for side in (top, bottom, left, right))
    soft = cv2.copyMakeBorder(small32, up, down, before, after, cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(soft, (0, 0), max(1.0, width / 8 / 40))
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    soft += np.random.default_rng(0).uniform(-GRAIN, GRAIN, (height, width, 1)).astype(np.float32)
    away = np.maximum(_outside(height, top, bottom)[:, None, None], _outside(width, left, right)[None, :, None])
    share = np.minimum(1, away / np.float32(SOFT_AFTER * height))
    return np.clip(np.rint(whole * (1 - share) + soft * share), 0, 255).astype(np.uint8)


def _outside(length: int, before: int, after: int) -> NDArray[np.float32]:
    """Pixels by which each place is beyond a stretch that leaves ``before`` and ``after`` of ``length`` free."""
    places = np.arange(length, dtype=np.float32)
    return np.maximum(0, np.maximum(before - places, places - (length - 1 - after))).astype(np.float32)


def _over_blur(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """All of the picture in front of a blurred copy that fills the frame."""
    ground = _blur(rgb, size)
    px, py, pw, ph = contained(rgb.shape[1], rgb.shape[0], size)
    ground[py : py + ph, px : px + pw] = resized(rgb, (pw, ph))
    return ground


def _blur(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A dimmed, blurred copy that fills the frame."""
    x, y, w, h = crop_for(rgb.shape[1], rgb.shape[0], size, Fit())
    small = resized(rgb[y : y + h, x : x + w], (max(2, size[0] // 8), max(2, size[1] // 8)))
    soft = cv2.GaussianBlur(small, (0, 0), max(1.0, size[0] / 8 * BLUR_SIGMA))
    return (cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC) * BLUR_DIM).astype(np.uint8)


def _scaled(picture: NDArray[np.uint8], size: tuple[int, int], method: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
