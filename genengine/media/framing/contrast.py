"""What stands out of a picture, by colour and detail alone: for pictures in which no model sees a subject, and for
machines without models."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL = 192
Map = NDArray[np.float32]


def contrast_map(rgb: NDArray[np.uint8]) -> Map:
    """How far colours are from those at the border, how much detail there is; 0 and more, not normalised."""
    lab = cv2.cvtColor(_small(rgb), cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate(
        [lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)]
    )
    unlike = _unlike_border(lab, border)
    detail = np.asarray(cv2.GaussianBlur(np.abs(cv2.Laplacian(lab[..., 0], cv2.CV_32F)), (0, 0), 5), np.float32)
    mixed = np.sqrt(_scaled(unlike)) + 0.8 * np.sqrt(_scaled(detail))
    mixed *= _middle(mixed.shape)
    return np.maximum(mixed - float(np.percentile(mixed, 50)), 0).astype(np.float32)


def _unlike_border(lab: NDArray[np.float32], border: NDArray[np.float32]) -> Map:
    """Distance in colour to the nearest of the few tones that the border consists of."""
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    cv2.setRNGSeed(7)
    _, _, tones = cv2.kmeans(border, 5, np.zeros((0, 1), np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS)
    distances = [np.linalg.norm(lab - tone, axis=2) for tone in tones]
    return np.asarray(cv2.GaussianBlur(np.min(distances, axis=0).astype(np.float32), (0, 0), 3), np.float32)


def _scaled(values: Map) -> Map:
    top = float(np.percentile(values, 99)) or 1.0
    return np.minimum(values / top, 1.0)


def _middle(shape: tuple[int, ...]) -> Map:
    """Subjects tend to stand near the middle: edges count about half."""
    rows, columns = (np.linspace(-1, 1, count, dtype=np.float32) for count in shape[:2])
    away = np.minimum(1.0, rows[:, None] ** 2 + columns[None, :] ** 2)
    return (1.0 - 0.5 * away).astype(np.float32)


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = SMALL / max(rgb.shape[:2])
    size = max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
