"""Film clips as frames of the output: decoded by a child only while they are on screen."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from genengine.media.compose.canvas import BLUR_DIM, BLUR_SIGMA
from genengine.media.compose.following import Following
from genengine.media.compose.geometry import Rect, closest_zoom, contained, crop_for, window_at
from genengine.media.compose.planes import Frame, empty_frame, views
from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Child, ProcessLimits, started
from genengine.media.probing import VideoInfo, probe
from genengine.media.spec.model import Fit, Output, VideoSegment

LIMITS = ProcessLimits(memory=6 << 30)
CUBIC = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP


class Film:
    """Frames of one clip from local frame ``first`` on; ``draw`` must be called with rising numbers."""

    def __init__(self, segment: VideoSegment, path: Path, output: Output, *, first: int, run_on: int) -> None:
        info = probe(path).video
        if info is None:
            raise RenderFailed(("film decoder", path.name), "the file has no moving picture; name it as an image")
        self._segment, self._path, self._output, self._info = segment, path, output, info
        self._length = segment.duration_frames + run_on
        self._available = max(1, _frames_in(info, output.fps) - segment.start_frame)
        self._next = first
        zoom = closest_zoom(segment.motion)
        self._size = _even(output.width * zoom), _even(output.height * zoom)
        follows = bool(segment.fit.path) and segment.fit.mode == "crop"
        self._following = Following(info.display_size, segment.fit, self._size) if follows else None
        self._moves = segment.motion.moves or zoom != 1 or follows
        self._decoded = self._following.decoded if self._following else self._size
        self._buffer = empty_frame(*self._decoded)
        self._stack = ExitStack()
        self._child: Child | None = None
        self._frames_read = 0

    def draw(self, local: int, frame: Frame) -> None:
        """Write local frame ``local`` of the slot into ``frame``."""
        while self._next <= local:
            self._advance(self._next)
            self._next += 1
        if not self._moves:
            frame.reshape(-1)[:] = self._buffer.reshape(-1)
            return
        _look(self._buffer, self._decoded, self._window(local), frame, self._output)

    def close(self) -> None:
        self._stack.close()

    def _window(self, local: int) -> Rect:
        """What is seen of the decoded picture: the camera's move inside the crop, the crop inside the film."""
        progress = local / max(1, self._length)
        camera = window_at(self._segment.motion, progress, *self._size)
        if self._following is None:
            return camera
        loops = self._segment.when_short == "loop"
        shown = local % self._available if loops else min(local, self._available - 1)
        crop = self._following.window(self._segment.start_frame + shown)
        kx, ky = crop.w / self._size[0], crop.h / self._size[1]
        return Rect(crop.x + camera.x * kx, crop.y + camera.y * ky, camera.w * kx, camera.h * ky)

    def _advance(self, local: int) -> None:
        """Read the next frame; at the end of the clip start over or keep the last one."""
        loops = self._segment.when_short == "loop"
        if local >= self._available and not loops and self._frames_read:
            return
        if self._child is None or (loops and local % self._available == 0):
            self._open(local % self._available if loops else min(local, self._available - 1))
        if self._read() or self._frames_read:
            return
        self._find_last_frame(min(local, self._available - 1))

    def _read(self) -> bool:
        """One frame into the buffer; False at the end of the clip, where the buffer keeps the last one."""
        assert self._child is not None
        spare = empty_frame(*self._decoded)
        if not self._child.read_exactly(spare.data.cast("B")):
            return False
        self._buffer, self._frames_read = spare, self._frames_read + 1
        return True

    def _find_last_frame(self, wanted: int) -> None:
        """Containers overstate their length by a frame or two: then an earlier frame is the last one."""
        for start in range(wanted - 1, max(-1, wanted - 6), -1):
            self._open(start)
            if self._read():
                return
        assert self._child is not None
        raise RenderFailed(self._child.argv, self._child.stderr_text()[-2000:] or "the clip gave no picture")

    def _open(self, first: int) -> None:
        self._stack.close()
        start = self._segment.start_frame + first
        region = self._following.region if self._following else None
        fit, fps = self._segment.fit, self._output.fps
        argv = decode_command(self._path, self._info, fit, self._decoded, fps, start, region=region)
        self._child = self._stack.enter_context(started(argv, limits=LIMITS))


