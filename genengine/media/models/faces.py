"""YuNet, run by OpenCV: boxes of the faces in a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.models.registry import locate, present

SCORE = 0.8
"""Below this it takes wheels for faces."""

LONGEST_SIDE = 640
FaceBox = tuple[float, float, float, float]


def face_boxes(rgb: NDArray[np.uint8]) -> list[FaceBox]:
    """Left, top, right and bottom of each face as fractions of the picture, largest first; none without the model."""
    if not present("yunet"):
        return []
    scale = min(1.0, LONGEST_SIDE / max(rgb.shape[:2]))
    width, height = max(16, round(rgb.shape[1] * scale)), max(16, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    detector = cv2.FaceDetectorYN.create(str(locate("yunet")), "", (width, height), SCORE)
    found: Any = detector.detect(np.ascontiguousarray(small[..., ::-1]))[1]
    boxes = [_within(face[:4], width, height) for face in found] if found is not None else []
    return sorted(boxes, key=lambda box: (box[0] - box[2]) * (box[3] - box[1]))


def _within(face: NDArray[np.float32], width: int, height: int) -> FaceBox:
    x, y, w, h = (float(value) for value in face)
    left, right = (min(1.0, max(0.0, value / width)) for value in (x, x + w))
    top, bottom = (min(1.0, max(0.0, value / height)) for value in (y, y + h))
    return left, top, right, bottom
