"""One pass over a finished file: small luma frames to numpy, the sound through ebur128, errors of the decoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genengine.media.audio.loudness import Loudness, read_summary
from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg, filters
from genengine.media.ffmpeg.run import Cancelled, ProcessLimits, started
from genengine.media.probing import MediaInfo

SMALL = 270
FLASH_STEP = 22
"""A tenth of the luma range: the size of a change that counts as a flash (WCAG 2.3.1, ITU-R BT.1702)."""


@dataclass
class Measured:
    """Per-frame luma figures. ``mean`` is 0 … 255 limited range; ``dark`` is the share of nearly black pixels;
    ``change`` the mean difference to the frame before; ``up``/``down`` the share of pixels that changed a lot."""

    frames: int = 0
    mean: list[float] = field(default_factory=list)
    dark: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    up: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    loudness: Loudness | None = None
    errors: str = ""
    failed: bool = False


def measure(path: Path, info: MediaInfo, *, cancelled: Cancelled | None = None) -> Measured:
    """Decode everything once. A decoder that gives up is recorded, not raised: that is a finding."""
    assert info.video is not None
    width, height = _small(info.video.display_size)
    result = Measured()
    graph = f"[0:v:0]scale={width}:{height}:flags=fast_bilinear,format=gray[v]"
    outputs = ["-map", "[v]", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    listens = info.audio is not None and "ebur128" in filters(ffmpeg())
    if listens:
        graph += ";[0:a:0]ebur128=peak=true:framelog=quiet[a]"
        outputs += ["-map", "[a]", "-f", "null", "-"]
    argv = [ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-v", "info", "-protocol_whitelist", "file"]
    argv += ["-i", f"file:{path.resolve()}", "-filter_complex", graph, *outputs]
    with started(argv, limits=ProcessLimits(memory=4 << 30)) as child:
        _read_frames(child.read_exactly, (height, width), result, cancelled)
        result.failed = child.wait(60) != 0
        stderr = child.stderr_text()
    result.errors = "\n".join(line for line in stderr.splitlines() if _is_error(line))[:2000]
    if listens:
        try:
            result.loudness = read_summary(stderr)
        except RenderFailed:
            result.loudness = None
    return result


def _read_frames(read, shape: tuple[int, int], result: Measured, cancelled: Cancelled | None) -> None:  # type: ignore[no-untyped-def]
    buffer = np.empty(shape, np.uint8)
    before: NDArray[np.int16] | None = None
    while read(buffer.data.cast("B")):
        luma = buffer.astype(np.int16)
        result.frames += 1
        result.mean.append(float(luma.mean()))
        result.dark.append(float((buffer < 32).mean()))
        if before is not None:
            step = luma - before
            result.change.append(float(np.abs(step).mean()))
            result.up.append(float((step > FLASH_STEP).mean()))
            result.down.append(float((step < -FLASH_STEP).mean()))
        before = luma
        if cancelled is not None and cancelled():
            return


def _small(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, SMALL / min(size))
    return max(2, round(size[0] * scale / 2) * 2), max(2, round(size[1] * scale / 2) * 2)


def _is_error(line: str) -> bool:
    lowered = line.lower()
    return any(word in lowered for word in ("error", "invalid", "corrupt", "missing picture", "concealing"))


def spans(flags: list[bool]) -> list[tuple[int, int]]:
    """Runs of True as (first, past-last)."""
    out: list[tuple[int, int]] = []
    for index, flag in enumerate(flags):
        if flag and out and out[-1][1] == index:
            out[-1] = (out[-1][0], index + 1)
        elif flag:
            out.append((index, index + 1))
    return out


def flashes_per_second(measured: Measured, fps: Fraction) -> tuple[int, int]:
    """Most pairs of opposing large changes within one second, and the frame where that second begins."""
    turns: list[int] = []
    last = 0
    for index, (up, down) in enumerate(zip(measured.up, measured.down, strict=True)):
        direction = 1 if up > 0.25 else -1 if down > 0.25 else 0
        if direction and direction != last:
            turns.append(index + 1)
            last = direction
    second = round(fps)
    return max(((sum(start <= turn < start + second for turn in turns) // 2, start) for start in turns), default=(0, 0))
