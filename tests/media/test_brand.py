"""Brand-safe work: what it refuses, what the brand decides by itself, and that labels and logos are not distorted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from genengine.media import SpecError, calmed, compile, lint, parse_spec
from genengine.media.color import ciede2000, lab
from genengine.media.compose.pictures import load_rgb
from genengine.media.spec.brand import CALM_TRAVEL_PER_SECOND, travel
from genengine.media.spec.model import Motion, Window
from tests.media.support import CAN, LOGO, MEDIA, RANGE, frames_of, image_spec, small_output

FONTS = MEDIA / "brand" / "fonts"
FILES = {
    "can": CAN,
    "range": RANGE,
    "logo": LOGO,
    "own": FONTS / "Montserrat_700Bold.ttf",
    "text": FONTS / "Inter_600SemiBold.ttf",
    "other": FONTS / "Anton_400Regular.ttf",
}
SLIDE, WIPE, FADE = ({"type": kind, "frames": 8} for kind in ("slide", "wipe", "crossfade"))
KINDS = {name: {"kind": "font" if path.suffix == ".ttf" else "image"} for name, path in FILES.items()}
MADE = {"kind": "image", "origin": "generated"}
CROWD = {"type": "image", "asset": "can", "place": "top_right", "size": 0.1}
LOGO_OVERLAY = {"type": "image", "asset": "logo", "place": "top_right", "size": 0.24}


def branded(**changes: Any) -> dict[str, Any]:
    """Two slots in the brand's look, nothing wrong with them."""
    spec = image_spec(
        output=small_output(width=540, height=960),
        assets=KINDS,
        segments=[
            {"type": "image", "asset": "can", "duration_frames": 30},
            {"type": "image", "asset": "range", "duration_frames": 30, "transition": FADE},
        ],
        overlays=[LOGO_OVERLAY],
        captions={"cues": [{"start_frame": 0, "end_frame": 40, "text": "Wake up slowly", }]},
        brand={
            "colors": ["#0e1b33", "#f2603c", "#19c7b0", "#fff6e8"],
            "fonts": {"headline": "own", "body": "text"},
            "logo": {"asset": "logo", "places": ["top_right"], "min_size": 0.12, "clear_space": 0.25},
        },
    )  # fmt: skip
    return spec | changes


def codes(spec: dict[str, Any]) -> dict[str, str]:
    return {item.code: item.path for item in lint(spec, FILES) if item.severity == "error"}


def second(**changes: Any) -> list[dict[str, Any]]:
    first, other = branded()["segments"]
    return [first, other | changes]


def words(**changes: Any) -> dict[str, Any]:
    return {"type": "text", "text": "Today only", "place": "bottom", **changes}


def test_work_in_the_brands_look_is_accepted() -> None:
    assert codes(branded()) == {}


