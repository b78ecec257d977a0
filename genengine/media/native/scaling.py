"""One plane seen through a sub-pixel window: by the compiled resampler, or by OpenCV where there is none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.native.build import library

Plane = NDArray[np.uint8]
WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def scale_plane(source: Plane, target: Plane, x: tuple[float, float], y: tuple[float, float]) -> None:
    """``target[j, i] = source[y0 * j + y1, x0 * i + x1]`` with bilinear weights and replicated borders; rows of both
    must be contiguous."""
    native = library()
    if native is not None and source.strides[1] == target.strides[1] == 1:
        height, width = target.shape
        rows, columns = source.shape
        done = native.resample_plane(
            source.ctypes.data,
            columns,
            rows,
            source.strides[0],
            target.ctypes.data,
            width,
            height,
            target.strides[0],
            *x,
            *y,
            0,
        )
        if done == 0:
            return
    matrix = np.array([[x[0], 0, x[1]], [0, y[0], y[1]]])
    size = (target.shape[1], target.shape[0])
    cv2.warpAffine(source, matrix, size, dst=target, flags=WARP, borderMode=cv2.BORDER_REPLICATE)
