"""A camera that follows: it stands still as long as it can, and when it must move, it starts and stops softly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FPS = 30
KEYS_PER_S = 6
SOFT_S = 0.4
"""Half-width in seconds of the easing where the camera starts, stops or turns."""

FASTEST = 0.7
"""Widths of the window a second; faster is unpleasant to watch."""

STILL = 0.004
ROUNDS = 600
Line = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """The crop's middle at a frame, as fractions of the picture."""

    frame: int
    x: float
    y: float

    @property
    def point(self) -> tuple[float, float]:
        return self.x, self.y


@dataclass(frozen=True, slots=True)
class Tube:
    """At ``at_s`` the middle may lie anywhere in ``low`` … ``high`` and would best lie at ``wish``."""

    at_s: float
    shot: int
    low: float
    high: float
    wish: float


def follow(tubes: Sequence[Tube], span: float, fps: float = FPS) -> list[tuple[int, float]] | None:
    """Key frames (frame, middle) of the camera: one where it can stand still throughout; None when it would have to
    move too fast. Shots are followed one by one: at a cut it jumps."""
    out: list[tuple[int, float]] = []
    shots = list(_by_shot(tubes))
    for number, shot in enumerate(shots):
        following = shots[number + 1] if number + 1 < len(shots) else None
        last = round(following[0].at_s * fps) - 1 if following else None
        keys = _hold(shot, fps, last) or _move(shot, span, fps, last)
        if keys is None:
            return None
        out += keys
    if all(abs(place - out[0][1]) < STILL for _, place in out):
        return [(0, round(out[0][1], 4))]
    return [(frame, round(place, 5)) for frame, place in out]


def _by_shot(tubes: Sequence[Tube]) -> Iterable[list[Tube]]:
    for shot in sorted({tube.shot for tube in tubes}):
        yield [tube for tube in tubes if tube.shot == shot]


def _hold(shot: Sequence[Tube], fps: float, last: int | None) -> list[tuple[int, float]] | None:
    """One place for the whole shot, where there is one that keeps everything in view."""
    low, high = max(tube.low for tube in shot), min(tube.high for tube in shot)
    if low > high:
        return None
    place = min(max(float(np.median([tube.wish for tube in shot])), low), high)
    first = round(shot[0].at_s * fps)
    return [(first, place), (max(first + 1, last), place)] if last is not None else [(first, place)]


def _move(shot: Sequence[Tube], span: float, fps: float, last: int | None) -> list[tuple[int, float]] | None:
    """The shortest way through the tubes, its corners rounded."""
    times = np.array([tube.at_s for tube in shot])
    grid = np.arange(times[0], times[-1] + 0.5 / KEYS_PER_S, 1 / KEYS_PER_S)
    low, high = (np.interp(grid, times, [getattr(tube, name) for tube in shot]) for name in ("low", "high"))
    place = _shortest(low, high, np.interp(grid, times, [tube.wish for tube in shot]))
    place = _rounded(place)
    if len(place) > 1 and float(np.abs(np.diff(place)).max()) * KEYS_PER_S > FASTEST * span:
        return None
    frames = [round(float(at) * fps) for at in grid]
    keys = [(frame, float(value)) for frame, value in zip(frames, place, strict=True) if last is None or frame <= last]
    if last is not None and keys[-1][0] < last:
        keys.append((last, keys[-1][1]))
    return keys


def _shortest(low: Line, high: Line, wish: Line) -> Line:
    """A string pulled tight inside the tube: it moves no more than it must."""
    place = np.clip(wish, low, high)
    for _ in range(ROUNDS):
        padded = np.concatenate([place[:1], place, place[-1:]])
        place = np.clip(0.5 * place + 0.25 * (padded[:-2] + padded[2:]), low, high)
    return place


def _rounded(place: Line) -> Line:
    """Mean with a raised cosine over ``SOFT_S`` either side."""
    reach = max(1, round(SOFT_S * KEYS_PER_S))
    weights = 1 + np.cos(np.linspace(-np.pi, np.pi, 2 * reach + 3))[1:-1]
    padded = np.concatenate([np.full(reach, place[0]), place, np.full(reach, place[-1])])
    return np.convolve(padded, weights / weights.sum(), "valid")
