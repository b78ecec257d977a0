"""Bitmaps over the picture: premultiplied Y, U, V with their alpha, blended only inside their box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genengine.media.compose.planes import Frame, halve_chroma, views

_Y = np.array([0.2126, 0.7152, 0.0722], np.float32) * np.float32(219 / 255)
_U = np.array([-0.2126, -0.7152, 0.9278], np.float32) / np.float32(1.8556) * np.float32(224 / 255)
_V = np.array([0.7874, -0.7152, -0.0722], np.float32) / np.float32(1.5748) * np.float32(224 / 255)


@dataclass(frozen=True, slots=True)
class Box:
    """One plane's part of a layer: where, what to keep of the picture (0 … 1), what to add (premultiplied)."""

    rows: slice
    columns: slice
    keep: NDArray[np.float32]
    add: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """A bitmap at its place, shown in frames ``start`` … ``end`` (excluded), fading over ``fade`` frames."""

    boxes: tuple[Box, Box, Box]
    start: int
    end: int
    opacity: float = 1.0
    fade: int = 0

    def strength(self, frame: int) -> float:
        """Opacity at a frame; 0 when it is not shown."""
        if not self.start <= frame < self.end:
            return 0.0
        if not self.fade:
            return self.opacity
        nearest = min(frame - self.start + 1, self.end - frame)
        return self.opacity * min(1.0, nearest / (self.fade + 1))

    def blend(self, frame: Frame, size: tuple[int, int], strength: float) -> None:
        """Draw into an I420 frame in place."""
        for plane, box in zip(views(frame, *size), self.boxes, strict=True):
            part = plane[box.rows, box.columns]
            if strength >= 1.0:
                part[:] = part * box.keep + box.add
            else:
                keep = 1.0 - (1.0 - box.keep) * strength
                part[:] = part * keep + ((box.add - 0.5) * strength + 0.5)


def layer_of(
    image: Image.Image,
    at: tuple[int, int],
    size: tuple[int, int],
    *,
    start: int,
    end: int,
    opacity: float = 1.0,
    fade: int = 0,
) -> Layer:
    """An RGBA bitmap placed with its top left corner ``at``; cut to the frame and padded to even numbers."""
    rgba, (x, y) = _even_box(image, at, size)
    pixels = np.asarray(rgba, np.float32)
    alpha = (pixels[..., 3] / 255).astype(np.float32)
    colour = pixels[..., :3] * alpha[..., None]
    luma = (colour @ _Y + 16 * alpha).astype(np.float32)
    half = halve_chroma(alpha)
    u, v = (halve_chroma((colour @ row + 128 * alpha).astype(np.float32)) for row in (_U, _V))
    full = slice(y, y + rgba.height), slice(x, x + rgba.width)
    part = slice(y // 2, (y + rgba.height) // 2), slice(x // 2, (x + rgba.width) // 2)
    boxes = (Box(*full, 1 - alpha, luma + 0.5), Box(*part, 1 - half, u + 0.5), Box(*part, 1 - half, v + 0.5))
    return Layer(boxes, start, end, opacity, fade)


def _even_box(image: Image.Image, at: tuple[int, int], size: tuple[int, int]) -> tuple[Image.Image, tuple[int, int]]:
    x0, y0 = max(0, at[0]) & ~1, max(0, at[1]) & ~1
    x1 = min(size[0], (at[0] + image.width + 1) & ~1)
    y1 = min(size[1], (at[1] + image.height + 1) & ~1)
    padded = Image.new("RGBA", (max(2, x1 - x0), max(2, y1 - y0)), (0, 0, 0, 0))
    padded.paste(image, (at[0] - x0, at[1] - y0))
    return padded, (x0, y0)
