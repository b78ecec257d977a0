"""Where the camera looks: easing, windows, fits. All positions are floats in pixels of the fitted picture."""

from __future__ import annotations

from dataclasses import dataclass

from genengine.media.spec.model import Fit, Motion, Window


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    w: float
    h: float


def eased(progress: float, ease: str) -> float:
    """Progress 0 … 1 along the curve named ``ease``; the smooth ones start or end at rest."""
    p = min(1.0, max(0.0, progress))
    if ease == "in":
        return p * p
    if ease == "out":
        return p * (2 - p)
    if ease == "in_out":
        return p * p * (3 - 2 * p)
    return p


def window_at(motion: Motion, progress: float, width: int, height: int) -> Rect:
    """The part of a fitted picture of ``width`` × ``height`` that fills the frame at ``progress``."""
    p = eased(progress, motion.ease)
    zoom, x, y = (_between(motion.start, motion.end, name, p) for name in ("zoom", "x", "y"))
    w, h = width / zoom, height / zoom
    return Rect((width - w) * x, (height - h) * y, w, h)


def crop_for(width: int, height: int, frame: tuple[int, int], fit: Fit) -> tuple[int, int, int, int]:
    """Largest crop (x, y, w, h) of the frame's ratio, with the focus as near its middle as the edges allow."""
    scale = min(width / frame[0], height / frame[1])
    w, h = min(width, max(2, round(frame[0] * scale))), min(height, max(2, round(frame[1] * scale)))
    x = min(max(0, round(fit.focus_x * width - w / 2)), width - w)
    y = min(max(0, round(fit.focus_y * height - h / 2)), height - h)
    return x, y, w, h


def contained(width: int, height: int, frame: tuple[int, int]) -> tuple[int, int, int, int]:
    """Largest placement (x, y, w, h) inside the frame that shows all of the picture; even numbers."""
    scale = min(frame[0] / width, frame[1] / height)
    w, h = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
    w, h = min(w, frame[0]), min(h, frame[1])
    return (frame[0] - w) // 4 * 2, (frame[1] - h) // 4 * 2, w, h


def closest_zoom(motion: Motion) -> float:
    return max(motion.start.zoom, motion.end.zoom)


def _between(start: Window, end: Window, name: str, p: float) -> float:
    a, b = float(getattr(start, name)), float(getattr(end, name))
    return a + (b - a) * p
