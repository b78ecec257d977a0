"""A still from a finished video."""

from __future__ import annotations

from pathlib import Path

from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import run


def thumbnail(video: Path, out: Path, *, at_s: float = 1.0, width: int | None = None) -> Path:
    """Write the frame at ``at_s`` seconds (or the last one before it) to ``out`` (.jpg or .png)."""
    scale = [f"scale={width // 2 * 2}:-2:flags=lanczos"] if width else []
    graph = ",".join([*scale, "scale=in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc"])
    for seek in (at_s, 0.0):
        argv = [ffmpeg(), "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file", "-ss", f"{seek:.3f}"]
        argv += ["-i", f"file:{Path(video).resolve()}", "-frames:v", "1", "-vf", graph, "-q:v", "2"]
        run([*argv, "-update", "1", f"file:{Path(out).resolve()}"], timeout=60)
        if Path(out).exists() and Path(out).stat().st_size:
            return Path(out)
    raise RenderFailed(("thumbnail",), "the video has no picture")
