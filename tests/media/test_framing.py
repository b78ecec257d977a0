"""Crops keep the subject in view, and give way to a blurred fill where they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from genengine.media import suggest_framing
from tests.media.support import CAN, MEDIA, RANGE, TURNTABLE, make_video


def picture(path: Path, box: tuple[int, int, int, int], size: tuple[int, int] = (1600, 900)) -> Path:
    image = Image.new("RGB", size, (205, 208, 200))
    ImageDraw.Draw(image).rectangle(box, fill=(190, 40, 30))
    image.save(path)
    return path


@pytest.mark.parametrize(("left", "focus"), [(80, 0.0), (680, 0.5), (1280, 1.0)])
def test_the_crop_follows_the_subject_across_the_picture(left: int, focus: float, tmp_path: Path) -> None:
    framing = suggest_framing(picture(tmp_path / "a.png", (left, 250, left + 240, 650)), 1080, 1920)
    assert framing.mode == "crop"
    span = 900 * 9 / 16
    start = min(max(0.0, framing.focus_x * 1600 - span / 2), 1600 - span)
    assert start <= left + 10
    assert left + 230 <= start + span
    assert framing.kept > 0.95


def test_a_subject_wider_than_the_crop_is_shown_whole_before_a_blurred_copy(tmp_path: Path) -> None:
    framing = suggest_framing(picture(tmp_path / "a.png", (150, 300, 1450, 600)), 1080, 1920)
    assert framing.mode == "blurred_fill"


def test_a_subject_high_in_a_tall_picture_stays_in_a_wide_crop(tmp_path: Path) -> None:
    framing = suggest_framing(picture(tmp_path / "a.png", (350, 120, 550, 320), (900, 1600)), 1920, 1080)
    assert framing.mode == "crop"
    assert framing.focus_y < 0.35


def test_product_pictures_are_never_cut() -> None:
    assert suggest_framing(RANGE, 1080, 1920).mode == "blurred_fill"
    assert suggest_framing(CAN, 1920, 1080).mode == "blurred_fill"
    assert suggest_framing(CAN, 1080, 1080).mode == "crop"
    assert suggest_framing(MEDIA / "photos" / "product-flatlay-square.jpg", 1920, 1080).mode == "crop"


def test_a_film_is_judged_over_its_whole_length(tmp_path: Path) -> None:
    assert suggest_framing(TURNTABLE, 1080, 1080, kind="video").mode == "crop"
    moving = "color=0xcdd0c8:s=320x180:r=30:d=2[a];color=0xbe281e:s=40x80:r=30:d=2[b];[a][b]overlay=x=t*130:y=50"
    film = make_video(tmp_path / "m.mp4", "-filter_complex", moving, "-pix_fmt", "yuv420p")
    assert suggest_framing(film, 1080, 1920, kind="video").mode == "blurred_fill"


def test_the_same_picture_gives_the_same_framing() -> None:
    assert suggest_framing(RANGE, 1080, 1080) == suggest_framing(RANGE, 1080, 1080)
