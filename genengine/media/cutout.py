"""A subject cut out of an ordinary photo: a soft matte, its edge refined on the picture itself, its rim cleaned.

U²-Net-P looks twice: at the whole picture, then at the subject alone, which gives its outline more pixels. The matte is
refined by a guided filter (He et al., 2013) in colour, and half-transparent pixels take the colour of the subject
beside them, so that no rim of the old ground is left. A matte that does not convince is not used, and says why.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.compose.pictures import load_rgb, load_rgba
from genengine.media.errors import RenderFailed
from genengine.media.framing.boxes import Box
from genengine.media.framing.sight import CRUMB, SOLID, subject_box
from genengine.media.models.registry import ModelMissing, fingerprint, locate
from genengine.media.models.salient import salient_mask
from genengine.media.native.build import cache_folder
from genengine.media.store import Store

METHOD = "3"
LONGEST = 2000
"""Pixels; a larger photo is reduced first, which bounds time and memory (400 MB for 36 megapixels, with the model)."""

AROUND = 0.12
LEAST_COVERAGE, MOST_COVERAGE = 0.015, 0.85
MOST_ON_BORDER, MOST_HALF, LEAST_AGREEMENT = 0.04, 0.22, 0.85
CACHE_LIMIT = 256 << 20

Map = NDArray[np.float32]
Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cutout:
    """``path`` is a PNG with transparency, trimmed to the subject, or None where none convinced; ``why`` says what was
    found, and ``confidence`` (0 … 1) how clear it was. ``box`` is the subject's place in the photo."""

    path: Path | None
    confidence: float
    why: str
    box: Box | None = None

    @property
    def usable(self) -> bool:
        return self.path is not None


@dataclass(frozen=True, slots=True)
class _Verdict:
    confidence: float
    why: str
    good: bool
    box: tuple[float, float, float, float] | None = None


def cut_out(photo: Path, out: Path, *, cache_dir: Path | None = None) -> Cutout:
    """Cut the subject of ``photo`` out to ``out`` (PNG); one that brings its own transparency keeps it.

    Nothing is written when the result is not usable, or the model is not installed: ``why`` then says so. Raises
    ``RenderFailed`` for a file that is no picture.
    """
    own = _own_alpha(photo)
    if own is not None:
        trimmed, box = _trimmed(own)
        trimmed.save(out)
        return Cutout(out, 1.0, "The picture brings its own transparency.", box)
    try:
        locate("u2netp")
    except ModelMissing as missing:
        return Cutout(None, 0.0, str(missing))
    store = Store(Path(cache_dir) if cache_dir else cache_folder() / "cutouts", CACHE_LIMIT)
    key = _key(photo)
    verdict, png = _known(store, key)
    if verdict is None:
        verdict, png = _made(photo)
        if png is not None:
            store.put(key, "png", png)
        store.put(key, "json", json.dumps(asdict(verdict)).encode())
        store.evict()
    if png is None:
        return Cutout(None, verdict.confidence, verdict.why)
    out.write_bytes(png)
    return Cutout(out, verdict.confidence, verdict.why, Box(*verdict.box) if verdict.box else None)


def matte_of(rgb: Rgb) -> tuple[Map, _Verdict]:
    """The matte (height × width, 0 … 1) of a picture's subject, and what is to be thought of it."""
    rough = salient_mask(rgb)
    verdict = _judged(rough)
    if not verdict.good:
        return cv2.resize(rough, rgb.shape[1::-1]).astype(np.float32), verdict
    matte, agreement = _closer(rgb, rough)
    verdict = _agreed(verdict, agreement)
    return _refined(rgb, matte), verdict


def _made(photo: Path) -> tuple[_Verdict, bytes | None]:
    rgb = load_rgb(photo)
    scale = min(1.0, LONGEST / max(rgb.shape[:2]))
    if scale < 1:
        rgb = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    matte, verdict = matte_of(rgb)
    if not verdict.good:
        return verdict, None
    rgba = np.dstack([_clean_rim(rgb, matte), np.rint(matte * 255).astype(np.uint8)])
    trimmed, box = _trimmed(Image.fromarray(rgba))
    buffer = io.BytesIO()
    trimmed.save(buffer, "PNG", compress_level=4)
    placed = (box.left, box.top, box.right, box.bottom)
    return replace(verdict, box=placed), buffer.getvalue()


