"""Before a frame is drawn: every fault has a code, a place, a sentence and a remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from genengine.media import Severity, SpecError, compile, lint
from tests.media.support import CAN, MEDIA, MUSIC, REPOSITORY, TURNTABLE, image_spec, small_output

LIGHT = MEDIA / "brand" / "logo-light.png"


def full(**changes: Any) -> dict[str, Any]:
    """One picture for three seconds in full size, nothing wrong with it."""
    spec = image_spec(90, output={"width": 1080, "height": 1920, "channel": "instagram_reels"})
    return spec | changes


def text(words: str, **changes: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": words, **changes}]


def found(spec: dict[str, Any], assets: dict[str, Path] | None = None) -> dict[str, Any]:
    """Findings by code."""
    return {finding.code: finding for finding in lint(spec, assets)}


def test_a_good_spec_has_nothing_to_tell() -> None:
    assert lint(full(), {"can": CAN}) == []


@pytest.mark.parametrize("name", ["renderspec-master", "renderspec-clip"])
def test_the_reference_specs_have_no_error_and_no_warning(name: str) -> None:
    data = json.loads((REPOSITORY / "docs" / "reference" / f"{name}.json").read_text())
    files = {key: MEDIA / path for key, path in data.pop("files").items()}
    assert {finding.severity for finding in lint(data, files)} <= {Severity.NOTE}


def cards(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "headline": words, "duration_frames": 90} for words in texts]


@pytest.mark.parametrize(
    ("code", "severity", "path", "spec"),
    [
        ("too_long", "error", "$.segments", image_spec(30 * 61)),
        ("channel_length", "warning", "$.segments", full(segments=cards("x") * 21, constraints={"max_duration_s": 90})),
        (
            "channel_ratio",
            "warning",
            "$.output",
            full(output={"width": 1920, "height": 1080, "channel": "instagram_reels"}),
        ),
        ("text_does_not_fit", "error", "$.segments[0].headline", full(segments=cards("字" * 190))),
        ("glyph_missing", "error", "$.overlays[0]", full(overlays=text("a\U00012000b"))),
        ("low_contrast", "error", "$.overlays[0]", full(overlays=text("Now", color="#ffffff", plate="#fff6e8"))),
        ("overlay_time", "warning", "$.overlays[0].end_frame", full(overlays=text("Now", end_frame=120))),
        ("overlay_time", "error", "$.overlays[0]", full(overlays=text("Now", start_frame=90, end_frame=99))),
        ("asset_unknown", "error", "$.overlays[0].asset", full(overlays=[{"type": "image", "asset": "nope"}])),
        ("asset_kind", "error", "$.audio.bed.asset", full(audio={"bed": {"asset": "can"}})),
        (
            "asset_unused",
            "warning",
            "$.assets.spare",
            full(assets={"can": {"kind": "image"}, "spare": {"kind": "image"}}),
        ),
        ("invalid", "error", "$.colour", full(colour="red")),
    ],
)
def test_a_fault_has_its_code_its_place_and_a_remedy(code: str, severity: str, path: str, spec: Any) -> None:
    finding = found(spec, {"can": CAN, "spare": CAN})[code]
    assert (finding.severity, finding.path) == (severity, path)
    assert finding.message
    assert finding.fix


def test_words_that_lie_over_words_are_told() -> None:
    spec = full(overlays=[*text("Cold brew today", place="center"), *text("Half price", place="center")])
    assert found(spec, {"can": CAN})["text_covered"].path == "$.overlays[1]"


def test_a_caption_that_cannot_be_read_in_its_time_is_told_with_the_time_it_needs() -> None:
    cue = {"start_frame": 0, "end_frame": 20, "text": "Steeped for eighteen hours in cold water"}
    assert "2.0 s" in found(full(captions={"cues": [cue]}), {"can": CAN})["reading_speed"].fix


def two(frames: int, **transition: Any) -> dict[str, Any]:
    slots: list[dict[str, Any]] = [{"type": "image", "asset": "can", "duration_frames": length} for length in (20, 40)]
    slots[1]["transition"] = {"frames": frames, **transition}
    return full(segments=slots)


def test_transitions_longer_than_their_slot_are_refused_and_crowded_ones_told() -> None:
    assert found(two(41, type="crossfade"))["transition_too_long"].severity == "error"
    assert found(two(30, type="crossfade"))["transition_crowded"].severity == "warning"
    assert "transition_crowded" not in found(two(10, type="crossfade"))


def test_files_that_are_missing_wrong_small_or_short_are_told(tmp_path: Path) -> None:
    (tmp_path / "not.jpg").write_text("no picture")
    small = MEDIA / "photos" / "person-astronaut-small.jpg"
    assert found(full(), {})["asset_missing"].path == "$.assets.can"
    assert found(full(), {"can": tmp_path / "not.jpg"})["asset_unreadable"].severity == "error"
    assert "audio" in found(full(), {"can": MUSIC})["asset_kind"].message
    assert "enlarged" in found(full(), {"can": small})["asset_small"].message
    digest = full(assets={"can": {"kind": "image", "sha256": "0" * 64}})
    assert found(digest, {"can": CAN})["asset_digest"].path == "$.assets.can.sha256"
    clip = full(
        assets={"clip": {"kind": "video"}}, segments=[{"type": "video", "asset": "clip", "duration_frames": 900}]
    )
    assert "stands still" in found(clip, {"clip": TURNTABLE})["clip_short"].message


def test_short_music_is_said_to_loop_with_the_time_of_the_joint() -> None:
    spec = full(segments=[{"type": "image", "asset": "can", "duration_frames": 1500}])
    spec |= {"assets": {"can": {"kind": "image"}, "bed": {"kind": "audio"}}, "audio": {"bed": {"asset": "bed"}}}
    finding = found(spec, {"can": CAN, "bed": MUSIC})["music_loops"]
    assert finding.severity == "note"
    assert "0.35 s at 31.1 s" in finding.message


def test_the_contrast_is_measured_on_the_pixels_behind_and_says_what_helps() -> None:
    """A light headline on a light photograph gets its halo; on a dark card it needs none."""
    light = full(overlays=text("Cold", style="headline", place="top"))
    helped = found(light, {"can": MEDIA / "photos" / "product-flatlay-square.jpg"})["contrast_helped"]
    assert helped.severity == "note"
    assert "halo" in helped.message
    dark = full(segments=[{"type": "text", "duration_frames": 90, "background": {"from": "#0e1b33"}}])
    assert "contrast_helped" not in found(dark | {"overlays": text("Cold", style="headline")})


def test_a_light_logo_on_a_white_ground_is_told() -> None:
    spec = full(
        assets={"logo": {"kind": "image"}},
        segments=[{"type": "text", "duration_frames": 90, "background": {"from": "#fff6e8"}}],
        overlays=[{"type": "image", "asset": "logo"}],
    )
    assert "logo_contrast" in found(spec, {"logo": LIGHT})
    spec["segments"][0]["background"] = {"from": "#0e1b33"}
    assert "logo_contrast" not in found(spec, {"logo": LIGHT})


def test_compile_refuses_what_lint_calls_too_long_before_drawing(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        compile(image_spec(30 * 61), {"can": CAN}, tmp_path / "a.mp4")
    assert caught.value.problems[0].code == "too_long"
    assert list(tmp_path.iterdir()) == []


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "genengine.media", "lint", *map(str, arguments)]
    return subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_the_command_answers_in_json_and_with_its_exit_status(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(image_spec(30, output=small_output())))
    twice = json.dumps(image_spec(30 * 61)).replace('"assets": {', '"assets": {"can": {"kind": "image"}, ')
    bad.write_text(twice)
    assert command(good).returncode == 0
    done = command(bad, "--json")
    assert done.returncode == 1
    rows = {row["code"]: row for row in json.loads(done.stdout)}
    assert rows["duplicate_id"]["message"].startswith("'can'")
    assert set(rows["too_long"]) == {"code", "severity", "path", "message", "fix"}
    assert command(tmp_path / "absent.json").returncode == 1


@pytest.mark.parametrize(("orientation", "warned"), [(1, False), (6, True), (8, True)])
def test_a_photo_on_its_side_is_judged_as_it_is_seen_without_decoding_it(
    orientation: int, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """320 × 180 fills this frame; on its side it is 180 pixels wide and enlarged too much."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (320, 180), (120, 90, 60)).save(photo, exif=exif)
    slot = {"type": "image", "asset": "can", "duration_frames": 90}
    spec = image_spec(output=small_output(width=320, height=180), segments=[slot])
    monkeypatch.setattr(JpegImageFile, "load", lambda self: pytest.fail("the head is enough"))
    assert ("asset_small" in {finding.code for finding in lint(spec, {"can": photo})}) is warned


