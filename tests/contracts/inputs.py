"""Small real files that tests hand to vendors' clients."""

from __future__ import annotations

import base64
import subprocess
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
