"""`manage.py generate` with real processes: three unlike scripts, masters that an independent probe accepts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pysubs2
import pytest

from genengine.media.ffmpeg.binaries import ffmpeg, ffprobe
from tests.support.processes import REPOSITORY, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.stack, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NASTY = "Quotes \"double\" 'single', 100 % {off} %{pts} : colon; back\\slash, and 😀🎉 emoji!"
SCRIPTS = {
    "explainer": (
        "en",
        "[Scene 1, 0-3 s. A wall of cans, slow push-in.]\nThree flavours, one idea.\n\n"
        "[Scene 2, 3-6 s. Coffee over ice, camera slides left to right. On-screen text: No added sugar.]\n"
        "Cold water only.",
    ),
    "arabic": ("ar", "القهوة الباردة تنتظر الصباح. ثماني عشرة ساعة في ماء بارد. اطلب الآن."),
    "hostile": ("en", f"{NASTY} Second sentence: it's fine. Third, a longer one, to end the ad on."),
}
SIZES = {"9:16": (324, 576), "1:1": (324, 324)}  # a preview scale of 0.3


def write_brief(folder: Path, name: str) -> Path:
    language, script = SCRIPTS[name]
    media = REPOSITORY / "examples" / "media"
    (folder / "script.txt").write_text(script, encoding="utf-8")
    lines = [
        f"id: {name}",
        f"title: {json.dumps('A test: ' + name)}",
        "ad_type: product_explainer",
        "channel: tiktok",
        f"language: {language}",
        "length_s: 6",
        'aspect_ratios: ["9:16", "1:1"]',
        "quality_profile: economy",
        "budget_cap_usd: 0.01",
        "variants: 1",
        "script: script.txt",
        f"music: {media}/music/upbeat.opus",
        "assets:",
        f"  - {{file: {media}/photos/product-range-landscape.jpg, role: product, note: wall of cans}}",
        f"  - {{file: {media}/photos/product-serve-landscape.jpg, role: scene, note: coffee over ice}}",
    ]
    path = folder / "brief.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def generate(process_environment: dict[str, str], tmp_path: Path) -> Any:
    def run(name: str) -> tuple[dict[str, Any], Path]:
        out = tmp_path / "out"
        line = [sys.executable, "manage.py", "generate", str(write_brief(tmp_path, name)), "--out", str(out), "--json"]
        environment = {**process_environment, "GE_MASTER_SCALE": "0.3", "GE_STOP_SECONDS": "3"}
        environment["GE_MODELS"] = str(int(name == "explainer"))  # one of three as with models, two as without
        done = subprocess.run(line, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout), out

    return run


def probe(path: Path) -> dict[str, Any]:
    line = [ffprobe(), "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    return json.loads(subprocess.run(line, capture_output=True, check=True).stdout)


def loudness(path: Path) -> tuple[float, float]:
    line = [ffmpeg(), "-nostats", "-i", str(path), "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    text = subprocess.run(line, capture_output=True, text=True, check=True).stderr
    summary = text[text.rindex("Summary:") :]
    found = re.search(r"I:\s+(-?[\d.]+) LUFS", summary), re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    return float(found[0][1]), float(found[1][1])  # type: ignore[index]


def average_luma(path: Path, at: str) -> float:
    line = [ffmpeg(), "-v", "error", *at.split(), "-i", str(path), "-frames:v", "1", "-vf", "scale=8:8,format=gray"]
    raw = subprocess.run([*line, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    return sum(raw) / len(raw)


def check_master(row: dict[str, Any], out: Path) -> None:
    path = out / row["video"]
    facts = probe(path)
    video = next(s for s in facts["streams"] if s["codec_type"] == "video")
    audio = next(s for s in facts["streams"] if s["codec_type"] == "audio")
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (video["width"], video["height"]) == SIZES[row["ratio"]]
    assert video["r_frame_rate"] == video["avg_frame_rate"] == "30/1"
    assert int(video["nb_read_frames"]) == 180
    assert {video[k] for k in ("color_space", "color_primaries", "color_transfer")} == {"bt709"}
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("aac", "48000", 2)
    assert abs(float(facts["format"]["duration"]) - 6.0) < 0.03
    integrated, peak = loudness(path)
    assert abs(integrated + 14) <= 0.5
    assert peak <= -1.0
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")
    assert average_luma(path, "-ss 0") > 20
    assert average_luma(path, "-sseof -0.1") > 20
    assert "SIMULATED" in json.dumps(facts["format"]["tags"])


def check_captions(row: dict[str, Any], out: Path, words: str) -> None:
    for name in (row["srt"], row["vtt"]):
        cues = pysubs2.load(str(out / name))
        assert cues
        assert all(0 <= c.start < c.end <= 6000 for c in cues)
        spoken = " ".join(" ".join(c.text.replace("\\N", " ").split()) for c in cues)
        assert words in spoken
        line = [ffprobe(), "-v", "error", "-show_packets", "-of", "json", str(out / name)]
        packets = json.loads(subprocess.run(line, capture_output=True, check=True).stdout)["packets"]
        assert len(packets) == len(cues)


@pytest.mark.parametrize(
    ("name", "words"),
    [("explainer", "Three flavours, one idea."), ("arabic", "ثماني عشرة ساعة"), ("hostile", "100 % {off} %{pts}")],
)
def test_a_brief_file_becomes_checked_masters_captions_and_a_package(generate: Any, name: str, words: str) -> None:
    report, out = generate(name)
    assert report["state"] == "ready"
    assert [m["ratio"] for m in report["masters"]] == ["1:1", "9:16"]
    for row in report["masters"]:
        check_master(row, out)
        check_captions(row, out, words)
        assert row["quality"]["verdict"] in ("pass", "warn")
    with zipfile.ZipFile(out / report["package"]) as package:
        assert package.testzip() is None
    assert sum(s["duration_ms"] for s in report["plan"]["scenes"]) == 6000


def test_the_workers_it_started_end_with_it_however_it_ends(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    brief = write_brief(tmp_path, "explainer")
    line = [sys.executable, "manage.py", "generate", str(brief), "--out", str(tmp_path / "out")]
    process = subprocess.Popen(line, cwd=REPOSITORY, env=process_environment, stderr=subprocess.DEVNULL)
    family = wait_for(lambda: _workers_of(process.pid), within_s=60, what="the workers")
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(_is_alive, family)), within_s=60, what="the end of the workers")


def _workers_of(pid: int) -> list[psutil.Process]:
    family = psutil.Process(pid).children(recursive=True)
    return family if any("pump" in p.cmdline() for p in family if _is_alive(p)) else []


def _is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_missing_brief_file_is_one_sentence_and_a_failed_exit(process_environment: dict[str, str]) -> None:
    line = [sys.executable, "manage.py", "generate", "nowhere.yaml", "--out", "/tmp/never"]
    done = subprocess.run(line, cwd=REPOSITORY, env=process_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no brief file nowhere.yaml" in done.stderr
    assert "Traceback" not in done.stderr
