"""Sound for simulated audio vendors: a hum that falls silent between words, so that timings can be checked.

Speech runs at 2.5 words a second; each word is a tone burst of its own pitch. Real, decodable MP3, WAV or Opus.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import run

RATE = 24_000
WORD_S = 0.4
GAP = 0.12
CODECS = {
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3"],
    ".wav": ["-c:a", "pcm_s16le", "-f", "wav"],
    ".pcm": ["-c:a", "pcm_s16le", "-f", "s16le"],
    ".ulaw": ["-c:a", "pcm_mulaw", "-f", "mulaw"],
    ".alaw": ["-c:a", "pcm_alaw", "-f", "alaw"],
    ".opus": ["-c:a", "libopus", "-b:a", "64k", "-f", "ogg"],
}


@dataclass(frozen=True, slots=True)
class Speech:
    """Words at a steady pace; ``speed`` 2 is twice as fast. ``seconds`` > 0 makes a plain sound of that length."""

    text: str
    voice: str = ""
    speed: float = 1.0
    seconds: float = 0.0
    rate: int = 44_100

    @property
    def duration_s(self) -> float:
        return self.seconds or max(1, len(self.text.split())) * WORD_S / self.speed

    def key(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:40]

    def word_times(self) -> list[tuple[str, float, float]]:
        """Each word with its start and end in seconds."""
        step = WORD_S / self.speed
        words = self.text.split()
        return [(word, index * step, (index + 1 - GAP) * step) for index, word in enumerate(words)]

    def character_times(self) -> tuple[list[str], list[float], list[float]]:
        """Characters of the text as given with their starts and ends; spaces fill the gaps."""
        characters, starts, ends, at = list(self.text), [], [], 0.0
        step = self.duration_s / max(1, len(characters))
        for _ in characters:
            starts.append(round(at, 3))
            at += step
            ends.append(round(at, 3))
        return characters, starts, ends


def render_speech(speech: Speech, out: Path) -> Path:
    """Render to ``out``; its suffix chooses the format."""
    part = out.with_name(out.stem + ".part" + out.suffix)
    source = ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
    argv = [ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *source, "-ar", str(speech.rate)]
    run([*argv, *CODECS[out.suffix], str(part)], timeout=60, stdin=_samples(speech).tobytes())
    part.replace(out)
    return out


def _samples(speech: Speech) -> np.ndarray:
    total = round(speech.duration_s * RATE)
    wave = np.zeros(total, np.float32)
    spans = [("sound", 0.0, speech.duration_s)] if speech.seconds else speech.word_times()
    for word, start, end in spans:
        pitch = 110 + int(hashlib.sha256(f"{speech.voice}{word}".encode()).hexdigest()[:4], 16) % 180
        first, last = round(start * RATE), min(total, round(end * RATE))
        time = np.arange(last - first, dtype=np.float32) / RATE
        tone = np.sin(2 * np.pi * pitch * time) + 0.4 * np.sin(4 * np.pi * pitch * time)
        wave[first:last] = 0.22 * tone * np.hanning(last - first)
    return (wave * 32767).astype("<i2")
