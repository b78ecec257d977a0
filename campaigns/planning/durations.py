"""Fit scene lengths to the ad's length exactly, on the grid of frames."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from campaigns.planning.types import LONGEST_SCENE_MS, SHORTEST_SCENE_MS
from jobs.plan import FPS

LEAST_FRAMES = SHORTEST_SCENE_MS * FPS // 1000
MOST_FRAMES = LONGEST_SCENE_MS * FPS // 1000


def fit_durations(weights: Sequence[int], length_ms: int, *, fixed: Mapping[int, int] | None = None) -> list[int]:
    """Share `length_ms` out by weight; the sum is exact and each cut lies on a frame.

    `fixed` holds lengths by index that must stay. Limits of 1.5 and 8 seconds hold for the others as long as the
    total can be reached with them.
    """
    if not weights:
        return []
    total = frames_of(length_ms)
    held = {index: frames_of(ms) for index, ms in (fixed or {}).items()}
    free = [index for index in range(len(weights)) if index not in held]
    rest = total - sum(held.values())
    if rest < len(free) or (not free and rest):
        raise ValueError("the kept scenes leave no time for the others")
    shares = _shared({i: max(1, weights[i]) for i in free}, rest)
    frames = [held[i] if i in held else shares[i] for i in range(len(weights))]
    return _milliseconds(frames, length_ms)


def frames_of(milliseconds: int) -> int:
    """Return the nearest whole number of frames."""
    return (milliseconds * FPS + 500) // 1000


def _shared(weights: dict[int, int], total: int) -> dict[int, int]:
    """Share frames out by weight within the limits, what a limit takes goes to the others."""
    if not weights:
        return {}
    least = min(LEAST_FRAMES, total // len(weights))
    most = max(MOST_FRAMES, -(-total // len(weights)))
    exact: dict[int, float] = {}
    open_, rest = dict(weights), float(total)
    while open_:
        scale = rest / sum(open_.values())
        low = {i for i, w in open_.items() if w * scale < least}
        high = {i for i, w in open_.items() if w * scale > most}
        short = sum(least - open_[i] * scale for i in low)
        long = sum(open_[i] * scale - most for i in high)
        bound, value = (low, least) if short >= long else (high, most)
        if not bound:
            exact |= {i: w * scale for i, w in open_.items()}
            break
        for i in bound:
            exact[i] = float(value)
            rest -= value
            del open_[i]
    return _rounded(exact, total)


def _rounded(exact: dict[int, float], total: int) -> dict[int, int]:
    """Round down, then give the missing frames to the largest remainders."""
    whole = {i: int(value + 1e-9) for i, value in exact.items()}
    by_remainder = sorted(exact, key=lambda i: (whole[i] - exact[i], i))
    missing = total - sum(whole.values())
    for place in range(abs(missing)):
        whole[by_remainder[place % len(by_remainder)]] += 1 if missing > 0 else -1
    return whole


def _milliseconds(frames: Sequence[int], length_ms: int) -> list[int]:
    """Turn frames into milliseconds by rounding each cut from its own absolute time."""
    cuts, at = [0], 0
    for count in frames:
        at += count
        cuts.append(round(at * 1000 / FPS))
    cuts[-1] = length_ms
    return [end - start for start, end in pairwise(cuts)]