WORDS = "Cold brew that was steeped for eighteen slow hours and is poured over clear ice. "


def largest() -> dict[str, Any]:
    """A spec with everything as long as the schema allows: 200 slots of 216 000 frames, a thousand captions."""
    card = {"type": "text", "headline": (WORDS * 3)[:200], "body": (WORDS * 5)[:400], "duration_frames": 216_000}
    region = {"left": 0.1, "top": 0.6, "right": 0.9, "bottom": 0.95}
    still = {"type": "image", "asset": "can", "duration_frames": 216_000, "subject": region}
    cues = [{"start_frame": 216 * n, "end_frame": 216 * n + 216, "text": (WORDS * 7)[:500]} for n in range(1000)]
    words = {"type": "text", "text": (WORDS * 4)[:300], "style": "headline", "place": "top", "end_frame": 216_000}
    return image_spec(
        output={"width": 3840, "height": 2160},
        segments=[card, still] * 100,
        captions={"style": "karaoke", "cues": cues},
        overlays=[words] * 100,
        marks={"simulated": True, "ai_label": (WORDS * 2)[:160]},
    )


@pytest.mark.slow
def test_the_largest_spec_that_the_schema_allows_is_answered_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(largest()))
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30));"
        "resource.setrlimit(resource.RLIMIT_CPU, (120, 120));"
        "from genengine.media.cli import main; sys.exit(main(['lint', sys.argv[1], '--json']))"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "spec.json")]
    done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=900)
    assert done.returncode == 1, done.stderr[-2000:]
    told = {item["code"] for item in json.loads(done.stdout)}
    assert {"too_long", "text_covered", "reading_speed"} <= told
