"""RenderSpec: the schema, its messages, and what a schema cannot say."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genengine.media import SpecError, parse_spec, spec_schema
from genengine.media.spec.reference import markdown
from genengine.media.spec.schema_check import faults
from tests.media.support import REPOSITORY, image_spec

EXAMPLES = sorted((REPOSITORY / "docs" / "reference").glob("renderspec-*.json"))


def problems(spec: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    return {problem.path: f"{problem.message} {problem.fix}" for problem in caught.value.problems}


def test_the_schema_is_valid_json_schema_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(spec_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_in_the_reference_are_accepted_by_us_and_by_jsonschema(path: Any) -> None:
    data = {key: value for key, value in json.loads(path.read_text()).items() if key != "files"}
    assert parse_spec(data).duration_frames > 0
    jsonschema.Draft202012Validator(spec_schema()).validate(data)


def test_the_length_is_the_sum_of_the_slots_with_transitions_inside() -> None:
    spec = image_spec()
    spec["segments"] = [
        {"type": "image", "asset": "can", "duration_frames": 40},
        {"type": "image", "asset": "can", "duration_frames": 50, "transition": {"type": "crossfade", "frames": 10}},
    ]
    parsed = parse_spec(spec)
    assert parsed.duration_frames == 90
    assert parsed.slot_starts == (0, 40)
    assert parsed.run_on(0) == 10


def test_a_fractional_frame_rate_stays_exact() -> None:
    spec = image_spec()
    spec["output"]["fps"] = "30000/1001"
    assert parse_spec(spec).output.fps == Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"version": "2.0"}, "$.version", "'1.0'"),
        ({"colour": "red"}, "$.colour", "Remove it"),
        ({"duration_frames": 5}, "$.duration_frames", "Set it to 30"),
        ({"segments": []}, "$.segments", "1 to 200"),
        ({"segments": [{"type": "film"}]}, "$.segments[0].type", "image, text, video"),
        ({"segments": [{"type": "image", "asset": "nope", "duration_frames": 9}]}, "$.segments[0].asset", "known: can"),
        ({"output": {"width": 181, "height": 320}}, "$.output.width", "Use 180"),
        ({"output": {"height": 320}}, "$.output.width", "Add it"),
        ({"captions": {"cues": [{"start_frame": 0, "end_frame": 99, "text": "a"}]}}, "$.captions.cues[0]", "frame 30"),
        ({"overlays": [{"type": "text", "text": "a", "color": "red"}]}, "$.overlays[0].color", "#rrggbb"),
        ({"audio": {"bed": {"asset": "can"}}}, "$.audio.bed.asset", "audio|video"),
    ],
)
def test_a_fault_names_its_json_path_and_its_remedy(change: dict[str, Any], path: str, words: str) -> None:
    found = problems(image_spec() | change)
    assert words in found[path]


def test_a_transition_on_the_first_slot_or_longer_than_its_slot_is_refused() -> None:
    spec = image_spec()
    spec["segments"][0]["transition"] = {"type": "crossfade", "frames": 5}
    assert "Remove it" in problems(spec)["$.segments[0].transition"]
    spec["segments"] = [
        image_spec()["segments"][0],
        {**spec["segments"][0], "transition": {"type": "wipe", "frames": 31}},
    ]
    assert "at most 30" in problems(spec)["$.segments[1].transition.frames"]


def test_the_reference_page_is_the_one_the_schema_gives() -> None:
    page = REPOSITORY / "docs" / "reference" / "renderspec.md"
    assert page.read_text(encoding="utf-8") == markdown(), "python -m genengine.media schema --markdown"


WORDS = ["version", "output", "segments", "assets", "captions", "overlays", "audio", "marks", "type", "asset", "width"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 400) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(where=st.sampled_from(["output", "segments", "captions", "overlays", "audio", "marks", "assets"]), value=VALUES)
def test_our_reader_agrees_with_jsonschema_on_whether_a_spec_is_valid(where: str, value: Any) -> None:
    spec = copy.deepcopy(image_spec()) | {where: value}
    ours = not list(faults(spec, spec_schema(), spec_schema()))
    assert ours == jsonschema.Draft202012Validator(spec_schema()).is_valid(spec)
