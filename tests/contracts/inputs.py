"""Small real files that tests hand to vendors' clients."""

from __future__ import annotations

import atexit
import base64
import math
import shutil
import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path

from genengine.media.ffmpeg.binaries import ffmpeg


def small_film(folder: Path, *, seconds: int = 3) -> bytes:
    """A 640×360 MP4 with sound."""
    out = folder / "film.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc=s=640x360:r=24:d={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=d={seconds}"]
    argv = [ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *picture, *sound, "-pix_fmt", "yuv420p", str(out)]
    subprocess.run(argv, check=True, timeout=60)
    return out.read_bytes()


def data_uri(path: Path) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode()


@cache
def hum(seconds: float = 3.0) -> Path:
    """A WAV file of a low tone, removed when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="contract-sound-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path, rate = folder / "voice.wav", 16_000
    tone = (int(9_000 * math.sin(2 * math.pi * 180 * step / rate)) for step in range(round(seconds * rate)))
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(b"".join(value.to_bytes(2, "little", signed=True) for value in tone))
    return path
