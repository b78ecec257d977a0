"""A plain bar for words across the top: what is below it is whole, and the bar bears the words alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genengine.media import bar_for_words, compile, lint, parse_spec
from genengine.media.channels import CHANNELS, RATIO_SIZES
from genengine.media.compose.keeping_clear import shown_subjects
from genengine.media.compose.placing import placed
from genengine.media.spec.brand import breaches
from tests.media.support import CAN, frames_of, image_spec, make_video, small_output

BAR = {"height": 0.25, "color": "#ffffff"}
ROWS = 80
"""Of 320."""


def segment(kind: str, **changes: Any) -> dict[str, Any]:
    return {"type": kind, "asset": "picture", "duration_frames": 8, "bar": BAR, **changes}


def spec_of(*segments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    kind = segments[0]["type"]
    return image_spec(assets={"picture": {"kind": kind}}, segments=list(segments), **changes)


def quarters(path: Path, kind: str) -> Path:
    """Red above green above blue above yellow, in the shape of what is below the bar (180×240)."""
    stripes = "".join(
        f",drawbox=x=0:y={60 * index}:w=180:h=60:color={colour}:t=fill"
        for index, colour in enumerate(("red", "lime", "blue", "yellow"))
    )
    graph = f"color=black:s=180x240:r=30{stripes}"
    length = ("-frames:v", "1") if kind == "image" else ("-t", "0.5", "-pix_fmt", "yuv420p")
    return make_video(path, "-f", "lavfi", "-i", graph, *length)


@pytest.mark.parametrize(("kind", "name"), [("image", "stripes.png"), ("video", "stripes.mp4")])
def test_the_picture_fills_what_is_below_the_bar(kind: str, name: str, tmp_path: Path) -> None:
    file = quarters(tmp_path / name, kind)
    compile(spec_of(segment(kind)), {"picture": file}, tmp_path / "out.mp4")
    frame = frames_of(tmp_path / "out.mp4", 180, 320)[4].astype(int)
    assert frame[: ROWS - 2].min() > 245
    seen = [tuple(int(value > 100) for value in frame[ROWS + 30 + 60 * place, 90]) for place in range(4)]
    assert seen == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)]


def test_a_move_stays_below_the_bar(tmp_path: Path) -> None:
    moving = segment("image", motion={"from": {"zoom": 1.0}, "to": {"zoom": 1.02}}, duration_frames=30)
    compile(spec_of(moving), {"picture": CAN}, tmp_path / "out.mp4")
    frames = frames_of(tmp_path / "out.mp4", 180, 320).astype(int)
    assert frames[:, : ROWS - 2].min() > 245
    assert np.abs(frames[0, ROWS:] - frames[-1, ROWS:]).mean() > 0.5


def test_captions_know_where_the_subject_stands_below_the_bar() -> None:
    whole = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    read = parse_spec(spec_of(segment("image", subject=whole)))
    assert shown_subjects(read, 0, 8) == [(0, ROWS, 180, 320)]


def test_disclosures_stand_below_the_bar() -> None:
    spec = spec_of(segment("image"), marks={"simulated": True})
    (mark,) = placed(parse_spec(spec), {})
    assert mark.box[1] >= ROWS


def test_a_bar_in_a_colour_that_is_not_the_brands_is_refused() -> None:
    spec = spec_of(segment("image", bar={"height": 0.2, "color": "#00ff00"}), brand={"colors": ["#0e1b33"]})
    assert [item.path for item in breaches(parse_spec(spec))] == ["$.segments[0].bar.color"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("ratio", RATIO_SIZES)
def test_two_lines_of_words_fit_on_the_bar_that_is_made_for_them(ratio: str, channel: str) -> None:
    width, height = RATIO_SIZES[ratio]
    bar = bar_for_words(width, height, channel, 0.046)
    words: dict[str, Any] = {
        "type": "text",
        "text": "When you find out that the coffee was cold all along",
        "style": "headline",
    }
    words |= {"place": "top", "color": "#111111", "plate": "#ffffff", "size": 0.046}
    output = small_output(width=width, height=height, channel=channel)
    spec = spec_of(segment("image", bar={"height": bar}), output=output, overlays=[words])
    boxes = [item.box for item in placed(parse_spec(spec), {})]
    assert max(box[3] for box in boxes) <= bar * height
    assert "outside_safe_zone" not in {item.code for item in lint(spec)}
