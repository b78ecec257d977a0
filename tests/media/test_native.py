"""The compiled resampler: right to half a step, the same on every path, and dispensable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from genengine.media.native import build
from genengine.media.native.scaling import scale_plane
from tests.media.support import CAN, REPOSITORY

WINDOWS = [
    ((2.1, 3.7), (2.1, 9.2)),
    ((2.2407, -0.5), (2.2395, -0.3)),
    ((0.9, 5.5), (0.9, 7.1)),
    ((1.0, 0.0), (1.0, 0.0)),
    ((3.9, -20.0), (4.2, -15.0)),
    ((0.01, 0.2), (0.01, 0.9)),
]
Window = tuple[float, float]
needs_compiler = pytest.mark.skipif(build.library() is None, reason="no C compiler here")


def picture() -> NDArray[np.uint8]:
    noise = np.random.default_rng(4).integers(0, 256, (331, 257), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.uint8)


def exact(source: NDArray[np.uint8], shape: tuple[int, int], x: Window, y: Window) -> NDArray[np.float64]:
    rows, columns = source.shape
    across = np.clip(x[0] * np.arange(shape[1]) + x[1], 0, columns - 1)
    down = np.clip(y[0] * np.arange(shape[0]) + y[1], 0, rows - 1)
    x0, y0 = np.minimum(across.astype(int), columns - 2), np.minimum(down.astype(int), rows - 2)
    fx, fy = (across - x0)[None], (down - y0)[:, None]
    grey = source.astype(float)
    upper = grey[y0][:, x0] * (1 - fx) + grey[y0][:, x0 + 1] * fx
    lower = grey[y0 + 1][:, x0] * (1 - fx) + grey[y0 + 1][:, x0 + 1] * fx
    return upper * (1 - fy) + lower * fy


@needs_compiler
@pytest.mark.parametrize(("x", "y"), WINDOWS)
@pytest.mark.parametrize("shape", [(64, 96), (51, 37), (1, 1)])
def test_every_pixel_is_within_rounding_of_the_exact_value(shape: tuple[int, int], x: Window, y: Window) -> None:
    out = np.zeros(shape, np.uint8)
    scale_plane(picture(), out, x, y)
    assert np.abs(out - exact(picture(), shape, x, y)).max() <= 1.01


@needs_compiler
@pytest.mark.parametrize(("x", "y"), [*WINDOWS, ((7.3, 0.0), (2.0, 0.25)), ((1.5, 0.125), (1.0, 0.0))])
@pytest.mark.parametrize("width", [1, 15, 16, 33, 61])
def test_the_portable_path_gives_the_same_bytes(width: int, x: Window, y: Window) -> None:
    native, source = build.library(), picture()
    assert native is not None
    made = []
    for plain in (0, 1):
        out = np.zeros((70, width), np.uint8)
        whole = source.ctypes.data, source.shape[1], source.shape[0], source.strides[0]
        assert native.resample_plane(*whole, out.ctypes.data, width, 70, out.strides[0], *x, *y, plain) == 0
        made.append(out)
    assert np.array_equal(made[0], made[1])


@needs_compiler
def test_it_agrees_with_opencv_closely_but_places_pixels_more_finely() -> None:
    source, shape = picture(), (120, 100)
    ours = np.zeros(shape, np.uint8)
    scale_plane(source, ours, (1.913, 2.37), (1.913, 1.19))
    matrix = np.array([[1.913, 0, 2.37], [0, 1.913, 1.19]])
    theirs = cv2.warpAffine(source, matrix, (100, 120), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    truth = exact(source, shape, (1.913, 2.37), (1.913, 1.19))
    assert np.abs(ours.astype(int) - theirs).max() <= 6
    assert np.abs(ours - truth).mean() < np.abs(theirs - truth).mean()


def test_only_the_target_is_written() -> None:
    frame = np.full((40, 64), 7, np.uint8)
    scale_plane(picture(), frame[4:20, 8:40], (1.7, 0.2), (1.7, 0.4))
    rest = frame.copy()
    rest[4:20, 8:40] = 7
    assert (rest == 7).all()
    assert (frame[4:20, 8:40] != 7).any()


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_video_is_made_with_and_without_it(switch: str, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from genengine.media import compile
from tests.media.support import image_spec
print(compile(image_spec(6), {"can": Path(sys.argv[1])}, Path(sys.argv[2])).frames)
"""
    command = [sys.executable, "-c", code, str(CAN), str(tmp_path / "a.mp4")]
    environment = os.environ | {"GE_NATIVE": switch, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "6", done.stderr
