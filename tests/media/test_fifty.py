"""Fifty videos of every kind in one process, as a worker makes them in its life: all succeed, none leaves anything."""

from __future__ import annotations

import os
import tempfile
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from PIL import Image

from genengine.media import compile, probe
from genengine.media.archetypes import PRESETS, Copy, Look, Material, Request, assemble
from genengine.media.archetypes.assemble import Preset
from tests.media.support import CAN, LOGO, MEDIA, MUSIC, RANGE, TURNTABLE, VOICE, make_video

COUNT = 50
SIZES = ((180, 320), (192, 240), (200, 200), (320, 180))
RATES = (24, 25, 30)
TRANSITIONS = ("crossfade", "fade_black", "fade_white", "slide", "wipe")
STYLES = ("plate", "outline", "karaoke")
LINES = (
    ("Cold for 24 hours",),
    ("They said coffee is hot", "Not today"),
    ("Läuft überall", "Jetzt bestellen", "→ 50 %"),
)
GROWTH = 24 << 20
"""Bytes that the last ten may hold above the second ten: the allocator's own swings, far under one video's memory."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Sample pictures and a film, reduced so that fifty videos cost seconds; sound as it is."""
    folder = tmp_path_factory.mktemp("fifty")
    pictures = {"can": CAN, "range": RANGE, "cut": MEDIA / "photos" / "product-can-cutout.png", "logo": LOGO}
    made = {name: folder / f"{name}{path.suffix}" for name, path in pictures.items()}
    for name, path in pictures.items():
        with Image.open(path) as image:
            image.thumbnail((480, 480))
            image.save(made[name])
    small = ("-i", str(TURNTABLE), "-t", "1.2", "-vf", "scale=180:-2", "-an", "-preset", "ultrafast")
    return made | {"film": make_video(folder / "film.mp4", *small), "music": MUSIC, "voice": VOICE}


def materials(preset: Preset, number: int) -> tuple[Material, ...]:
    if preset.archetype == "overlay":
        return Material("cut", cutout=True), Material("range")
    film = Material("film", "video")
    return ((Material("can"), film), (film,), (Material("range", fit={"mode": "blurred_fill"}),))[number % 3]


def video(number: int) -> dict[str, Any]:
    """The spec of one of the fifty: no two have the same preset, shape, length, words, material and sound."""
    name = list(PRESETS)[number % len(PRESETS)]
    preset, rate = PRESETS[name], RATES[number // 4 % len(RATES)]
    width, height = SIZES[number % len(SIZES)]
    hook, *rest = LINES[number % len(LINES)]
    request = Request(
        materials(preset, number),
        Copy(hook, tuple(rest)),
        {"width": width, "height": height, "fps": rate, "preset": "ultrafast"},
        seconds=1.5 * (1 + len(rest) // 2) + number / 50,
        look=Look(accent=f"#{number * 5:02x}603c", logo="logo" if number % 2 else None),
        music=(None, "music")[number % 3 > 0],
        voice="voice" if number % 10 == 7 else None,
        brand_safe=False,
    )
    spec = assemble(name, request)
    spec["captions"]["style"] = STYLES[number % len(STYLES)] if preset.archetype == "hero" else "meme"
    closing = {"type": "text", "headline": f"No. {number}", "duration_frames": 12}
    closing["transition"] = {"type": TRANSITIONS[number % len(TRANSITIONS)], "frames": 6}
    spec["segments"].append(closing)
    spec["duration_frames"] += 12
    return spec


def held() -> int:
    """Bytes of memory that this process and all its descendants have resident."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    total, waiting = 0, [os.getpid()]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


@pytest.mark.slow
def test_fifty_different_videos_in_a_row_all_succeed_leave_no_file_and_hold_no_more_memory(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, out, cache = tmp_path / "temporary", tmp_path / "out", tmp_path / "cache"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    digests, memory = set(), list[int]()
    for number in range(COUNT):
        spec = video(number)
        used = {name: files[name] for name in spec["assets"]}
        report = compile(spec, used, out / f"{number}.mp4", work_dir=temporary, cache_dir=cache)
        digests.add(report.sha256)
        memory.append(held())
        assert list(temporary.iterdir()) == [], number
        _is_as_asked(report.path, spec)
    assert len(digests) == COUNT
    assert {path.name for path in out.iterdir()} == {f"{n}.{kind}" for n in range(COUNT) for kind in ("mp4", "jpg")}
    assert median(memory[-10:]) - median(memory[10:20]) < GROWTH, [round(value / 1e6) for value in memory]


def _is_as_asked(path: Path, spec: dict[str, Any]) -> None:
    info, output = probe(path), spec["output"]
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.width, info.video.height) == (output["width"], output["height"])
    assert info.video.fps == Fraction(output["fps"])
    assert info.video.frames == spec["duration_frames"]
