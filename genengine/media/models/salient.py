"""U²-Net-P: how much each place of a picture belongs to its subject."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.models.runtime import run_model

SIDE = 320
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

Mask = NDArray[np.float32]


def salient_mask(rgb: NDArray[np.uint8]) -> Mask:
    """320 × 320 values from 0 (ground) to 1 (subject) over the whole picture, whatever its shape.

    The network's sigmoid is used as it is: stretching each result to 0 … 1, as is often done, would find a subject
    where there is none. Raises ``ModelMissing``.
    """
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    scaled = (small / max(1.0, float(small.max())) - MEAN) / DEVIATION
    tensor = np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)
    return np.clip(run_model("u2netp", tensor)[0, 0], 0.0, 1.0).astype(np.float32)
