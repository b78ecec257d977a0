"""Limited-range BT.709 Y, U, V planes: conversion, I420 buffers, chroma siting.

Frames are contiguous I420 buffers (uint8, ``width * height * 3 / 2``). Chroma sits where H.264 puts it by default:
on the left luma column, between two rows ("left"), which the conversions below respect.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Frame = NDArray[np.uint8]

cv2.setNumThreads(1)
"""Pieces run side by side; OpenCV's own threads would only fight them."""

_Y = np.array([0.2126, 0.7152, 0.0722]) * (219 / 255)
_U = np.array([-0.2126, -0.7152, 0.9278]) / 1.8556 * (224 / 255)
_V = np.array([0.7874, -0.7152, -0.0722]) / 1.5748 * (224 / 255)
_RGB_TO_YUV = np.array([[*_Y, 16.0], [*_U, 128.0], [*_V, 128.0]], np.float32)
_CHROMA_TAPS = np.array([0.25, 0.5, 0.25], np.float32)


def yuv444(rgb: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
    """Full-size Y, U, V planes of an RGB picture (height × width × 3)."""
    packed = cv2.transform(rgb, _RGB_TO_YUV)
    y, u, v = (np.asarray(plane, np.uint8) for plane in cv2.split(packed))
    return y, u, v


def soften_chroma(plane: Plane) -> Plane:
    """Low-pass before halving, so that colour edges do not shimmer while the picture moves."""
    soft = cv2.sepFilter2D(plane, -1, _CHROMA_TAPS, _CHROMA_TAPS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, np.uint8)


def halve_chroma(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """4:4:4 → 4:2:0 with left siting: three taps across, two down."""
    across = cv2.sepFilter2D(plane, -1, _CHROMA_TAPS, np.ones(1, np.float32), borderType=cv2.BORDER_REPLICATE)
    across = across[:, ::2]
    return (across[0::2] + across[1::2]) * 0.5


def empty_frame(width: int, height: int) -> Frame:
    """An I420 buffer shaped as PyAV and OpenCV want it: (height · 3/2) × width."""
    return np.empty((height * 3 // 2, width), np.uint8)


def views(frame: Frame, width: int, height: int) -> tuple[Plane, Plane, Plane]:
    """Y, U and V as views of one buffer."""
    flat, count = frame.reshape(-1), width * height
    y = flat[:count].reshape(height, width)
    u = flat[count : count + count // 4].reshape(height // 2, width // 2)
    v = flat[count + count // 4 :].reshape(height // 2, width // 2)
    return y, u, v


def frame_of_rgb(rgb: NDArray[np.uint8]) -> Frame:
    """A whole picture (even width and height) as an I420 frame."""
    height, width = rgb.shape[:2]
    frame = empty_frame(width, height)
    y, u, v = yuv444(rgb)
    out = views(frame, width, height)
    out[0][:] = y
    for target, plane in zip(out[1:], (u, v), strict=True):
        target[:] = np.rint(halve_chroma(plane.astype(np.float32)))
    return frame


def rgb_of_frame(frame: Frame, width: int, height: int) -> NDArray[np.uint8]:
    """Back to RGB for stills (thumbnail, contact sheets)."""
    y, u, v = (plane.astype(np.float32) for plane in views(frame, width, height))
    u, v = (np.asarray(cv2.resize(plane, (width, height)), np.float32) - 128 for plane in (u, v))
    luma = (y - 16) * (255 / 219)
    u, v = u * (255 / 224), v * (255 / 224)
    red, blue = luma + 1.5748 * v, luma + 1.8556 * u
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.clip(np.rint(np.dstack((red, green, blue))), 0, 255).astype(np.uint8)


def solid_frame(width: int, height: int, luma: int) -> Frame:
    """A grey frame: luma 16 is black, 235 is white."""
    frame = empty_frame(width, height)
    frame[:height] = luma
    frame[height:] = 128
    return frame
