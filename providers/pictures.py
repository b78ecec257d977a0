"""Input pictures as vendors want them: measured, cropped to the asked ratio, small enough, as bytes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from providers.errors import InvalidRequest
from providers.values import ratio_value


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


def prepare_picture(path: Path, limits: PictureLimits, *, ratio: str = "") -> Picture:
    """Read a picture, crop it about its middle to ``ratio``, and fit it to the limits; else say what is wrong."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise InvalidRequest(f"{path.name} is not a picture that can be read; upload a JPEG or PNG.") from error
    image = _crop(image, ratio)
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


def _crop(image: Image.Image, ratio: str) -> Image.Image:
    if not ratio:
        return image
    width, height = image.size
    shape = ratio_value(ratio)
    new_width, new_height = min(width, round(height * shape)), min(height, round(width / shape))
    left, top = (width - new_width) // 2, (height - new_height) // 2
    return image.crop((left, top, left + new_width, top + new_height))


def _encode(image: Image.Image, limits: PictureLimits, path: Path) -> bytes:
    for quality in (95, 88, 78, 65):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= limits.max_bytes:
            return buffer.getvalue()
    raise InvalidRequest(f"{path.name} is too large for this vendor; use a picture of fewer pixels.")
