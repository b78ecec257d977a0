"""Quality control finds seeded defects and does not cry wolf."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from genengine.media import Expectations, qc_check
from genengine.media.ffmpeg import binaries
from genengine.media.qc.report import Finding, QCReport, Verdict
from tests.media.support import make_video

TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
MOVING = "testsrc2=s=180x320:r=30:d=4"
X264 = [
    "-c:v",
    "libx264",
    "-pix_fmt",
    "yuv420p",
    "-profile:v",
    "high",
    "-colorspace",
    "bt709",
    "-color_primaries",
    "bt709",
    "-color_trc",
    "bt709",
    "-color_range",
    "tv",
]
AAC = ["-c:a", "aac", "-ar", "48000", "-ac", "2", "-movflags", "+faststart+negative_cts_offsets", "-use_editlist", "0"]
WANTED = Expectations(width=180, height=320, fps=Fraction(30), frames=120, duration_ms=4000, require_audio=True)


def clip(path: Path, picture: str = MOVING, sound: str = "sine=f=440:d=4", *more: str) -> Path:
    return make_video(
        path, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-vf", TAGS, "-shortest", *X264, *AAC, *more
    )


def test_a_good_file_passes_every_check(tmp_path: Path) -> None:
    report = qc_check(clip(tmp_path / "good.mp4"), WANTED)
    assert {finding.verdict for finding in report.findings} == {Verdict.PASS}, report.to_dict()
    assert report.score == 10


DEFECTS = {
    "black": (f"{MOVING},drawbox=t=fill:c=black:enable='between(t,1,2)'", "sine=d=4"),
    "first_last_frame": (f"{MOVING},drawbox=t=fill:c=black:enable='lt(n,1)'", "sine=d=4"),
    "flash": ("color=black:s=180x320:r=30:d=4,drawbox=t=fill:c=white:enable='gte(mod(n,6),3)'", "sine=d=4"),
    "frame_count": (f"{MOVING},trim=end_frame=90", "sine=d=4"),
    "duration": ("testsrc2=s=180x320:r=30:d=5", "sine=d=5"),
    "size": ("testsrc2=s=200x320:r=30:d=4", "sine=d=4"),
    "fps": ("testsrc2=s=180x320:r=25:d=4", "sine=d=4"),
}


@pytest.mark.parametrize("check", DEFECTS)
def test_a_seeded_defect_fails_its_check_and_the_file(check: str, tmp_path: Path) -> None:
    report = qc_check(clip(tmp_path / "bad.mp4", *DEFECTS[check]), WANTED)
    assert report.by_check(check).verdict is Verdict.FAIL
    assert not report.passed
    assert report.score <= 4


def test_evidence_names_the_time_of_the_defect(tmp_path: Path) -> None:
    found = qc_check(clip(tmp_path / "bad.mp4", *DEFECTS["black"]), WANTED).by_check("black")
    assert found.evidence == ("00:01.000 (frame 30) to 00:02.033 (frame 61)",)


def test_a_freeze_is_a_fault_only_where_nothing_may_stand_still(tmp_path: Path) -> None:
    frozen = clip(tmp_path / "still.mp4", f"{MOVING},loop=60:1:20,trim=end_frame=120")
    for allowed, verdict in ((True, Verdict.WARN), (False, Verdict.FAIL)):
        expected = Expectations(max_freeze_s=1, stills_allowed=allowed)
        assert qc_check(frozen, expected).by_check("freeze").verdict is verdict


def test_loudness_and_peak_are_judged_against_the_channel(tmp_path: Path) -> None:
    loud = clip(tmp_path / "loud.mp4", MOVING, "sine=f=440:d=4,volume=30dB")
    report = qc_check(loud, Expectations(lufs=-14, true_peak_dbtp=-1))
    assert report.by_check("loudness").verdict is Verdict.FAIL
    assert report.by_check("true_peak").verdict is Verdict.FAIL


def test_a_file_without_sound_fails_unless_that_is_expected(tmp_path: Path) -> None:
    mute = make_video(tmp_path / "mute.mp4", "-f", "lavfi", "-i", MOVING, *X264, "-movflags", "+faststart")
    assert qc_check(mute, WANTED).by_check("audio").verdict is Verdict.FAIL
    assert qc_check(mute, Expectations(require_audio=False)).passed


def test_a_file_cut_off_in_the_middle_fails(tmp_path: Path) -> None:
    whole = clip(tmp_path / "good.mp4")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    report = qc_check(tmp_path / "cut.mp4", WANTED)
    assert report.verdict is Verdict.FAIL
    assert report.by_check("decodable").verdict is Verdict.FAIL


def test_a_file_that_is_no_film_fails_instead_of_raising(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a film")
    assert qc_check(tmp_path / "a.mp4", WANTED).verdict is Verdict.FAIL


def test_a_missing_tool_makes_checks_unknown_and_unknown_never_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = clip(tmp_path / "good.mp4")
    monkeypatch.setenv("GE_FFMPEG", "/nowhere/ffmpeg")
    binaries.ffmpeg.cache_clear()
    try:
        report = qc_check(good, WANTED)
    finally:
        monkeypatch.undo()
        binaries.ffmpeg.cache_clear()
    assert report.by_check("loudness").verdict is Verdict.UNKNOWN
    assert report.verdict is Verdict.UNKNOWN
    assert not report.passed


def test_an_ffmpeg_without_the_loudness_filter_makes_loudness_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = clip(tmp_path / "good.mp4")
    fewer = binaries.filters(binaries.ffmpeg()) - {"ebur128"}
    monkeypatch.setattr("genengine.media.qc.measure.filters", lambda binary: fewer)
    report = qc_check(good, WANTED)
    assert report.by_check("loudness").verdict is Verdict.UNKNOWN
    assert report.by_check("decodable").verdict is Verdict.PASS
    assert not report.passed


def test_the_worst_finding_decides() -> None:
    def one(verdict: Verdict) -> Finding:
        return Finding("a", verdict, "", "", "")

    assert QCReport(()).verdict is Verdict.UNKNOWN
    assert QCReport((one(Verdict.PASS), one(Verdict.WARN))).passed
    assert QCReport((one(Verdict.WARN), one(Verdict.UNKNOWN))).verdict is Verdict.UNKNOWN
    assert QCReport((one(Verdict.UNKNOWN), one(Verdict.FAIL))).verdict is Verdict.FAIL
