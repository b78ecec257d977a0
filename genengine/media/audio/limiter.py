"""A true-peak limiter: as loud as asked, with no peak over a ceiling, not even between two samples."""

from __future__ import annotations

import numpy as np

from genengine.media.audio.pcm import RATE, RAW, Pcm, gain
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Cancelled, run
from genengine.media.native.sound import limiting_gain, peak_envelope

ATTACK_S, RELEASE_S = 0.005, 0.06


class Limiter:
    """One sound at any gain. Its peaks are found once: a gain moves them all alike."""

    def __init__(self, sound: Pcm, cancelled: Cancelled | None = None) -> None:
        self._sound, self._cancelled = sound, cancelled
        self._envelope = peak_envelope(sound)

    def at(self, gain_db: float, ceiling_dbtp: float) -> Pcm:
        """The sound ``gain_db`` louder and under ``ceiling_dbtp``; its length stays exact."""
        if self._envelope is not None:
            ceiling, ahead, release = gain(ceiling_dbtp - gain_db), round(ATTACK_S * RATE), 1 / (RELEASE_S * RATE)
            reduced = limiting_gain(self._envelope, ceiling, ahead=ahead, release=release)
            if reduced is not None:
                reduced *= np.float32(gain(gain_db))
                return self._sound * reduced[:, None]
        return by_program(self._sound * np.float32(gain(gain_db)), ceiling_dbtp, self._cancelled)


def by_program(sound: Pcm, ceiling_dbtp: float, cancelled: Cancelled | None = None) -> Pcm:
    """ffmpeg's limiter at four times the rate, where nothing is compiled."""
    attack, release = round(ATTACK_S * 1000), round(RELEASE_S * 1000)
    limiter = f"alimiter=level=0:limit={gain(ceiling_dbtp):.6f}:attack={attack}:release={release}:latency=1"
    argv = [ffmpeg(), "-nostdin", "-v", "error", *RAW, "-i", "pipe:0"]
    argv += ["-af", f"aresample={RATE * 4},{limiter},aresample={RATE}", *RAW, "pipe:1"]
    raw = run(argv, timeout=300, stdin=memoryview(sound.tobytes()), cancelled=cancelled).stdout
    out = np.frombuffer(raw[: len(raw) // 8 * 8], np.float32).reshape(-1, 2)[: len(sound)]
    if len(out) < len(sound):
        out = np.concatenate([out, np.zeros((len(sound) - len(out), 2), np.float32)])
    return out
