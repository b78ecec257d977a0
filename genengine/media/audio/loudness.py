"""Loudness by ITU-R BS.1770 / EBU R 128, measured by ffmpeg's ebur128, and the correction of a mix to a target."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genengine.media.audio.pcm import RATE, Pcm, gain
from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Cancelled, run

SILENCE_LUFS = -70.0
SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS.*?Peak:\s+(-?[\d.]+|-?inf|nan) dBFS", re.S)
RAW = ["-f", "f32le", "-ar", str(RATE), "-ac", "2"]


@dataclass(frozen=True, slots=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP; silence is −70 and −inf."""

    lufs: float
    true_peak_dbtp: float

    @property
    def is_silent(self) -> bool:
        return self.lufs <= SILENCE_LUFS


def measure_pcm(sound: Pcm, cancelled: Cancelled | None = None) -> Loudness:
    """Loudness of a mix in memory."""
    argv = [ffmpeg(), "-nostdin", "-hide_banner", *RAW, "-i", "pipe:0"]
    argv += ["-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    return read_summary(run(argv, timeout=300, stdin=memoryview(sound.tobytes()), cancelled=cancelled).stderr)


def measure_file(path: Path, cancelled: Cancelled | None = None) -> Loudness:
    """Loudness of the first sound track of a file."""
    argv = [ffmpeg(), "-nostdin", "-hide_banner", "-protocol_whitelist", "file", "-i", f"file:{path.resolve()}"]
    argv += ["-map", "0:a:0", "-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    return read_summary(run(argv, timeout=300, cancelled=cancelled).stderr)


def read_summary(stderr: str) -> Loudness:
    """The figures from ebur128's summary."""
    found = SUMMARY.search(stderr[stderr.rfind("Summary:") :]) if "Summary:" in stderr else None
    if found is None:
        raise RenderFailed(("ebur128",), stderr[-1000:] or "no summary")
    lufs, peak = (float(value) for value in found.groups())
    return Loudness(SILENCE_LUFS if math.isnan(lufs) else lufs, -math.inf if math.isnan(peak) else peak)


def limited(sound: Pcm, ceiling_dbtp: float, cancelled: Cancelled | None = None) -> Pcm:
    """True-peak limiter: look-ahead limiting at four times the rate; the length stays exact."""
    ceiling = f"{gain(ceiling_dbtp):.6f}"
    chain = f"aresample={RATE * 4},alimiter=level=0:limit={ceiling}:attack=5:release=60:latency=1,aresample={RATE}"
    argv = [ffmpeg(), "-nostdin", "-v", "error", *RAW, "-i", "pipe:0", "-af", chain, *RAW, "pipe:1"]
    raw = run(argv, timeout=300, stdin=memoryview(sound.tobytes()), cancelled=cancelled).stdout
    out = np.frombuffer(raw[: len(raw) // 8 * 8], np.float32).reshape(-1, 2)[: len(sound)]
    if len(out) < len(sound):
        out = np.concatenate([out, np.zeros((len(sound) - len(out), 2), np.float32)])
    return out
