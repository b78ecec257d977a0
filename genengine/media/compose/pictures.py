"""Still pictures from files, as RGB arrays; transparent ones are laid on a light ground."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.errors import RenderFailed

GROUND = 244
REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


def load_rgb(path: Path, *, least: int = 0) -> NDArray[np.uint8]:
    """Height × width × 3. EXIF orientation is applied; files that came through ingest have none left.

    With ``least`` a JPEG may come smaller, which is many times faster, but with no side under so many pixels.
    """
    data = np.fromfile(path, np.uint8)
    if data[:3].tobytes() == b"\xff\xd8\xff":
        bgr = cv2.imdecode(data, _reduction(path, least))
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) if bgr is not None else _refuse(path)
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint8 or decoded.ndim != 3:
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if decoded is None:
        return _refuse(path)
    if decoded.shape[2] == 4:
        return _on_ground(np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA), np.uint8))
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _reduction(path: Path, least: int) -> int:
    if not least:
        return cv2.IMREAD_COLOR
    try:
        with Image.open(path) as image:
            shorter = min(image.size)
    except (OSError, ValueError, Image.DecompressionBombError):
        return cv2.IMREAD_COLOR
    fits = [mode for factor, mode in REDUCED if shorter // factor >= least]
    return fits[0] if fits else cv2.IMREAD_COLOR


def load_rgba(path: Path) -> Image.Image:
    """A bitmap for an overlay, with its transparency."""
    with Image.open(path) as image:
        return image.convert("RGBA")


def _on_ground(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.float32) / 255
    mixed = rgba[..., :3] * alpha + GROUND * (1 - alpha)
    return np.rint(mixed).astype(np.uint8)


def _refuse(path: Path) -> NDArray[np.uint8]:
    raise RenderFailed(("picture decoder", path.name), "the file is not a picture that can be read; ingest it first")
