"""What is seen in one picture: its subject's box, faces, and where it is worth looking."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.framing.boxes import Box
from genengine.media.framing.contrast import Map, contrast_map
from genengine.media.models.faces import face_boxes
from genengine.media.models.registry import present
from genengine.media.models.salient import salient_mask

BINS = 96
SOLID = 0.5
UNSURE = 0.6
"""A mask with more half-tones than this, for each solid place, has not found a subject."""

LEAST, MOST = 0.004, 0.92
CRUMB = 0.03
"""Parts smaller than this, next to the largest, do not belong to the subject."""

EDGE_SIDE, EDGE_STRIP = 320, 1 / 12
"""A picture's edges are judged at this many pixels, in strips of this share of its sides."""

FACE_WEIGHT = 3.0
TAIL = 0.03
SPREAD_OUT = 0.86


@dataclass(frozen=True, slots=True)
class Sight:
    """``subject`` is None where nothing stands out clearly. ``columns`` and ``rows`` say how much each of 96 strips
    matters, in shares that add up to 1. ``found_by``: alpha, model or contrast. ``busy`` is the detail along the
    left, upper, right and lower edge: mean distance in CIELAB from the same picture softened."""

    subject: Box | None
    faces: tuple[Box, ...]
    columns: tuple[float, ...]
    rows: tuple[float, ...]
    found_by: str
    busy: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def look(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> Sight:
    """Look at a picture (height × width × 3); ``alpha`` is its own transparency where it has one."""
    return replace(_seen(rgb, alpha), busy=_busy(rgb))


def _seen(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> Sight:
    faces = tuple(Box(*face) for face in face_boxes(rgb))
    if alpha is not None and _cuts_out(alpha):
        own = cv2.resize(alpha, (320, 320), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        mask: Map = np.asarray(own, np.float32)
        return _sight(mask, subject_box(mask), faces, "alpha")
    if present("u2netp"):
        mask = salient_mask(rgb)
        if box := sure_box(mask):
            return _sight(mask, box, faces, "model")
        return _sight(contrast_map(rgb), None, faces, "model")
    values = contrast_map(rgb)
    return _sight(values, _standing_out(values), faces, "contrast")


def sure_box(mask: Map) -> Box | None:
    """The subject's box where the mask is a clear one."""
    solid = mask > SOLID
    coverage = float(solid.mean())
    half = float(((mask > 0.1) & (mask < 0.9)).mean())
    if not LEAST <= coverage <= MOST or half > UNSURE * coverage:
        return None
    return subject_box(mask)


def subject_box(mask: Map) -> Box | None:
    """Around the solid parts of a mask, crumbs left out."""
    solid = (mask > SOLID).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return None
    largest = int(stats[1:, cv2.CC_STAT_AREA].max())
    kept = [row for row in stats[1:] if row[cv2.CC_STAT_AREA] >= CRUMB * largest]
    height, width = mask.shape
    left, top = min(int(row[0]) for row in kept), min(int(row[1]) for row in kept)
    right, bottom = max(int(row[0] + row[2]) for row in kept), max(int(row[1] + row[3]) for row in kept)
    return Box(left / width, top / height, right / width, bottom / height)


def _busy(rgb: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    scale = min(1.0, EDGE_SIDE / max(rgb.shape[:2]))
    size = max(16, round(rgb.shape[1] * scale)), max(16, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    detail = np.linalg.norm(lab - cv2.GaussianBlur(lab, (0, 0), 4), axis=2)
    down, across = (max(2, round(side * EDGE_STRIP)) for side in detail.shape)
    left, top, right, bottom = (
        round(float(strip.mean()), 3)
        for strip in (detail[:, :across], detail[:down], detail[:, -across:], detail[-down:])
    )
    return left, top, right, bottom


def _cuts_out(alpha: NDArray[np.uint8]) -> bool:
    clear = float((alpha < 128).mean())
    return 0.01 < clear < 0.995


def _sight(values: Map, subject: Box | None, faces: tuple[Box, ...], found_by: str) -> Sight:
    weighted = values.copy()
    height, width = weighted.shape
    for face in faces:
        rows = slice(int(face.top * height), int(face.bottom * height) + 1)
        columns = slice(int(face.left * width), int(face.right * width) + 1)
        weighted[rows, columns] += FACE_WEIGHT * float(values.max())
    return Sight(subject, faces, _profile(weighted.sum(axis=0)), _profile(weighted.sum(axis=1)), found_by)


def _profile(sums: NDArray[np.float32]) -> tuple[float, ...]:
    """Shares of 96 strips. The cumulative sum is what is resampled, so that nothing is lost between strips."""
    total = np.concatenate([[0.0], np.cumsum(sums, dtype=np.float64)])
    if total[-1] <= 0:
        return (1 / BINS,) * BINS
    places = np.linspace(0, len(sums), BINS + 1)
    edges = np.interp(places, np.arange(len(total)), total / total[-1])
    return tuple(round(float(value), 6) for value in np.diff(edges))


def _standing_out(values: Map) -> Box | None:
    """The box that holds nearly all of what stands out; None where that is most of the picture."""
    spans = []
    for axis in (0, 1):
        shares = np.cumsum(np.asarray(_profile(values.sum(axis=axis))))
        first, last = (float(np.searchsorted(shares, limit)) for limit in (TAIL, 1 - TAIL))
        spans.append((first / BINS, min(1.0, (last + 1) / BINS)))
    (left, right), (top, bottom) = spans
    if right - left > SPREAD_OUT and bottom - top > SPREAD_OUT:
        return None
    return Box(left, top, right, bottom)
