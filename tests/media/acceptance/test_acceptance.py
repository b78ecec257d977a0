"""The acceptance cases, measured on the finished files with tools that share no code with the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genengine.media import CHANNELS, MediaRejected, compile, ingest, lint
from tests.media.acceptance.measuring import facts, frame, loudness, plain, read, said
from tests.media.acceptance.scenarios import (
    HERO_TEXT,
    MEME_TEXT,
    SALE_TEXT,
    SCENARIOS,
    SIX,
    files_of,
)
from tests.media.support import CAN, REPOSITORY, image_spec, small_output

pytest.importorskip("rapidocr", reason="the words are read by rapidocr: pip install -r requirements-models.txt")


@dataclass(frozen=True)
class Made:
    path: Path
    facts: dict[str, Any]
    report: Any

    def seconds(self) -> float:
        return float(self.facts["format"]["duration"])

    def at(self, seconds: float) -> Any:
        return frame(self.path, seconds)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Each case rendered once, after its lint found no error."""
    folder, done = tmp_path_factory.mktemp("acceptance"), {}

    def make(name: str) -> Made:
        if name not in done:
            spec = SCENARIOS[name]()
            files = files_of(spec)
            assert not [item for item in lint(spec, files) if item.severity == "error"]
            report = compile(spec, files, folder / f"{name}.mp4")
            done[name] = Made(report.path, facts(report.path), report)
        return done[name]

    return make