Region = tuple[int, int, int, int]


def decode_command(
    path: Path,
    info: VideoInfo,
    fit: Fit,
    size: tuple[int, int],
    fps: Fraction,
    start: int,
    *,
    region: Region | None = None,
) -> list[str]:
    """Arguments that make ffmpeg write raw I420 frames of ``size`` at ``fps`` from output frame ``start`` on.

    ``region`` (x, y, w, h) is the part of the film to write in place of what ``fit`` would choose.
    """
    constant = info.fps == info.average_fps == fps
    seek = ["-ss", f"{float((start - Fraction(1, 2)) / fps):.6f}"] if constant and start else []
    steps = [] if constant else [f"fps={fps}:start_time=0:round=near", f"trim=start_frame={start}"]
    shape = _crop_filter(region, size) if region else _fit_filter(info.display_size, fit, size)
    graph = ",".join([*steps, shape, "format=yuv420p"])
    argv = [ffmpeg(), "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file", *seek]
    argv += ["-i", f"file:{path.resolve()}", "-map", "0:v:0", "-an", "-sn", "-dn", "-filter_complex_threads", "1"]
    return [*argv, "-vf", graph, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]


COLOUR = "out_color_matrix=bt709:out_range=tv"


def _crop_filter(region: Region, size: tuple[int, int]) -> str:
    x, y, w, h = region
    return f"crop={w}:{h}:{x}:{y},scale={size[0]}:{size[1]}:flags=lanczos:{COLOUR},setsar=1"


def _fit_filter(source: tuple[int, int], fit: Fit, size: tuple[int, int]) -> str:
    colour = COLOUR
    x, y, w, h = crop_for(*source, size, fit)
    if source == size and fit.mode != "blurred":
        return "null"
    if fit.mode == "crop":
        return _crop_filter((x, y, w, h), size)
    px, py, pw, ph = contained(*source, size)
    small = max(16, size[0] // 16 * 2), max(16, size[1] // 16 * 2)
    dim = f"lutyuv=y=(val-16)*{BLUR_DIM}+16"
    ground = f"crop={w}:{h}:{x}:{y},scale={small[0]}:{small[1]},gblur=sigma={small[0] * BLUR_SIGMA:.2f}"
    ground += f",scale={size[0]}:{size[1]}:flags=bicubic:{colour},{dim}"
    if fit.mode == "blurred":
        return f"{ground},setsar=1"
    return (
        f"setsar=1,split[a][b];[a]{ground}[g];[b]scale={pw}:{ph}:flags=lanczos:{colour}[f];"
        f"[g][f]overlay={px}:{py}:format=yuv420"
    )


def _look(source: Frame, source_size: tuple[int, int], window: Rect, frame: Frame, output: Output) -> None:
    """Warp a film frame (4:2:0) to the window; chroma sits on the left column in both."""
    kx, ky = window.w / output.width, window.h / output.height
    luma = np.array([[kx, 0, kx / 2 + window.x - 0.5], [0, ky, ky / 2 + window.y - 0.5]])
    chroma = np.array([[kx, 0, (kx / 2 + window.x - 0.5) / 2], [0, ky, (ky + window.y - 1) / 2]])
    targets = views(frame, output.width, output.height)
    for plane, target, matrix in zip(views(source, *source_size), targets, (luma, chroma, chroma), strict=True):
        size = (target.shape[1], target.shape[0])
        cv2.warpAffine(plane, matrix, size, dst=target, flags=CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _frames_in(info: VideoInfo, fps: Fraction) -> int:
    if info.frames and info.fps == info.average_fps == fps:
        return info.frames
    return max(1, round((info.duration_s or Fraction(1)) * fps))


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)
