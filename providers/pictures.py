"""Input pictures as vendors want them: measured, brought to the asked ratio, small enough, as bytes."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

import genengine.media as engine
from genengine.media.compose.geometry import crop_for
from genengine.media.spec.model import Fit
from providers.errors import InvalidRequest
from providers.values import ratio_value

LONGEST_FILLED = 2560
"""Pixels of a picture that is shown whole before a blurred copy; vendors' films are smaller."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """A vendor's rules: bytes, smallest and largest side in pixels, widest shape either way."""

    max_bytes: int
    min_side: int = 1
    max_side: int = 8192
    max_shape: float = 1e9


@dataclass(frozen=True, slots=True)
class Picture:
    """Encoded bytes with their size in pixels."""

    data: bytes
    media_type: str
    width: int
    height: int


KEPT = 8  # prepared pictures of one process, some megabytes each
_kept: dict[tuple[str, PictureLimits, str], Picture] = {}
_guard = threading.Lock()


def prepare_picture(path: Path, limits: PictureLimits, *, ratio: str = "") -> Picture:
    """Read a picture, bring it to ``ratio`` with its subject whole, and fit it to the limits; else say what is wrong.

    It is cropped where the subject stays in view, else shown whole before a blurred copy of itself: a film that starts
    from this picture never starts from half a product. The clips of an ad start from few pictures: what was prepared
    last is kept by its content.
    """
    key = _content(path), limits, ratio
    with _guard:
        known = _kept.get(key)
    if known is None:
        known = _prepare(path, limits, ratio)
        with _guard:
            _kept[key] = known
            while len(_kept) > KEPT:
                _kept.pop(next(iter(_kept)))
    return known


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidRequest(f"{path.name} cannot be read; upload it again.") from error


def _prepare(path: Path, limits: PictureLimits, ratio: str) -> Picture:
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise InvalidRequest(f"{path.name} is not a picture that can be read; upload a JPEG or PNG.") from error
    image = _shaped(image, path, ratio)
    if max(image.size) > limits.max_side:
        image.thumbnail((limits.max_side, limits.max_side), Image.Resampling.LANCZOS)
    width, height = image.size
    if min(width, height) < limits.min_side:
        raise InvalidRequest(
            f"{path.name} is {width}×{height} pixels here; both sides must be at least {limits.min_side}."
        )
    if max(width / height, height / width) > limits.max_shape:
        raise InvalidRequest(f"{path.name} is too long and narrow; crop it to at most {limits.max_shape:g} to 1.")
    return Picture(_encode(image, limits, path), "image/jpeg", width, height)


def _shaped(image: Image.Image, path: Path, ratio: str) -> Image.Image:
    if not ratio:
        return image
    width, height = image.size
    shape = ratio_value(ratio)
    fit = _fit(path, shape)
    if fit.mode == "crop":
        frame = min(width, round(height * shape)), min(height, round(width / shape))
        x, y, w, h = crop_for(width, height, frame, fit)
        return image.crop((x, y, x + w, y + h))
    return _filled(image, shape, fit)


def _filled(image: Image.Image, shape: float, fit: Fit) -> Image.Image:
    import numpy as np  # only workers prepare pictures; the web lists the adapters

    from genengine.media.compose.canvas import fitted

    width, height = image.size
    scale = min(1.0, LONGEST_FILLED / max(width, height * shape))
    frame = round(max(width, height * shape) * scale), round(max(height, width / shape) * scale)
    return Image.fromarray(fitted(np.asarray(image), frame, fit, 1.0))


def _fit(path: Path, shape: float) -> Fit:
    try:
        framing = engine.suggest_framing(path, round(shape * 10_000), 10_000)
    except engine.MediaError:  # a kind of picture that only Pillow reads keeps the crop about its middle
        return Fit()
    return Fit(framing.mode, framing.focus_x, framing.focus_y)


def _encode(image: Image.Image, limits: PictureLimits, path: Path) -> bytes:
    for quality in (95, 88, 78, 65):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= limits.max_bytes:
            return buffer.getvalue()
    raise InvalidRequest(f"{path.name} is too large for this vendor; use a picture of fewer pixels.")
