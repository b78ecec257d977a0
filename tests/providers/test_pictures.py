"""First frames keep their product whole in every ratio that a vendor is asked for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from providers.pictures import Picture, PictureLimits, prepare_picture
from tests.media.support import CAN

LIMITS = PictureLimits(max_bytes=10_000_000, max_side=1280)


def pixels(picture: Picture) -> np.ndarray:
    with Image.open(io.BytesIO(picture.data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize(("ratio", "shape"), [("16:9", 16 / 9), ("1:1", 1.0), ("9:16", 9 / 16)])
def test_a_tall_product_is_whole_in_the_first_frame(ratio: str, shape: float) -> None:
    """The can is the only dark blue thing: its height to width must be the same as in the photo."""
    picture = prepare_picture(CAN, LIMITS, ratio=ratio)
    assert picture.width / picture.height == pytest.approx(shape, rel=0.005)
    assert max(picture.width, picture.height) <= 1280
    with Image.open(CAN) as photo:
        expected = _blue_shape(np.asarray(photo.convert("RGB")).astype(int))
    assert _blue_shape(pixels(picture)) == pytest.approx(expected, rel=0.04)


def _blue_shape(rgb: np.ndarray) -> float:
    blue = (rgb[..., 2] > rgb[..., 0] + 12) & (rgb.sum(axis=2) < 260)
    rows, columns = np.flatnonzero(blue.mean(axis=1) > 0.05), np.flatnonzero(blue.mean(axis=0) > 0.1)
    return float((rows[-1] - rows[0]) / (columns[-1] - columns[0]))


def test_no_bars_stand_beside_a_picture_that_is_shown_whole() -> None:
    rgb = pixels(prepare_picture(CAN, LIMITS, ratio="16:9"))
    for edge in (rgb[:, :20], rgb[:, -20:]):
        assert edge.mean() > 60
        assert edge.std() > 3


def test_a_subject_off_the_middle_stays_in_the_crop(tmp_path: Path) -> None:
    image = Image.new("RGB", (1600, 900), (205, 208, 200))
    ImageDraw.Draw(image).rectangle((1280, 250, 1520, 650), fill=(190, 40, 30))
    image.save(tmp_path / "a.png")
    picture = prepare_picture(tmp_path / "a.png", LIMITS, ratio="9:16")
    rgb = pixels(picture)
    red = np.flatnonzero(((rgb[..., 0] > 150) & (rgb[..., 1] < 90)).mean(axis=0) > 0.2)
    assert red[-1] - red[0] + 1 == pytest.approx(241 / 900 * picture.height, abs=4)


def test_without_a_ratio_the_picture_keeps_its_shape() -> None:
    picture = prepare_picture(CAN, LIMITS)
    assert picture.width / picture.height == pytest.approx(2160 / 2700, rel=0.005)


def test_what_was_prepared_is_kept_by_content_and_not_by_name(tmp_path: Path) -> None:
    one, other = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (64, 48), (200, 30, 30)).save(one)
    other.write_bytes(one.read_bytes())
    first = prepare_picture(one, LIMITS)
    assert prepare_picture(other, LIMITS) is first
    assert prepare_picture(one, PictureLimits(max_bytes=10_000_000, max_side=32)).width == 32
    Image.new("RGB", (64, 48), (30, 30, 200)).save(one)
    assert pixels(prepare_picture(one, LIMITS))[0, 0, 2] > 150
