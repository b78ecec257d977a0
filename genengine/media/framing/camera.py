"""Camera moves over a still picture that never push its subject out of the frame."""

from __future__ import annotations

from collections.abc import Mapping

from genengine.media.framing.boxes import Box

Window = Mapping[str, float]
LOOKS = 9
AIR = 0.02
CENTRED = 0.5
CLOSE_UP = 0.985


def kept_in_view(start: Window, end: Window, subject: Box | None) -> tuple[dict[str, float], dict[str, float]]:
    """The move from ``start`` to ``end`` (``window`` objects), changed as little as keeps ``subject`` whole throughout.

    ``subject`` is in fractions of the fitted picture. What it needs is judged along the way, not only at the ends: a
    window moves and narrows at once.
    """
    first, last = _plain(start), _plain(end)
    if subject is None:
        return first, last
    if max(subject.width, subject.height) > CLOSE_UP:
        return first, last  # the picture itself shows only a part
    air = min(AIR, (1 - max(subject.width, subject.height)) / 4)
    box = subject.grown(air, air, air, air)
    first, last = _around(first, box), _around(last, box)
    if all(_sees(_between(first, last, step / (LOOKS - 1)), subject) for step in range(LOOKS)):
        return first, last
    return first, first


def _plain(window: Window) -> dict[str, float]:
    return {"zoom": window.get("zoom", 1.0), "x": window.get("x", CENTRED), "y": window.get("y", CENTRED)}


def _around(window: dict[str, float], box: Box) -> dict[str, float]:
    """The nearest window that holds all of the box."""
    zoom = max(1.0, min(window["zoom"], 1 / max(box.width, box.height, 1e-6)))
    slack = 1 - 1 / zoom
    if slack < 1e-6:
        return {"zoom": 1.0, "x": window["x"], "y": window["y"]}
    x = _clamped(window["x"], (box.right - 1 / zoom) / slack, box.left / slack)
    y = _clamped(window["y"], (box.bottom - 1 / zoom) / slack, box.top / slack)
    return {"zoom": round(zoom, 5), "x": round(x, 5), "y": round(y, 5)}


def _clamped(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, min(max(value, low), high)))


def _between(start: Window, end: Window, share: float) -> dict[str, float]:
    return {name: start[name] + (end[name] - start[name]) * share for name in start}


def _sees(window: Window, box: Box) -> bool:
    side = 1 / window["zoom"]
    left, top = (1 - side) * window["x"], (1 - side) * window["y"]
    close = 1e-3
    return (
        left <= box.left + close
        and top <= box.top + close
        and left + side >= box.right - close
        and top + side >= box.bottom - close
    )
