"""Loudness and true peak by ITU-R BS.1770 / EBU R 128.

A mix in memory is measured by the compiled functions, where there are any: to a hundredth, and without a process.
Files, and everything where nothing is compiled, are measured by ffmpeg's ebur128, which states tenths.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genengine.media.audio.pcm import RATE, RAW, Pcm
from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Cancelled, run
from genengine.media.native.sound import hop_energies, peak_envelope

SILENCE_LUFS, RELATIVE_GATE_LU, OFFSET = -70.0, -10.0, -0.691
BLOCK, HOP = RATE * 2 // 5, RATE // 10
"""Samples of a gating block (0.4 s) and from one to the next (a quarter of it)."""

SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS(?:.*?Peak:\s+(-?[\d.]+|-?inf|nan) dBFS)?", re.S)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP; silence is −70 and −inf."""

    lufs: float
    true_peak_dbtp: float

    @property
    def is_silent(self) -> bool:
        return self.lufs <= SILENCE_LUFS


def measure_pcm(sound: Pcm, cancelled: Cancelled | None = None) -> Loudness:
    """Loudness and true peak of a mix in memory."""
    energy, envelope = hop_energies(sound, HOP), peak_envelope(sound)
    if energy is None or envelope is None:
        return _by_program(sound, "peak=true:", cancelled)
    peak = float(envelope.max(initial=0.0))
    return Loudness(integrated(energy), round(20 * math.log10(peak), 2) if peak > 0 else -math.inf)


def lufs_of_pcm(sound: Pcm, cancelled: Cancelled | None = None) -> float:
    """Loudness alone, which is much cheaper where ffmpeg has to tell it."""
    energy = hop_energies(sound, HOP)
    return integrated(energy) if energy is not None else _by_program(sound, "", cancelled).lufs


def integrated(energy: NDArray[np.float64]) -> float:
    """Gated loudness (BS.1770-5, equations 3 to 7) of the K-weighted energies of successive hops."""
    hops = BLOCK // HOP
    if len(energy) < hops:
        return SILENCE_LUFS
    blocks = np.convolve(energy, np.ones(hops), "valid") / BLOCK
    loud = blocks[blocks > _power(SILENCE_LUFS)]
    if not len(loud):
        return SILENCE_LUFS
    loud = loud[loud > float(loud.mean()) * 10 ** (RELATIVE_GATE_LU / 10)]
    return max(SILENCE_LUFS, round(OFFSET + 10 * math.log10(float(loud.mean())), 2))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET) / 10))


def _by_program(sound: Pcm, peak: str, cancelled: Cancelled | None) -> Loudness:
    argv = [ffmpeg(), "-nostdin", "-hide_banner", *RAW, "-i", "pipe:0"]
    argv += ["-af", f"ebur128={peak}framelog=quiet", "-f", "null", "-"]
    return read_summary(run(argv, timeout=300, stdin=memoryview(sound.tobytes()), cancelled=cancelled).stderr)


def measure_file(path: Path, cancelled: Cancelled | None = None) -> Loudness:
    """Loudness of the first sound track of a file."""
    argv = [ffmpeg(), "-nostdin", "-hide_banner", "-protocol_whitelist", "file", "-i", f"file:{path.resolve()}"]
    argv += ["-map", "0:a:0", "-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    return read_summary(run(argv, timeout=300, cancelled=cancelled).stderr)


def read_summary(stderr: str) -> Loudness:
    """The figures from ebur128's summary; the peak is −inf where it was not asked for."""
    found = SUMMARY.search(stderr[stderr.rfind("Summary:") :]) if "Summary:" in stderr else None
    if found is None:
        raise RenderFailed(("ebur128",), stderr[-1000:] or "no summary")
    lufs, peak = (float(value or "nan") for value in found.groups())
    return Loudness(SILENCE_LUFS if math.isnan(lufs) else lufs, -math.inf if math.isnan(peak) else peak)
