"""Cues from scripts, and files that independent parsers read back."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genengine.media import Cue, cues_from_script, write_srt, write_vtt
from genengine.media.captions.cues import LINE_CHARACTERS
from tests.media.support import MEDIA

SCRIPTS = sorted((MEDIA / "scripts").glob("*.txt"))
NASTY = [
    "a --> b",
    "Tom & <b>Jerry</b>",
    "{\\an8}up",
    "line\n\nbreak",
    "1\n00:00:01,000 --> 00:00:02,000",
    "مرحبا 👋🏽 %{}",
    "NOTE x",
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_cues_of_a_script_are_short_ordered_and_complete(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    cues = cues_from_script([(text, 60_000)])
    assert " ".join(cue.text.replace("\n", " ") for cue in cues) == " ".join(text.split())
    assert cues[0].start_ms == 0
    assert cues[-1].end_ms == 60_000
    for before, after in pairwise(cues):
        assert before.end_ms <= after.start_ms
    for cue in cues:
        assert len(cue.text.split("\n")) <= 2
        assert all(len(line) <= LINE_CHARACTERS for line in cue.text.split("\n"))


def test_passages_keep_their_own_time_and_a_silent_one_is_a_pause() -> None:
    cues = cues_from_script([("One.", 1000), ("", 2000), ("Two.", 1500)])
    assert cues == [Cue(0, 1000, "One."), Cue(3000, 4500, "Two.")]


def test_reading_speed_is_even_within_a_passage() -> None:
    speeds = [cue.characters_per_second for cue in cues_from_script([("The can is cold. " * 12, 20_000)])]
    assert max(speeds) - min(speeds) < 4


@settings(max_examples=100, deadline=None)
@given(text=st.text(min_size=0, max_size=400), duration=st.integers(0, 60_000))
def test_no_text_whatever_breaks_the_times(text: str, duration: int) -> None:
    cues = cues_from_script([(text, duration)])
    assert all(cue.end_ms > cue.start_ms for cue in cues)
    assert all(len(cue.text.split("\n")) <= 2 for cue in cues)


def test_srt_and_vtt_are_read_back_by_pysubs2(tmp_path: Path) -> None:
    cues = cues_from_script([(SCRIPTS[0].read_text(encoding="utf-8"), 30_000)])
    for path in (write_srt(cues, tmp_path / "a.srt"), write_vtt(cues, tmp_path / "a.vtt", language="en")):
        read = pysubs2.load(str(path), encoding="utf-8")
        assert [(event.start, event.end) for event in read] == [(cue.start_ms, cue.end_ms) for cue in cues]
        assert [event.plaintext for event in read] == [cue.text for cue in cues]


def independent_blocks(text: str) -> list[tuple[str, list[str]]]:
    """A second, deliberately plain parser: blocks between blank lines, a time line, then words."""
    out = []
    for block in re.split(r"\n\s*\n", text.strip()):
        rows = block.split("\n")
        times = [index for index, row in enumerate(rows) if re.match(r"^\d\d:\d\d:\d\d[.,]\d{3} --> ", row)]
        if times:
            assert len(times) == 1, block
            out.append((rows[times[0]], rows[times[0] + 1 :]))
    return out


@pytest.mark.parametrize("words", NASTY)
def test_words_that_look_like_markup_or_times_stay_words(words: str, tmp_path: Path) -> None:
    cues = [Cue(0, 1000, words), Cue(1000, 2000, "after")]
    for path in (write_srt(cues, tmp_path / "a.srt"), write_vtt(cues, tmp_path / "a.vtt")):
        blocks = independent_blocks(path.read_text(encoding="utf-8"))
        assert len(blocks) == 2, path.read_text(encoding="utf-8")
        assert blocks[1][1] == ["after"]


def test_vtt_escapes_markup(tmp_path: Path) -> None:
    text = write_vtt([Cue(0, 1000, "Tom & <b>")], tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert "Tom &amp; &lt;b&gt;" in text
