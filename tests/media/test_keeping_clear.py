"""Captions leave the subject alone: they move to where there is room, or the picture makes room for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from genengine.media import CHANNELS, SpecError, compile, lint, parse_spec, suggest_framing
from genengine.media.archetypes import Copy, Look, Material, Request, assemble
from genengine.media.compose.placing import Placed, placed
from tests.media.support import CAN, LOGO, MEDIA, frames_of, image_spec

TALL: dict[str, Any] = {"width": 270, "height": 480, "channel": "tiktok", "preset": "ultrafast", "crf": 16}
LOW = {"left": 0.2, "top": 0.45, "right": 0.8, "bottom": 0.95}


def captioned(*texts: str, subject: dict[str, float] | None = None, **changes: Any) -> dict[str, Any]:
    """A second for each text, over one picture."""
    spec = image_spec(30 * len(texts), output=TALL)
    cues = [{"start_frame": 30 * n, "end_frame": 30 * n + 30, "text": text} for n, text in enumerate(texts)]
    spec["segments"][0].pop("motion")
    spec["segments"][0] |= {"subject": subject} if subject else {}
    return spec | {"captions": {"cues": cues}} | changes


def captions(spec: dict[str, Any]) -> list[Placed]:
    items = placed(parse_spec(spec), {"can": CAN, "logo": LOGO})
    return [item for item in items if item.path.startswith("$.captions")]


def in_pixels(box: dict[str, float]) -> tuple[float, float, float, float]:
    return box["left"] * 270, box["top"] * 480, box["right"] * 270, box["bottom"] * 480


def test_a_caption_moves_off_the_subject_and_stays_in_the_safe_zone() -> None:
    (before,), (after,) = (
        captions(captioned("Cold for a whole day")),
        captions(captioned("Cold for a whole day", subject=LOW)),
    )
    x0, y0, x1, y1 = CHANNELS["tiktok"].safe_box(270, 480).pixels(270, 480)
    assert before.box[3] > 0.6 * 480
    assert after.box[3] <= in_pixels(LOW)[1] + 0.03 * 480
    assert after.box[0] >= x0
    assert after.box[1] >= y0
    assert after.box[2] <= x1
    assert after.box[3] <= y1


def test_a_caption_stays_where_it_is_looked_for_when_nothing_is_in_its_way() -> None:
    high = {"left": 0.2, "top": 0.1, "right": 0.8, "bottom": 0.5}
    assert captions(captioned("Cold for a day", subject=high)) == captions(captioned("Cold for a day"))


def test_captions_of_one_slot_stand_on_one_line() -> None:
    spec = captioned("Cold", "Cold for twenty-four hours and more", "Today", subject=LOW)
    plain = captions(captioned("Cold", "Cold for twenty-four hours and more", "Today"))
    moved = [one.box[1] - other.box[1] for one, other in zip(captions(spec), plain, strict=True)]
    assert len(set(moved)) == 1
    assert moved[0] < 0


def test_the_next_slot_without_a_subject_has_its_caption_at_the_usual_place() -> None:
    spec = captioned("First words", "Second words", subject=LOW)
    other = {"type": "image", "asset": "can", "duration_frames": 30}
    spec["segments"] = [spec["segments"][0] | {"duration_frames": 30}, other]
    first, second = captions(spec)
    assert first.box[3] < second.box[1]


def test_a_caption_that_moves_does_not_land_on_other_words_or_the_logo() -> None:
    spec = captioned("Cold for a whole day", subject=LOW | {"top": 0.5})
    spec["assets"]["logo"] = {"kind": "image"}
    spec["overlays"] = [
        {"type": "text", "text": "Only today", "style": "headline", "place": "top"},
        {"type": "image", "asset": "logo", "place": "top_right"},
    ]
    files = {"can": CAN, "logo": LOGO}
    assert captions(spec)[0].box[3] <= 0.55 * 480
    assert "text_covered" not in {item.code for item in lint(spec, files)}


def test_a_caption_is_not_moved_where_no_place_is_much_better() -> None:
    everywhere = {"left": 0.1, "top": 0.05, "right": 0.9, "bottom": 0.95}
    assert captions(captioned("Cold", subject=everywhere)) == captions(captioned("Cold"))


def test_the_camera_is_taken_into_account() -> None:
    """At rest the subject ends above the caption; zoomed in it would reach it."""
    above = {"left": 0.3, "top": 0.3, "right": 0.7, "bottom": 0.64}
    still, moving = captioned("Cold for a day", subject=above), captioned("Cold for a day", subject=above)
    moving["segments"][0]["motion"] = {"from": {"zoom": 1.0, "y": 0.0}, "to": {"zoom": 1.3, "y": 0.0}}
    moving["constraints"] = {"brand_safe": False}
    assert captions(still) == captions(captioned("Cold for a day"))
    assert captions(moving) != captions(still)


# -- the picture makes room ----------------------------------------------------------------------------------------


def hero(words: str, path: Path = CAN, *, seconds: float = 3.0) -> dict[str, Any]:
    material = Material.framed("can", "image", suggest_framing(path, TALL["width"], TALL["height"]))
    return assemble("hero_calm", Request((material,), Copy(words), TALL, seconds, Look(logo="logo")))


def can_in(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The can before its peach ground: what is not warm, in one piece, without the beans."""
    values = frame.astype(int)
    other = (values[..., 0] - values[..., 2] < 45).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(other)
    assert count > 1
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def test_a_heros_caption_covers_next_to_nothing_of_the_can(tmp_path: Path) -> None:
    """Counted in pixels of finished frames, with and without words, from the first to the last."""
    spec, files = hero("Introducing our new product!"), {"can": CAN, "logo": LOGO}
    bare = spec | {"captions": {"cues": []}}
    for name, one in (("words", spec), ("bare", bare)):
        compile(one, files, tmp_path / f"{name}.mp4")
    with_words, without = (frames_of(tmp_path / f"{name}.mp4", 270, 480) for name in ("words", "bare"))
    for number in (20, 45, 80):
        words = np.abs(with_words[number].astype(int) - without[number]).max(axis=2) > 40
        can = can_in(without[number])
        assert words.sum() > 2000, "no caption was drawn"
        assert can.sum() > 0.1 * can.size, "the can is small"
        assert (words & can).sum() <= 0.02 * can.sum()
        assert can[: 480 // 20].sum() == 0


def test_a_picture_set_in_keeps_its_shape_and_its_ground_goes_on_without_a_seam(tmp_path: Path) -> None:
    spec = captioned("x")
    spec["captions"] = {"cues": []}
    compile(spec, {"can": CAN}, tmp_path / "a.mp4")
    spec["segments"][0]["fit"] = {"inset": {"scale": 0.7, "x": 0.5, "y": 0.1}}
    compile(spec, {"can": CAN}, tmp_path / "b.mp4")
    whole, small = (frames_of(tmp_path / f"{name}.mp4", 270, 480)[5] for name in "ab")
    sides = []
    for frame in (whole, small):
        rows, columns = np.nonzero(can_in(frame))
        sides.append((np.ptp(columns) + 1, np.ptp(rows) + 1))
    assert sides[1][0] / sides[0][0] == pytest.approx(0.7, abs=0.015)
    assert sides[1][1] / sides[0][1] == pytest.approx(0.7, abs=0.015)
    edge = small[round(480 * (0.03 + 0.7)) - 4 :, 20:-20].astype(int)
    assert np.abs(np.diff(edge, axis=0)).mean(axis=(1, 2)).max() < 3, "a step where the photo ends"
    assert edge.mean(axis=(1, 2)).min() > 100, "a bar"


@pytest.mark.parametrize("name", ["pets-two-dogs-portrait.jpg", "outdoor-stream-portrait.jpg"])
def test_a_busy_ground_is_not_continued(name: str) -> None:
    spec = hero("Introducing our new product!", MEDIA / "photos" / name)
    assert "inset" not in spec["segments"][0]["fit"]


@pytest.mark.parametrize(
    ("segment", "path", "words"),
    [
        ({"type": "video", "fit": {"inset": {"scale": 0.8}}}, "$.segments[0].fit.inset", "film"),
        ({"fit": {"mode": "blurred", "inset": {"scale": 0.8}}}, "$.segments[0].fit.inset", "crop"),
        ({"subject": {"left": 0.5, "top": 0.1, "right": 0.5, "bottom": 0.9}}, "$.segments[0].subject", "right > left"),
        ({"fit": {"inset": {"scale": 0.2}}}, "$.segments[0].fit.inset.scale", "0.5"),
    ],
)
def test_what_cannot_be_set_in_or_kept_clear_is_refused_with_its_place(
    segment: dict[str, Any], path: str, words: str
) -> None:
    spec = captioned("x")
    spec["segments"][0] |= segment
    spec["assets"]["can"]["kind"] = spec["segments"][0]["type"]
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    told = {problem.path: f"{problem.message} {problem.fix}" for problem in caught.value.problems}
    assert words in told[path]
