"""Cut-outs from ordinary photos: close to the true outline, without a rim of the old ground, refused where unsure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from genengine.media.cutout import cut_out
from tests.media.support import CAN, MEDIA

PHOTOS = MEDIA / "photos"
CUT = PHOTOS / "product-can-cutout.png"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.uint8]]:
    """The can, whose true outline is known, in front of a photo of somewhere else; and that outline."""
    ground = Image.open(PHOTOS / "outdoor-sunset-ridge.jpg").convert("RGB").resize((1200, 800))
    can = Image.open(CUT)
    can = can.resize((round(can.width * 620 / can.height), 620), Image.Resampling.LANCZOS)
    alpha = Image.new("L", ground.size, 0)
    alpha.paste(can.getchannel("A"), (470, 110))
    ground.paste(can, (470, 110), can)
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    ground.save(path)
    return path, np.asarray(alpha)


def placed(cut: Path, box: tuple[float, float], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The cut-out's matte back in its place in the photo."""
    with Image.open(cut) as image:
        matte = Image.new("L", size, 0)
        matte.paste(image.getchannel("A"), (round(box[0] * size[0]), round(box[1] * size[1])))
    return np.asarray(matte)


def test_the_matte_agrees_with_the_known_outline(scene: tuple[Path, NDArray[np.uint8]], tmp_path: Path) -> None:
    path, truth = scene
    cut = cut_out(path, tmp_path / "cut.png", cache_dir=tmp_path / "cache")
    assert cut.path is not None, cut.why
    assert cut.box is not None
    assert cut.confidence > 0.7
    matte = placed(cut.path, (cut.box.left, cut.box.top), (truth.shape[1], truth.shape[0]))
    both, either = ((matte > 127) & (truth > 127)).sum(), ((matte > 127) | (truth > 127)).sum()
    assert both / either >= 0.95


def test_no_rim_of_the_old_ground_is_left(tmp_path: Path) -> None:
    """A dark can before orange: where the matte is half clear, the colour is not the ground's."""
    cut = cut_out(CAN, tmp_path / "cut.png", cache_dir=tmp_path / "cache")
    assert cut.path is not None
    with Image.open(cut.path) as image:
        pixels = np.asarray(image).astype(int)
    sides = pixels[pixels.shape[0] // 4 : pixels.shape[0] * 3 // 4]
    rim = sides[(sides[..., 3] > 20) & (sides[..., 3] < 235)]
    assert len(rim) > 50
    ground = np.array([232, 150, 115])
    assert np.linalg.norm(rim[:, :3] - ground, axis=1).mean() > 100


def test_pixels_inside_are_the_photo_s_own(tmp_path: Path) -> None:
    cut = cut_out(PHOTOS / "product-coffee-cup-small.jpg", tmp_path / "cut.png", cache_dir=tmp_path / "cache")
    assert cut.path is not None
    assert cut.box is not None
    with Image.open(cut.path) as image, Image.open(PHOTOS / "product-coffee-cup-small.jpg") as photo:
        ours, whole = np.asarray(image), np.asarray(photo.convert("RGB"))
    top, left = round(cut.box.top * whole.shape[0]), round(cut.box.left * whole.shape[1])
    theirs = whole[top : top + ours.shape[0], left : left + ours.shape[1]]
    solid = ours[..., 3] == 255
    assert solid.mean() > 0.4
    assert np.abs(ours[..., :3][solid].astype(int) - theirs[solid]).max() <= 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("outdoor-mountain-trail.jpg", "stands out"),
        ("product-macro-landscape.jpg", "edge cuts"),
        ("pets-two-dogs-portrait.jpg", "outline"),
    ],
)
def test_a_matte_that_does_not_convince_is_not_used_and_says_why(name: str, words: str, tmp_path: Path) -> None:
    cut = cut_out(PHOTOS / name, tmp_path / "cut.png", cache_dir=tmp_path / "cache")
    assert not cut.usable
    assert words in cut.why
    assert not (tmp_path / "cut.png").exists()


def test_a_picture_with_its_own_transparency_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GE_MODELS", "0")
    cut = cut_out(CUT, tmp_path / "cut.png")
    assert cut.path is not None
    with Image.open(cut.path) as ours, Image.open(CUT) as theirs:
        box = theirs.getchannel("A").point(lambda value: 255 if value > 8 else 0).getbbox()
        assert np.array_equal(np.asarray(ours), np.asarray(theirs.crop(box)))


def test_without_the_model_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GE_MODELS", "0")
    cut = cut_out(CAN, tmp_path / "cut.png", cache_dir=tmp_path / "cache")
    assert not cut.usable
    assert "U²-Net-P" in cut.why


def test_the_same_photo_is_cut_out_once_and_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = PHOTOS / "product-coffee-cup-small.jpg"
    first = cut_out(photo, tmp_path / "a.png", cache_dir=tmp_path / "cache")
    again = cut_out(photo, tmp_path / "b.png", cache_dir=tmp_path / "other")
    monkeypatch.setattr("genengine.media.cutout.load_rgb", lambda path: pytest.fail("looked at it again"))
    known = cut_out(photo, tmp_path / "c.png", cache_dir=tmp_path / "cache")
    written = {(tmp_path / name).read_bytes() for name in ("a.png", "b.png", "c.png")}
    assert len(written) == 1
    assert first.box == again.box == known.box