def _judged(mask: Map) -> _Verdict:
    """What the first look says: is there one clear subject, all of it inside the picture?"""
    solid = mask > SOLID
    coverage = float(solid.mean())
    half = float(((mask > 0.1) & (mask < 0.9)).mean()) / max(coverage, 1e-6)
    border = float(np.concatenate([solid[0], solid[-1], solid[:, 0], solid[:, -1]]).mean())
    confidence = round(max(0.0, min(1.0, 1 - half)) * max(0.0, 1 - border / (2 * MOST_ON_BORDER)), 3)
    if coverage < LEAST_COVERAGE:
        return _Verdict(confidence, "Nothing in the photo stands out clearly from its ground.", good=False)
    if coverage > MOST_COVERAGE:
        return _Verdict(confidence, "The subject fills the photo: there is no ground to cut it from.", good=False)
    if border > MOST_ON_BORDER:
        return _Verdict(confidence, "The photo's edge cuts the subject.", good=False)
    if half > MOST_HALF:
        return _Verdict(confidence, "The subject's outline is not clear.", good=False)
    return _Verdict(confidence, "The subject stands out clearly.", good=True)


def _agreed(verdict: _Verdict, agreement: float) -> _Verdict:
    confidence = round(verdict.confidence * agreement, 3)
    if agreement < LEAST_AGREEMENT:
        return _Verdict(confidence, "A closer look found another outline.", good=False)
    return replace(verdict, confidence=confidence)


def _closer(rgb: Rgb, rough: Map) -> tuple[Map, float]:
    """A second look at the subject alone, as a matte of the whole picture, and how far both looks agree (IoU)."""
    height, width = rgb.shape[:2]
    box = subject_box(rough)
    assert box is not None
    near = box.grown(AROUND * box.width, AROUND * box.height, AROUND * box.width, AROUND * box.height)
    x0, y0, x1, y1 = (
        round(edge * side)
        for edge, side in zip((near.left, near.top, near.right, near.bottom), (width, height) * 2, strict=True)
    )
    part = salient_mask(np.ascontiguousarray(rgb[y0:y1, x0:x1]))
    matte = np.zeros((height, width), np.float32)
    matte[y0:y1, x0:x1] = cv2.resize(part, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    first = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC) > SOLID
    second = matte > SOLID
    return np.clip(matte, 0, 1), float((first & second).sum() / max(1, (first | second).sum()))


def _refined(rgb: Rgb, matte: Map) -> Map:
    """The edge moved to where the colours change; inside and outside are made whole."""
    reach = max(3, round(max(matte.shape) / 320 * 1.6))  # a pixel and a half of the network
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    inside = cv2.erode((matte > 0.9).astype(np.uint8), kernel) > 0
    outside = cv2.dilate((matte > 0.1).astype(np.uint8), kernel) == 0
    guided = _guided(rgb, (matte > SOLID).astype(np.float32), reach)
    sharp = np.clip((guided - 0.15) / 0.7, 0, 1)
    sharp[inside], sharp[outside] = 1, 0
    return _without_crumbs(np.asarray(sharp, np.float32))


