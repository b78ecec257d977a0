"""The compiled measurements and the limiter against ffmpeg's: two ways to the same standard."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from genengine.media.audio.limiter import Limiter, by_program
from genengine.media.audio.loudness import RAW, SILENCE_LUFS, Loudness, lufs_of_pcm, measure_pcm, read_summary
from genengine.media.audio.pcm import RATE, Pcm, decode, gain
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import run
from genengine.media.native import build
from tests.media.support import MUSIC, REPOSITORY, VOICE

needs_compiler = pytest.mark.skipif(build.library() is None, reason="no C compiler here")


def noise(seconds: float, level: float, seed: int = 1) -> Pcm:
    return np.random.default_rng(seed).normal(0, level, (round(seconds * RATE), 2)).astype(np.float32)


def tone(hertz: float, level: float) -> Pcm:
    """Four seconds, faded in and out, the channels half a turn apart."""
    time = np.arange(4 * RATE) / RATE
    shape = np.clip(np.minimum(time, 4 - time) / 0.05, 0, 1)
    left = level * shape * np.sin(2 * np.pi * hertz * time + np.pi / 4)
    return np.ascontiguousarray(np.stack([left, -left], axis=1), np.float32)


def one_sided() -> Pcm:
    sound = noise(4, 0.2)
    sound[:, 1] = 0
    return sound


def clicks() -> Pcm:
    silent = np.zeros((6 * RATE, 2), np.float32)
    silent[RATE // 3 :: RATE // 2] = 0.9
    return silent


SOUNDS: dict[str, Callable[[], Pcm]] = {
    "music": lambda: decode(MUSIC, seconds=8),
    "speech": lambda: decode(VOICE, seconds=8),
    "noise": lambda: noise(3, 0.1),
    "a quarter of the rate, whose peaks lie between samples": lambda: tone(RATE / 4, 0.7),
    "a low tone": lambda: tone(40, 0.9),
    "one side only": one_sided,
    "loud, then far under the relative gate": lambda: np.concatenate([noise(1, 0.3), noise(5, 0.003)]),
    "clicks in silence": clicks,
}


def by_ebur128(sound: Pcm) -> Loudness:
    argv = [ffmpeg(), "-nostdin", "-hide_banner", *RAW, "-i", "pipe:0", "-af", "ebur128=peak=true", "-f", "null", "-"]
    return read_summary(run(argv, timeout=120, stdin=memoryview(sound.tobytes())).stderr)


@needs_compiler
@pytest.mark.parametrize("name", SOUNDS)
def test_loudness_and_true_peak_agree_with_ffmpeg(name: str) -> None:
    sound = SOUNDS[name]()
    ours, theirs = measure_pcm(sound), by_ebur128(sound)
    rounding = 0.05  # of the tenths that ffmpeg prints
    assert ours.lufs == pytest.approx(theirs.lufs, abs=0.05 + rounding)
    assert ours.true_peak_dbtp == pytest.approx(theirs.true_peak_dbtp, abs=0.1 + rounding)
    assert lufs_of_pcm(sound) == ours.lufs


@needs_compiler
def test_a_known_tone_has_the_loudness_that_the_standard_gives_it() -> None:
    """BS.1770: 997 Hz at full scale in one channel reads -3.01 LKFS, in two channels 3.01 more."""
    assert measure_pcm(tone(997, 1.0)).lufs == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("sound", [np.zeros((RATE, 2), np.float32), noise(0.1, 0.2)], ids=["silence", "a blink"])
def test_what_has_no_loudness_is_silent(sound: Pcm) -> None:
    assert measure_pcm(sound).lufs == SILENCE_LUFS


def test_an_empty_sound_has_neither_loudness_nor_peak() -> None:
    measured = measure_pcm(np.zeros((RATE, 2), np.float32))
    assert (measured.is_silent, measured.true_peak_dbtp) == (True, -math.inf)


@needs_compiler
@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("ceiling", [-1.0, -6.0])
def test_no_peak_is_over_the_ceiling_by_another_meter(name: str, ceiling: float) -> None:
    sound = SOUNDS[name]()
    loud = Limiter(sound).at(12, ceiling)
    assert loud.shape == sound.shape
    assert by_ebur128(loud).true_peak_dbtp <= ceiling + 0.1


@needs_compiler
def test_what_is_under_the_ceiling_is_left_as_it_is() -> None:
    sound = noise(1, 0.02)
    assert np.array_equal(Limiter(sound).at(0, -1.0), sound)


@needs_compiler
def test_the_gain_falls_before_a_peak_and_recovers_after_it() -> None:
    """One loud burst in a steady tone: the tone is back at its level a quarter of a second later, and nothing jumps."""
    sound = tone(200, 0.2)
    sound[2 * RATE : 2 * RATE + 480] *= 8
    limited = Limiter(sound).at(0, -6.0)
    heard = np.abs(sound[:, 0]) > 0.02
    places, share = np.flatnonzero(heard), limited[heard, 0] / sound[heard, 0]
    assert share.min() < 0.6
    assert share[places < 2 * RATE - 480].min() == pytest.approx(1.0, abs=1e-4)
    assert share[places > 2 * RATE + RATE // 2].min() == pytest.approx(1.0, abs=0.01)
    assert (np.abs(np.diff(share)) / np.diff(places)).max() < 0.01


@needs_compiler
def test_it_costs_no_more_loudness_than_ffmpegs_limiter() -> None:
    sound = decode(MUSIC, seconds=8)
    boost = 12.0
    ours, theirs = Limiter(sound).at(boost, -1.0), by_program(sound * np.float32(gain(boost)), -1.0)
    assert lufs_of_pcm(ours) >= lufs_of_pcm(theirs) - 1.0


def test_without_the_compiler_ffmpeg_measures_and_limits_the_same() -> None:
    code = """
import numpy as np
from genengine.media.audio.limiter import Limiter
from genengine.media.audio.loudness import lufs_of_pcm, measure_pcm
from tests.media.test_sound import noise
from genengine.media.native.build import library
assert library() is None
heard = measure_pcm(Limiter(noise(3, 0.1)).at(12, -1.0))
print(measure_pcm(noise(3, 0.1)).lufs, lufs_of_pcm(noise(3, 0.1)), heard.true_peak_dbtp)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"GE_NATIVE": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lufs, again, peak = (float(word) for word in done.stdout.split())
    assert lufs == again == pytest.approx(measure_pcm(noise(3, 0.1)).lufs, abs=0.1)
    assert peak <= 0  # 12 dB more would stand at +6; what ffmpeg's limiter leaves over, the next encode takes off
