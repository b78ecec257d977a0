"""Clips for simulated video vendors: a drifting seeded gradient, or the given first frame in slow motion.

Frames are built as Y, U and V planes and piped to x264, so five seconds of 720p take well under a second of
CPU. Each shows the model, the prompt, a running time code, a visible SIMULATED mark and the strip of ``mark``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import Child, started
from providers.emulator.media.mark import draw_mark
from providers.emulator.media.text import paste_mask, text_mask

SIMULATED = "SIMULATED"
ENCODE_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Clip:
    """What to render. ``picture`` is the first frame's file or ``None``; ``sound`` adds a soft tone."""

    model: str
    prompt: str
    width: int
    height: int
    seconds: float
    mark: int
    seed: int
    fps: int = 24
    picture: Path | None = None
    sound: bool = False

    @property
    def frames(self) -> int:
        return max(1, round(self.seconds * self.fps))

    def key(self) -> str:
        """Name of the file in the cache: the same parameters give the same file."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:40]


@dataclass
class Scale:
    """Size of all rendered clips against what was asked for; below 1 for rehearsals that only count and pay."""

    factor: float = 1.0

    def of(self, clip: Clip) -> Clip:
        """The clip as it is rendered, with even sides."""
        if self.factor >= 1:
            return clip
        width, height = (max(2, round(side * self.factor / 2) * 2) for side in (clip.width, clip.height))
        return replace(clip, width=width, height=height)


SCALE = Scale()


def render_clip(clip: Clip, out: Path) -> Path:
    """Render to ``out``; the file appears only when it is whole."""
    clip = SCALE.of(clip)
    part = out.with_name(out.stem + ".part.mp4")
    with started(_argv(clip, part), stdin=True) as child:
        for planes in _frames(clip):
            for plane in planes:
                _write(child, plane)
        stdin = child.process.stdin
        assert stdin is not None
        stdin.close()
        if child.wait(ENCODE_TIMEOUT_S) != 0:
            raise RuntimeError("The emulator's encoder failed; run `make doctor` to check ffmpeg.")
    part.replace(out)
    return out


def _argv(clip: Clip, out: Path) -> list[str]:
    picture = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-s",
        f"{clip.width}x{clip.height}",
        "-r",
        str(clip.fps),
    ]
    tone = [
        "-f",
        "lavfi",
        "-i",
        f"sine=frequency={180 + clip.seed % 240}:sample_rate=48000:duration={_length(clip)}",
    ]
    sound = ["-af", "volume=-22dB", "-c:a", "aac", "-ac", "2", "-b:a", "96k"] if clip.sound else ["-an"]
    return [
        *[ffmpeg(), "-hide_banner", "-loglevel", "error", "-nostats", "-y", *picture, "-i", "pipe:0"],
        *(tone if clip.sound else []),
        *["-c:v", "libx264", "-preset", "ultrafast", "-crf", "24", "-pix_fmt", "yuv420p", "-threads", "1"],
        *["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"],
        *[
            *sound,
            "-movflags",
            "+faststart",
            "-metadata",
            f"comment={SIMULATED} by the emulator: {clip.model}",
        ],
        str(out),
    ]


def _length(clip: Clip) -> float:
    return float(Fraction(clip.frames, clip.fps))


def _write(child: Child, plane: np.ndarray) -> None:
    stream = child.process.stdin
    assert stream is not None
    view = memoryview(np.ascontiguousarray(plane).data).cast("B")
    while view:
        view = view[stream.write(view) :]


Planes = tuple[np.ndarray, np.ndarray, np.ndarray]


def _frames(clip: Clip) -> Iterator[Planes]:
    picture = _read_picture(clip.picture)
    scene = _PictureScene(clip, picture) if picture is not None else _GradientScene(clip)
    caption = _Caption(clip)
    for index in range(clip.frames):
        luma, blue, red = scene.frame(index)
        caption.draw(luma, index)
        yield luma, blue, red


def first_frame(clip: Clip) -> Planes:
    """The planes of the first frame alone."""
    return next(_frames(clip))


def _read_picture(path: Path | None) -> np.ndarray | None:
    if path is None or not path.exists():
        return None
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)


class _GradientScene:
    """Slow waves of two seeded colours, computed small and scaled up."""

    def __init__(self, clip: Clip) -> None:
        dice = np.random.default_rng(clip.seed)
        self.clip = clip
        rows, columns = np.mgrid[0:18, 0:32].astype(np.float32)
        self.x, self.y = columns / 32, rows / 18
        self.turns = dice.uniform(0.6, 1.6, 4)
        self.shift = dice.uniform(0, 2 * math.pi, 4)
        self.colours = dice.uniform(70, 186, (2, 2))

    def frame(self, index: int) -> Planes:
        time = index / self.clip.fps
        phase = 2 * math.pi * self.turns
        wave = np.sin(phase[0] * self.x + self.shift[0] + time) + np.cos(phase[1] * self.y + self.shift[1] - 0.7 * time)
        cross = np.sin(phase[2] * (self.x + self.y) + self.shift[2] + 0.5 * time)
        width, height = self.clip.width, self.clip.height
        luma = _grow(112 + 34 * wave / 2 + 26 * cross, width, height)
        blue = _grow(self.colours[0, 0] + (self.colours[0, 1] - 128) * wave / 3, width // 2, height // 2)
        red = _grow(self.colours[1, 0] + (self.colours[1, 1] - 128) * cross / 2, width // 2, height // 2)
        return luma, blue, red


def _grow(small: np.ndarray, width: int, height: int) -> np.ndarray:
    clipped = np.clip(small, 20, 232).astype(np.float32)
    return cv2.resize(clipped, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


class _PictureScene:
    """The given first frame, covering the output, with a slow seeded push and drift."""

    def __init__(self, clip: Clip, picture: np.ndarray) -> None:
        self.clip = clip
        scale = 1.18 * max(clip.width / picture.shape[1], clip.height / picture.shape[0])
        size = (math.ceil(picture.shape[1] * scale / 2) * 2, math.ceil(picture.shape[0] * scale / 2) * 2)
        shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        canvas = cv2.resize(picture, size, interpolation=shrink)
        self.luma, self.blue, self.red = _to_planes(canvas)
        angle = np.random.default_rng(clip.seed).uniform(0, 2 * math.pi)
        self.drift = (math.cos(angle), math.sin(angle))

    def frame(self, index: int) -> Planes:
        share = index / max(1, self.clip.frames - 1)
        zoom = 1.0 + 0.08 * share
        width, height = self.clip.width, self.clip.height
        return (
            self._warp(self.luma, width, height, zoom, share),
            self._warp(self.blue, width // 2, height // 2, zoom, share),
            self._warp(self.red, width // 2, height // 2, zoom, share),
        )

    def _warp(self, plane: np.ndarray, width: int, height: int, zoom: float, share: float) -> np.ndarray:
        reach = 0.03 * min(width, height) * (share - 0.5)
        middle_x = plane.shape[1] / 2 + self.drift[0] * reach
        middle_y = plane.shape[0] / 2 + self.drift[1] * reach
        rows = [[1 / zoom, 0, middle_x - width / 2 / zoom], [0, 1 / zoom, middle_y - height / 2 / zoom]]
        matrix = np.array(rows, np.float32)
        return cv2.warpAffine(
            plane,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )


def _to_planes(picture: np.ndarray) -> Planes:
    """BGR to limited-range BT.709 planes."""
    blue, green, red = (picture[:, :, channel].astype(np.float32) for channel in range(3))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    half = (picture.shape[1] // 2, picture.shape[0] // 2)
    chroma_blue = cv2.resize((blue - luma) / 1.8556, half, interpolation=cv2.INTER_AREA)
    chroma_red = cv2.resize((red - luma) / 1.5748, half, interpolation=cv2.INTER_AREA)
    return (
        np.clip(16 + luma * 219 / 255, 16, 235).astype(np.uint8),
        np.clip(128 + chroma_blue * 224 / 255, 16, 240).astype(np.uint8),
        np.clip(128 + chroma_red * 224 / 255, 16, 240).astype(np.uint8),
    )


class _Caption:
    """The words on every frame: still ones are drawn once as masks, the time code per frame."""

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        base = min(clip.width, clip.height)
        self.size = max(10, base // 42)
        self.margin = max(6, base // 36)
        wide = clip.width - 2 * self.margin
        self.mark = text_mask(SIMULATED, size=self.size, width=min(wide, self.size * 8), lines=1)
        self.prompt = text_mask(clip.prompt or "no prompt", size=self.size, width=wide, lines=2)
        self.model = text_mask(clip.model, size=self.size, width=wide // 2, lines=1)

    def draw(self, luma: np.ndarray, index: int) -> None:
        height, width = luma.shape
        top = height - self.margin - self.prompt.shape[0]
        plate = top - self.model.shape[0] - self.margin // 2
        luma[plate:] = luma[plate:] // 2 + 8
        paste_mask(luma, self.prompt, left=self.margin, top=top, level=225)
        paste_mask(luma, self.model, left=self.margin, top=plate + self.margin // 3, level=190)
        box = self.mark.shape[1]
        strip = luma[self.margin : self.margin + self.mark.shape[0], width - self.margin - box : width - self.margin]
        strip[:] = strip // 2 + 8
        paste_mask(luma, self.mark, left=width - self.margin - box + self.size // 2, top=self.margin, level=235)
        self._time_code(luma, index, plate)
        draw_mark(luma, self.clip.mark)

    def _time_code(self, luma: np.ndarray, index: int, top: int) -> None:
        seconds, frame = divmod(index, self.clip.fps)
        scale = self.size / 26
        origin = (luma.shape[1] - self.margin - int(self.size * 5.2), top + self.size + self.margin // 3)
        words = f"{seconds // 60:02d}:{seconds % 60:02d}:{frame:02d}"
        cv2.putText(luma, words, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, 215, max(1, round(scale * 2)), cv2.LINE_AA)
