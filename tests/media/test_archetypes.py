"""Archetypes: from pictures and lines to specs that compile, in every preset and ratio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from genengine.media import compile, parse_spec
from genengine.media.archetypes import PRESETS, Copy, Look, Material, Request, assemble, prepare
from genengine.media.archetypes.values import CannotAssemble
from genengine.media.framing import Box
from tests.media.support import CAN, LOGO, MEDIA, MUSIC, RANGE, frames_of

FILES = {"can": CAN, "range": RANGE, "cut": MEDIA / "photos" / "product-can-cutout.png", "logo": LOGO, "music": MUSIC}
SIZES = {"9:16": (180, 320), "4:5": (240, 300), "1:1": (240, 240), "16:9": (320, 180)}
LINES = Copy("They said coffee must be hot. Not today", ("Cold for 24 hours",), "Order today")


def request_for(preset: str, ratio: str = "9:16", **changes: Any) -> Request:
    chosen = PRESETS[preset]
    materials = (Material("can"), Material("range", fit={"mode": "blurred_fill"}))
    if chosen.archetype == "overlay":
        materials = (Material("cut", cutout=True), Material("range"))
    width, height = SIZES[ratio]
    values: dict[str, Any] = {
        "materials": materials,
        "copy": LINES,
        "output": {"width": width, "height": height, "preset": "ultrafast"},
        "seconds": 5,
        "look": Look(logo="logo"),
        "music": "music",
        "brand_safe": not chosen.lively,
    }
    return Request(**values | changes)


@pytest.mark.parametrize("ratio", SIZES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_in_every_ratio_gives_a_valid_spec_of_the_asked_length(preset: str, ratio: str) -> None:
    spec = parse_spec(assemble(preset, request_for(preset, ratio)))
    assert spec.duration_frames == 150
    assert spec.archetype == PRESETS[preset].archetype
    shown = " ".join([cue.text for cue in spec.captions.cues] + [getattr(item, "text", "") for item in spec.overlays])
    for word in ("coffee", "24", "Order"):
        assert word in shown


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_compiles_and_looks_unlike_the_others(preset: str, tmp_path: Path) -> None:
    report = compile(assemble(preset, request_for(preset)), FILES, tmp_path / "a.mp4")
    frames = frames_of(tmp_path / "a.mp4", 180, 320)
    assert len(frames) == report.frames == 150
    assert frames[0].mean() > 20
    assert frames[75].std() > 15
    assert report.loudness_lufs == pytest.approx(-14, abs=0.3)


def test_there_are_three_presets_of_each_archetype_and_a_calm_one_of_each() -> None:
    for archetype in ("hero", "overlay", "meme"):
        presets = [one for one in PRESETS.values() if one.archetype == archetype]
        assert len(presets) >= 3
        assert any(not one.lively for one in presets)


def test_brand_safe_work_refuses_lively_presets_and_names_calm_ones() -> None:
    with pytest.raises(CannotAssemble, match="hero_calm"):
        assemble("hero_bold", request_for("hero_bold", brand_safe=True))


@pytest.mark.parametrize(
    ("preset", "changes", "words"),
    [
        ("hero_calm", {"materials": ()}, "add at least one"),
        ("hero_calm", {"copy": Copy("  ")}, "at least a hook"),
        ("hero_calm", {"seconds": 0.5}, "1.5 s or more"),
        ("overlay_spotlight", {"materials": (Material("can"),)}, "transparent ground"),
    ],
)
def test_what_is_missing_is_said(preset: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotAssemble, match=words):
        assemble(preset, request_for(preset, **changes))


def test_a_cut_out_keeps_its_proportions(tmp_path: Path) -> None:
    """The product's own width to height, measured on the frame, within a pixel or two."""
    request = request_for("overlay_spotlight", look=Look(ground="#00ff00", ground_to="#00ff00"), copy=Copy("x"))
    spec = assemble("overlay_spotlight", request)
    spec["overlays"] = [item | {"shadow": False} for item in spec["overlays"] if item.get("asset") == "cut"]
    compile(spec, FILES, tmp_path / "a.mp4")
    frame = frames_of(tmp_path / "a.mp4", 180, 320)[75].astype(int)
    product = ~((frame[..., 1] > 180) & (frame[..., 0] < 110) & (frame[..., 2] < 110))
    rows, columns = np.nonzero(product)
    measured = (columns.max() - columns.min() + 1) / (rows.max() - rows.min() + 1)
    with Image.open(FILES["cut"]) as image:
        box = image.getchannel("A").point(lambda value: 255 if value > 128 else 0).getbbox()
    assert box is not None
    assert measured == pytest.approx((box[2] - box[0]) / (box[3] - box[1]), rel=0.04)


# -- from files to materials ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", SIZES)
def test_an_overlay_is_made_from_an_ordinary_photo(ratio: str, tmp_path: Path) -> None:
    made = prepare("overlay_backdrop", {"can": CAN, "range": RANGE}, SIZES[ratio], tmp_path / "cuts")
    cut = [item for item in made.materials if item.cutout]
    assert [item.asset for item in cut] == ["can-cut", "range-cut"]
    request = request_for("overlay_backdrop", ratio, materials=made.materials)
    report = compile(assemble("overlay_backdrop", request), FILES | dict(made.files), tmp_path / "a.mp4")
    assert report.frames == 150


@pytest.mark.parametrize("preset", ["overlay_spotlight", "overlay_backdrop"])
def test_without_models_an_overlay_shows_the_photo_as_a_card_and_says_so(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GE_MODELS", "0")
    made = prepare(preset, {"can": CAN}, SIZES["9:16"], tmp_path / "cuts")
    assert made.materials == (Material("can", card=True),)
    assert "card" in made.notes[0]
    request = request_for(preset, materials=made.materials, music=None)
    compile(assemble(preset, request), FILES | dict(made.files), tmp_path / "a.mp4")
    frame = frames_of(tmp_path / "a.mp4", 180, 320)[75].astype(int)
    salmon = (frame[..., 0] > 180) & (frame[..., 2] < 140)
    assert salmon.mean() > 0.05


def test_words_of_a_hero_keep_off_the_subject(tmp_path: Path) -> None:
    low = tmp_path / "low.png"
    image = Image.new("RGB", (900, 1600), (205, 208, 200))
    ImageDraw.Draw(image).rectangle((250, 1000, 650, 1560), fill=(190, 40, 30))
    image.save(low)
    made = prepare("hero_bold", {"low": low}, SIZES["9:16"], tmp_path)
    spec = assemble("hero_bold", request_for("hero_bold", materials=made.materials))
    assert {item["place"] for item in spec["overlays"] if item["type"] == "text"} == {"top"}


@pytest.mark.parametrize("preset", ["hero_calm", "hero_bold", "hero_editorial"])
def test_no_hero_move_pushes_the_product_out_of_the_frame(preset: str, tmp_path: Path) -> None:
    made = prepare(preset, {"can": CAN}, SIZES["1:1"], tmp_path)
    assert made.materials[0].subject is not None
    spec = assemble(preset, request_for(preset, "1:1", materials=made.materials))
    for segment in spec["segments"]:
        box = Box(**segment["subject"])
        for window in (segment["motion"]["from"], segment["motion"]["to"]):
            zoom = window.get("zoom", 1.0)
            left, top = ((1 - 1 / zoom) * window.get(name, 0.5) for name in ("x", "y"))
            assert left <= box.left + 0.002
            assert top <= box.top + 0.002
            assert left + 1 / zoom >= box.right - 0.002
            assert top + 1 / zoom >= box.bottom - 0.002