@pytest.mark.parametrize(
    ("code", "path", "changes"),
    [
        ("brand_transition", "$.segments[1].transition", {"segments": second(transition=SLIDE)}),
        ("brand_transition", "$.segments[1].transition", {"segments": second(transition=WIPE)}),
        ("brand_motion", "$.segments[1].motion", {"segments": second(motion={"from": {}, "to": {"zoom": 1.5}})}),
        ("brand_font", "$.overlays[1].font", {"overlays": [LOGO_OVERLAY, words(font="other")]}),
        ("brand_color", "$.overlays[1].color", {"overlays": [LOGO_OVERLAY, words(color="#ff00ff")]}),
        ("brand_color", "$.overlays[1].plate", {"overlays": [LOGO_OVERLAY, words(plate="#00ff00")]}),
        ("brand_logo_missing", "$.overlays", {"overlays": []}),
        ("brand_logo_place", "$.overlays[0].place", {"overlays": [LOGO_OVERLAY | {"place": "center"}]}),
        ("brand_logo_size", "$.overlays[0].size", {"overlays": [LOGO_OVERLAY | {"size": 0.05}]}),
        ("brand_logo_space", "$.overlays[1]", {"overlays": [LOGO_OVERLAY, CROWD]}),
        ("brand_generated", "$.assets.can", {"assets": KINDS | {"can": MADE | {"shows": "product"}}}),
        ("brand_generated", "$.overlays[0].asset", {"assets": KINDS | {"logo": MADE}}),
    ],
)  # fmt: skip
def test_a_breach_is_told_by_lint_refused_by_compile_and_free_when_switched_off(
    code: str, path: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    spec = branded(**changes)
    assert codes(spec)[code] == path
    with pytest.raises(SpecError) as caught:
        compile(spec, FILES, tmp_path / "a.mp4")
    assert (code, path) in {(problem.code, problem.path) for problem in caught.value.problems}
    assert list(tmp_path.iterdir()) == []
    assert not [name for name in codes(spec | {"constraints": {"brand_safe": False}}) if name.startswith("brand")]


def test_generated_subjects_are_shown_when_they_are_explicitly_allowed() -> None:
    assets = KINDS | {"can": {"kind": "image", "origin": "generated", "shows": "product"}}
    allowed = branded(assets=assets, constraints={"allow_generated_subjects": True})
    assert codes(allowed) == {}


def test_texts_that_name_no_font_and_cards_that_name_no_ground_take_the_brands() -> None:
    card = {"type": "text", "headline": "Order today", "body": "aurora.example", "duration_frames": 30}
    spec = parse_spec(
        branded(segments=[*branded()["segments"], card], overlays=[LOGO_OVERLAY, words(style="headline")])
    )
    shown = spec.segments[2]
    assert (shown.font, shown.body_font, shown.background_from) == ("own", "text", "#0e1b33")  # type: ignore[union-attr]
    assert (spec.captions.font, spec.overlays[1].font) == ("text", "own")  # type: ignore[union-attr]


def test_a_brand_font_is_what_is_drawn(tmp_path: Path) -> None:
    card = {"type": "text", "headline": "Wake", "duration_frames": 2, "background": {"from": "#0e1b33"}}
    frames = []
    for font in ("own", "other"):
        spec = image_spec(assets=KINDS, segments=[card | {"font": font}], constraints={"brand_safe": False})
        compile(spec, FILES, tmp_path / f"{font}.mp4", cache_dir=tmp_path / "cache")
        frames.append(frames_of(tmp_path / f"{font}.mp4", 180, 320)[1].astype(int))
    assert np.abs(frames[0] - frames[1]).max() > 150


@pytest.mark.parametrize("seconds", [0.5, 1, 2, 6])
def test_a_move_is_calmed_to_what_its_time_allows_and_no_further(seconds: float) -> None:
    start, end = {"zoom": 1.14, "x": 0.1, "y": 0.5}, {"zoom": 1.3, "x": 0.9, "y": 0.5}
    before = travel(Motion(Window(**start), Window(**end)))
    first, last = calmed(start, end, seconds)
    after = travel(Motion(Window(**first), Window(**last)))
    assert first == start
    assert after <= CALM_TRAVEL_PER_SECOND * max(1, seconds)
    assert after >= min(before, CALM_TRAVEL_PER_SECOND * max(1, seconds)) * 0.6


def test_the_colour_difference_is_the_published_one() -> None:
    """Pairs 1, 7, 17 and 25 of the test data of Sharma, Wu and Dalal (2005)."""
    one = np.array([[50, 2.6772, -79.7751], [50, 0, 0], [50, 2.5, 0], [60.2574, -34.0099, 36.2677]])
    other = np.array([[50, 0, -82.7485], [50, -1, 2], [73, 25, -18], [60.4626, -34.1751, 39.4387]])
    assert ciede2000(one, other) == pytest.approx([2.0425, 2.3669, 27.1492, 1.2644], abs=1e-4)


LABELS = {
    "product-can-hero-portrait": (0.30, 0.36, 0.70, 0.72),
    "product-flatlay-square": (0.25, 0.25, 0.75, 0.75),
}


@pytest.mark.parametrize("photo", LABELS)
def test_the_label_keeps_its_colours_and_its_shape_through_the_whole_engine(photo: str, tmp_path: Path) -> None:
    """The label region of the finished film against the same region of the photograph, scaled uniformly."""
    path = MEDIA / "photos" / f"{photo}.jpg"
    rgb = load_rgb(path)
    height, width = rgb.shape[:2]
    size = (540, round(540 * height / width / 2) * 2)
    spec = image_spec(6, output=small_output(width=size[0], height=size[1], crf=16, preset="veryfast"))
    spec["segments"][0].pop("motion")
    compile(spec, {"can": path}, tmp_path / "a.mp4")
    frame = frames_of(tmp_path / "a.mp4", *size)[3]
    wanted = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = (round(share * size[axis % 2]) for axis, share in enumerate(LABELS[photo]))
    seen, meant = frame[y0:y1, x0:x1], np.asarray(wanted, np.uint8)[y0:y1, x0:x1]
    difference = ciede2000(lab(seen), lab(meant))
    assert difference.mean() <= 2.5
    across, down = _shift(meant, seen)
    assert max(abs(across), abs(down)) <= 1.0


def _shift(one: Any, other: Any) -> tuple[float, float]:
    """Sub-pixel displacement between two pictures (phase correlation)."""
    grey = [
        cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (one, other)
    ]
    (x, y), _ = cv2.phaseCorrelate(grey[0], grey[1], cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F))
    return float(x), float(y)


def test_a_logo_is_scaled_the_same_both_ways(tmp_path: Path) -> None:
    """Width to height of the drawn logo, measured on the frame, is that of its file."""
    card = {"type": "text", "duration_frames": 4, "background": {"from": "#0e1b33"}}
    overlay = {"type": "image", "asset": "logo", "place": "center", "size": 0.7}
    spec = image_spec(assets={"logo": {"kind": "image"}}, segments=[card], overlays=[overlay])
    spec["output"] = small_output(width=540, height=960, crf=8)
    compile(spec, {"logo": LOGO}, tmp_path / "a.mp4")
    frame = frames_of(tmp_path / "a.mp4", 540, 960)[2].astype(int)
    rows, columns = np.nonzero(np.abs(frame - frame[5, 5]).max(axis=2) > 40)
    alpha = cv2.imread(str(LOGO), cv2.IMREAD_UNCHANGED)[..., 3] > 60
    own_rows, own_columns = np.nonzero(alpha)
    measured = (np.ptp(columns) + 1) / (np.ptp(rows) + 1)
    assert measured == pytest.approx((np.ptp(own_columns) + 1) / (np.ptp(own_rows) + 1), rel=0.03)
