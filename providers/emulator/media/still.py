"""Pictures for simulated image vendors: one frame of the same scenes that clips are made of, as PNG or JPEG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from providers.emulator.media.video import Clip, first_frame


def render_still(clip: Clip, out: Path) -> Path:
    """Write the first frame of ``clip``; the suffix of ``out`` chooses the format."""
    luma, blue, red = first_frame(clip)
    wide = (clip.width, clip.height)
    y = (luma.astype(np.float32) - 16) * 255 / 219
    cb = (cv2.resize(blue, wide).astype(np.float32) - 128) * 255 / 224
    cr = (cv2.resize(red, wide).astype(np.float32) - 128) * 255 / 224
    green = y - 0.1873 * cb - 0.4681 * cr
    picture = np.dstack([y + 1.8556 * cb, green, y + 1.5748 * cr]).clip(0, 255).astype(np.uint8)
    good, encoded = cv2.imencode(out.suffix, picture)
    if not good:
        raise RuntimeError(f"OpenCV cannot write {out.suffix}")
    part = out.with_name(out.name + ".part")
    part.write_bytes(encoded.tobytes())
    part.replace(out)
    return out
