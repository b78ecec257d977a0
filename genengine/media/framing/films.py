"""Glances at a film: every frame is decoded small, a few are kept to be looked at, cuts are found between all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import ProcessLimits, started
from genengine.media.probing import probe

FPS = 30
SIDE = 320
EVERY_S = 0.5
MOST = 12
"""Glances at a film, its cuts apart: a long film is looked at less often."""

CUT_CHANGE, CUT_ABOVE_USUAL, CUT_LIKENESS = 18.0, 3.5, 0.75
LIMITS = ProcessLimits(memory=4 << 30)
Rgb = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Glance:
    at_s: float
    shot: int
    rgb: Rgb


@dataclass(slots=True)
class GlancedFilm:
    """``width`` × ``height`` as displayed."""

    width: int
    height: int
    glances: list[Glance] = field(default_factory=list)
    cuts_s: tuple[float, ...] = ()


def glances(path: Path, seconds: float | None = None) -> GlancedFilm:
    """Read the film once, up to ``seconds``. Each shot is seen at its first and last frame and about twice a second
    between."""
    info = probe(path)
    if info.video is None:
        raise RenderFailed(("framing", path.name), "the file has no moving picture")
    film = GlancedFilm(*info.video.display_size)
    scale = min(1.0, SIDE / max(film.width, film.height))
    size = max(16, round(film.width * scale / 2) * 2), max(16, round(film.height * scale / 2) * 2)
    argv = [ffmpeg(), "-nostdin", "-v", "error", "-threads", "1", "-protocol_whitelist", "file"]
    length = min(float(info.duration_s), seconds) if seconds is not None else float(info.duration_s)
    argv += ["-t", f"{length:.6f}"] if seconds is not None else []
    argv += ["-i", f"file:{path.resolve()}", "-map", "0:v:0", "-an", "-sn", "-dn"]
    argv += ["-vf", f"fps={FPS}:start_time=0:round=near,scale={size[0]}:{size[1]}:flags=area,setsar=1"]
    argv += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    step = max(round(EVERY_S * FPS), round(length * FPS / MOST))
    watcher = _Watcher(film, step)
    with started(argv, limits=LIMITS) as child:
        buffer = np.empty((size[1], size[0], 3), np.uint8)
        while child.read_exactly(buffer.data.cast("B")):
            watcher.see(buffer.copy())
        if watcher.last is None:
            raise RenderFailed(child.argv, child.stderr_text()[-2000:] or "no frame could be read")
    return watcher.finished()


class _Watcher:
    """Takes frames as they come, keeps some, and notes where one shot ends."""

    def __init__(self, film: GlancedFilm, step: int) -> None:
        self._film, self._step = film, step
        self._number, self._shot, self._next = -1, 0, 0
        self._changes: list[float] = []
        self._cuts: list[float] = []
        self._tiny: Rgb | None = None
        self.last: Rgb | None = None

    def see(self, rgb: Rgb) -> None:
        tiny = np.asarray(cv2.resize(rgb, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
        if self._tiny is not None and self._is_cut(tiny):
            self._keep()
            self._shot += 1
            self._cuts.append(round((self._number + 1) / FPS, 4))
            self._next = self._number + 1
        self._number, self._tiny, self.last = self._number + 1, tiny, rgb
        if self._number >= self._next:
            self._keep()
            self._next = self._number + self._step

    def finished(self) -> GlancedFilm:
        self._keep()
        self._film.cuts_s = tuple(self._cuts)
        return self._film

    def _keep(self) -> None:
        """The frame seen last, unless it is kept already."""
        at_s = self._number / FPS
        kept = self._film.glances
        if self.last is not None and (not kept or kept[-1].at_s != at_s):
            kept.append(Glance(at_s, self._shot, self.last))

    def _is_cut(self, tiny: Rgb) -> bool:
        """A large change, far above what is usual just now, to other colours."""
        assert self._tiny is not None
        change = float(np.abs(tiny.astype(np.int16) - self._tiny).mean())
        usual = float(np.median(self._changes[-8:])) if self._changes else 0.0
        self._changes.append(change)
        return change > CUT_CHANGE and change > CUT_ABOVE_USUAL * usual and _likeness(tiny, self._tiny) < CUT_LIKENESS


def _likeness(one: Rgb, other: Rgb) -> float:
    """Correlation of the colours' histograms, 1 for the same."""
    counted = [cv2.calcHist([picture], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3) for picture in (one, other)]
    return float(cv2.compareHist(counted[0], counted[1], cv2.HISTCMP_CORREL))
