"""Decode any sound to float PCM, 48 kHz stereo: arrays of shape (samples, 2), full scale ±1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Cancelled, ProcessLimits, run

RATE = 48_000
RAW = ("-f", "f32le", "-ar", str(RATE), "-ac", "2")
"""Stereo samples as they are, as options of an ffmpeg input or output."""
Pcm = NDArray[np.float32]

LIMITS = ProcessLimits(memory=4 << 30)


def decode(path: Path, *, seconds: float | None = None, start: float = 0.0, cancelled: Cancelled | None = None) -> Pcm:
    """Up to ``seconds`` of the first sound track; an empty array when the file has none."""
    window = (["-ss", f"{start:.6f}"] if start else []) + (["-t", f"{seconds:.6f}"] if seconds is not None else [])
    argv = [ffmpeg(), "-nostdin", "-v", "error", "-protocol_whitelist", "file", *window, "-i", f"file:{path.resolve()}"]
    argv += ["-map", "0:a:0?", "-vn", "-sn", "-dn", *RAW, "pipe:1"]
    try:
        raw = run(argv, timeout=300, limits=LIMITS, cancelled=cancelled).stdout
    except RenderFailed as error:
        if "does not contain any stream" in error.stderr_tail:
            return np.zeros((0, 2), np.float32)
        raise
    return np.frombuffer(raw[: len(raw) // 8 * 8], np.float32).reshape(-1, 2)


def gain(decibel: float) -> float:
    """Factor of a gain in dB."""
    return float(10 ** (decibel / 20))