def test_a_single_picture_becomes_a_branded_full_hd_video_with_its_words_spelt_right(made: Any) -> None:
    video = made("hero")
    picture, sound = video.facts["video"], video.facts["audio"]
    assert (picture["codec_name"], picture["width"], picture["height"]) == ("h264", 1080, 1920)
    assert picture["width"] * 16 == picture["height"] * 9
    assert picture.get("sample_aspect_ratio", "1:1") == "1:1"  # absent means square
    assert (sound["codec_name"], sound["sample_rate"], sound["channels"]) == ("aac", "48000", 2)
    assert int(picture["nb_read_frames"]) == 150
    assert video.seconds() == pytest.approx(5.0, abs=0.01)
    still = video.at(2.5)
    assert plain(HERO_TEXT) in said(still)
    assert "aurora" in said(still[: still.shape[0] // 3])
    for edge in (still[:8], still[-8:], still[:, :8], still[:, -8:]):
        assert edge.mean() > 8, "a black bar"
    level, peak = loudness(video.path)
    assert abs(level - -14) <= 0.5
    assert peak <= -1.0
    assert video.report.thumbnail.read_bytes()[:3] == b"\xff\xd8\xff"


def test_burned_words_stay_inside_the_safe_zone(made: Any) -> None:
    """Read from the finished picture: the boxes of the caption's words, not what the layout says."""
    still = made("hero").at(2.5)
    box = CHANNELS["tiktok"].safe_box(still.shape[1], still.shape[0])
    boxes = [place for words, place in read(still) if plain(words) and plain(words) in plain(HERO_TEXT)]
    assert boxes
    for left, top, right, bottom in boxes:
        assert box.left - 0.01 <= left
        assert right <= box.right + 0.01 + (1 - box.right) * 0.3
        assert box.top - 0.01 <= top
        assert bottom <= box.bottom + 0.01


def test_the_products_label_reads_the_same_in_the_video_as_in_the_photograph(made: Any) -> None:
    from genengine.media.compose.pictures import load_rgb

    before, after = said(load_rgb(CAN)), said(made("hero").at(0.1))
    words = [word for word in ("aurora", "cold", "brew") if word in before]
    assert words
    assert [word for word in words if word in after] == words


def test_three_pictures_of_mixed_shapes_follow_one_another_with_transitions(made: Any) -> None:
    video = made("sequence")
    assert 9 <= video.seconds() <= 15
    assert (video.facts["video"]["width"], video.facts["video"]["height"]) == (540, 960)
    rest = [video.at(seconds).astype(int) for seconds in (1.7, 5.2, 8.7)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(rest[one] - rest[other]).mean() > 15
    for middle, (before, after) in ((3.7, (0, 1)), (7.2, (1, 2))):
        between = video.at(middle).astype(int)
        assert np.abs(between - rest[before]).mean() > 5
        assert np.abs(between - rest[after]).mean() > 5


def test_a_meme_has_its_line_on_a_bar_and_does_not_cover_the_picture(made: Any) -> None:
    video = made("meme")
    still = video.at(3.0)
    assert 5 <= video.seconds() <= 6.1
    lines = [(words, place) for words, place in read(still) if plain(words) and plain(words) in plain(MEME_TEXT)]
    assert "".join(plain(words) for words, _ in lines) == plain(MEME_TEXT)
    assert max(place[3] for _, place in lines) < 0.36
    assert still[int(still.shape[0] * 0.05)].mean() > 235, "the bar is not plain"
    assert still[int(still.shape[0] * 0.45) :].std() > 25, "no picture below the bar"


def test_an_overlay_shows_the_offer_and_the_product_on_a_ground_of_its_own(made: Any) -> None:
    video = made("overlay")
    still = video.at(3.5)
    assert 5 <= video.seconds() <= 8
    assert plain(SALE_TEXT) in said(still)
    corners = np.stack([still[40, 20], still[40, -20], still[-20, 20]]).astype(int)
    assert (corners[:, 2] > corners[:, 0]).all(), "the brand's blue ground"
    middle = still[int(still.shape[0] * 0.5) : int(still.shape[0] * 0.9), 150:390]
    assert middle.std() > 25, "no product in front of it"


@pytest.mark.slow
def test_a_minute_with_six_captions_and_music_is_exact_and_complete(made: Any) -> None:
    video = made("minute")
    assert int(video.facts["video"]["nb_read_frames"]) == 1800
    assert video.seconds() <= 60.0 + 0.03
    for index, (_, words) in enumerate(SIX):
        wanted, shown = words.split(), said(video.at(index * 10 + 5.0))
        assert [word for word in wanted if plain(word) not in shown] == []
        if index % 2:  # reading a frame costs more than making a second of video
            before = said(video.at(index * 10 + 0.2))
            assert [word for word in wanted if plain(word) not in before], "it stands too long or too early"
    assert abs(loudness(video.path)[0] - -14) <= 0.5


@pytest.mark.parametrize(
    ("name", "content"), [("broken.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 400), ("doc.jpg", b"%PDF-1.7 x")]
)
def test_a_bad_file_is_refused_with_a_reason_and_a_remedy(name: str, content: bytes, tmp_path: Path) -> None:
    bad = tmp_path / name
    bad.write_bytes(content)
    with pytest.raises(MediaRejected) as caught:
        ingest(bad, name=name, out_dir=tmp_path / "out")
    assert caught.value.code
    assert caught.value.message
    assert caught.value.hint
    told = {item.code for item in lint(image_spec(), {"can": bad}) if item.severity == "error"}
    assert "asset_unreadable" in told


def test_five_renders_at_once_all_finish_and_none_mixes_with_another(tmp_path: Path) -> None:
    words = ("ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
    running = []
    for index, word in enumerate(words):
        spec = image_spec(20 + index, output=small_output(width=360, height=640))
        spec["segments"][0].pop("motion")
        spec["captions"] = {"cues": [{"start_frame": 0, "end_frame": 20, "text": word}]}
        (tmp_path / f"{word}.json").write_text(json.dumps(spec | {"files": {"can": CAN.name}}))
        argv = [sys.executable, "-m", "genengine.media", "compile", str(tmp_path / f"{word}.json")]
        argv += ["--assets", str(CAN.parent), "--out", str(tmp_path / f"{word}.mp4")]
        argv += ["--cache", str(tmp_path / "cache"), "--workers", "1"]
        running.append(subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    for process in running:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    for index, word in enumerate(words):
        video = tmp_path / f"{word}.mp4"
        assert int(facts(video)["video"]["nb_read_frames"]) == 20 + index
        read_words = said(frame(video, 0.3))
        assert [other for other in words if plain(other) in read_words] == [word]
