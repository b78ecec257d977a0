"""Sixty slots of mixed material: picture and sound of every one begin where they should, the last as exactly as the
first. Every clip opens with a white flash and a beep, which are looked for in the finished file; clips that a player
has to turn come out upright."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genengine.media import compile, ingest, probe
from genengine.media.ffmpeg.binaries import ffmpeg
from tests.media.support import frames_of, make_video, small_output

SLOTS, LENGTH = 60, 20
FPS = Fraction(30000, 1001)
SIZE = (96, 160)
RATE = 48_000
HDR = (
    "-c:v libx265 -x265-params log-level=0 -pix_fmt yuv420p10le"
    " -color_primaries bt2020 -color_trc {} -colorspace bt2020nc"
)
SOURCES: dict[str, tuple[str, str, str]] = {
    # name: frame rate, sound (rate and layout, or nothing), further arguments
    "film rate": ("24000/1001", "48000 stereo", ""),
    "cinema": ("24", "44100 mono", ""),
    "pal": ("25", "48000 mono", ""),
    "ntsc": ("30000/1001", "44100 stereo", ""),
    "thirty": ("30", "48000 stereo", ""),
    "sixty": ("60", "44100 stereo", ""),
    "silent": ("25", "", ""),
    "changing rate": ("30", "48000 stereo", "-fps_mode vfr"),
    "hlg": ("25", "48000 stereo", HDR.format("arib-std-b67")),
    "pq": ("24", "44100 mono", HDR.format("smpte2084")),
    "quarter turn": ("30", "48000 stereo", ""),
    "half turn": ("25", "44100 mono", ""),
    "three quarters": ("24000/1001", "48000 mono", ""),
}
TURNS = {"quarter turn": 90, "half turn": 180, "three quarters": 270}
"""Degrees counter-clockwise by which a player turns them: their pictures are stored lying, as phones do."""

UPRIGHT = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
"""What stores a picture so that the player's turn sets it upright."""


def source(folder: Path, name: str) -> Path:
    """A second of dark picture; white and a 1 kHz tone in its first tenth."""
    rate, sound, extra = SOURCES[name]
    graph = f"color=0x202020:s={SIZE[0]}x{SIZE[1]}:r={rate}:d=1,drawbox=c=white:t=fill:enable='lt(t,0.1)'"
    if turn := TURNS.get(name, 0):
        # red above from the first frame on, so that a picture on its side or head would be seen
        graph += f",drawbox=w=iw:h=ih/5:c=red:t=fill,{UPRIGHT[turn]}"
    if "vfr" in extra:
        graph += ",select='lt(n,6)+mod(n,3)'"
    arguments = ["-f", "lavfi", "-i", graph]
    if sound:
        hertz, layout = sound.split()
        wave = "if(lt(t,0.1),0.6*sin(2000*PI*t),0)"
        channels = "|".join([wave] * (2 if layout == "stereo" else 1))
        arguments += ["-f", "lavfi", "-i", f"aevalsrc='{channels}':s={hertz}:d=1", "-c:a", "pcm_s16le"]
    codec = extra.split() if extra.startswith("-c:v") else ["-pix_fmt", "yuv420p", *extra.split()]
    made = make_video(folder / f"{name.replace(' ', '-')}.mov", *arguments, *codec)
    if not turn:
        return made
    turned = ("-display_rotation:v:0", str(turn), "-i", str(made), "-c", "copy")
    return make_video(folder / f"{name.replace(' ', '-')}-turned.mov", *turned)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sources as intake leaves them."""
    folder = tmp_path_factory.mktemp("drift")
    return {
        name: ingest(source(folder, name), name=f"{name}.mov", out_dir=folder / f"in-{index}").path
        for index, name in enumerate(SOURCES)
    }


def spec(names: list[str]) -> dict[str, Any]:
    return {
        "version": "1.0",
        "output": small_output(width=SIZE[0], height=SIZE[1], fps=f"{FPS.numerator}/{FPS.denominator}"),
        "assets": {f"clip{index}": {"kind": "video"} for index in range(len(names))},
        "segments": [
            {"type": "video", "asset": f"clip{slot % len(names)}", "duration_frames": LENGTH, "sound": {"gain_db": 0}}
            for slot in range(SLOTS)
        ],
    }


@pytest.mark.slow
def test_no_cut_drifts_over_sixty_slots_of_mixed_material(clips: dict[str, Path], tmp_path: Path) -> None:
    names = list(clips)
    files = {f"clip{index}": clips[name] for index, name in enumerate(names)}
    compile(spec(names), files, tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    assert info.video is not None
    assert info.audio is not None
    assert info.video.frames == SLOTS * LENGTH
    whole = SLOTS * LENGTH / FPS
    assert abs((info.audio.duration_s or 0) - whole) <= Fraction(1, RATE)
    shown = frames_of(tmp_path / "a.mp4", *SIZE)
    light = shown[..., 1].mean(axis=(1, 2))
    heard = _sound(tmp_path / "a.mp4")
    for slot in range(SLOTS):
        first = slot * LENGTH
        assert light[first] > 140, (slot, names[slot % len(names)])
        assert light[first + LENGTH - 1] < 90, (slot, names[slot % len(names)])
        _is_upright(shown[first + LENGTH - 1], slot, names[slot % len(names)])
        if not slot or not SOURCES[names[slot % len(names)]][1]:
            continue  # an AAC stream without an edit list cannot hold a tone in its very first packet
        at = first / FPS
        start = max(0, round((at - Fraction(1, 10)) * RATE))
        window = heard[start : start + RATE // 4]
        onset = (start + int(np.argmax(window > 0.25 * window.max()))) / RATE
        assert abs(onset - float(at)) <= 0.010, (slot, names[slot % len(names)], onset - float(at))


def _is_upright(frame: NDArray[np.uint8], slot: int, name: str) -> None:
    redness = frame[..., 0].astype(int) - frame[..., 1]
    top, rest = redness[: SIZE[1] // 6], redness[SIZE[1] // 4 :]
    assert (top.mean() > 100) == (name in TURNS), (slot, name)
    assert abs(rest.mean()) < 20, (slot, name)


def _sound(path: Path) -> np.ndarray:
    """Loudest channel, decoded by ffmpeg as a player would."""
    argv = [ffmpeg(), "-v", "error", "-i", str(path), "-ac", "2", "-ar", str(RATE), "-f", "f32le", "pipe:1"]
    raw = subprocess.run(argv, check=True, capture_output=True).stdout
    return np.abs(np.frombuffer(raw, np.float32).reshape(-1, 2)).max(axis=1)