def _without_crumbs(matte: Map) -> Map:
    """What lies apart and is small beside the subject (a crumb, a shadow's end) does not come along."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.03).astype(np.uint8))
    sizes = stats[:, cv2.CC_STAT_AREA]
    kept = sizes >= CRUMB * max(sizes[1:], default=0)
    kept[0] = False
    return np.where(kept[labels], matte, np.float32(0)) if count > 1 else matte


def _guided(rgb: Rgb, values: Map, reach: int, softness: float = 4e-4) -> Map:
    """Guided filter with the picture's colours as guide; ``softness`` is the variance that counts as flat.

    Its slopes are smooth and are solved on a third of the size: a ninth of the time and memory, the same edge.
    """
    full = (rgb.shape[1], rgb.shape[0])
    small = max(8, round(full[0] / 3)), max(8, round(full[1] / 3))
    guide = _resized(rgb.astype(np.float32) / np.float32(255), small)
    slope, offset = _slopes(guide, _resized(values, small), max(1, round(reach / 3)), softness)
    slope, offset = _resized(slope, full), _resized(offset, full)
    return np.asarray((slope * (rgb.astype(np.float32) / np.float32(255))).sum(axis=-1) + offset, np.float32)


def _slopes(guide: Map, values: Map, reach: int, softness: float) -> tuple[Map, Map]:
    """The linear model of ``values`` by colour around each place: three slopes and an offset, averaged."""
    size = (2 * reach + 1, 2 * reach + 1)

    def mean(plane: Map) -> Map:
        return np.asarray(cv2.blur(plane, size, borderType=cv2.BORDER_REFLECT), np.float32)

    centre, level = mean(guide), mean(values)
    spread = np.empty((*values.shape, 3, 3), np.float32)
    for row in range(3):
        for column in range(row, 3):
            product = mean(_product(guide, row, column)) - _product(centre, row, column)
            spread[..., row, column] = spread[..., column, row] = product
        spread[..., row, row] += softness
    shared = np.stack([mean(guide[..., c] * values) - centre[..., c] * level for c in range(3)], axis=-1)
    slope = np.asarray(np.linalg.solve(spread, shared[..., None])[..., 0], np.float32)
    offset = np.asarray(level - (slope * centre).sum(axis=-1), np.float32)
    return mean(slope), mean(offset)


def _product(planes: Map, one: int, other: int) -> Map:
    return np.asarray(planes[..., one] * planes[..., other], np.float32)


def _resized(values: Map, size: tuple[int, int]) -> Map:
    shrinks = size[0] < values.shape[1]
    return np.asarray(
        cv2.resize(values, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.float32
    )


def _clean_rim(rgb: Rgb, matte: Map) -> Rgb:
    """Pixels that the ground shines through take the mean colour of the solid subject around them."""
    solid = (matte > 0.97).astype(np.float32)
    reach = max(3, round(max(matte.shape) / 320 * 2.2))
    size = (2 * reach + 1, 2 * reach + 1)
    weight = cv2.GaussianBlur(solid, size, 0)
    colour = cv2.GaussianBlur(rgb.astype(np.float32) * solid[..., None], size, 0)
    known = weight > 1e-3
    beside = colour / np.maximum(weight, 1e-3)[..., None]
    mixed = np.where((known & (matte <= 0.97))[..., None], beside, rgb.astype(np.float32))
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _trimmed(image: Image.Image) -> tuple[Image.Image, Box]:
    found = image.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
    left, top, right, bottom = found or (0, 0, image.width, image.height)
    box = Box(left / image.width, top / image.height, right / image.width, bottom / image.height)
    return image.crop((left, top, right, bottom)), box


def _own_alpha(photo: Path) -> Image.Image | None:
    try:
        image = load_rgba(photo)
    except OSError as error:
        raise RenderFailed(("cut-out", photo.name), f"the file is not a picture that can be read: {error}") from error
    clear = float((np.asarray(image.getchannel("A")) < 128).mean())
    return image if 0.01 < clear < 0.995 else None


def _key(photo: Path) -> str:
    with photo.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    words = ["cutout", METHOD, content, cv2.__version__, np.__version__, fingerprint("u2netp")]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _known(store: Store, key: str) -> tuple[_Verdict | None, bytes | None]:
    """An earlier result for the same bytes; None when it is not there or not whole."""
    data = store.get(key, "json")
    if data is None:
        return None, None
    try:
        verdict = _Verdict(**json.loads(data))
    except (ValueError, TypeError):
        return None, None
    png = store.get(key, "png") if verdict.good else None
    return (verdict, png) if png is not None or not verdict.good else (None, None)
