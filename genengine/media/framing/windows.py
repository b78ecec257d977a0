"""How a picture or film fills a frame of another shape: a crop that keeps its subject, else all of it on a blur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from genengine.media.framing.analysis import Analysis, Moment, analyse
from genengine.media.framing.boxes import Box, union
from genengine.media.framing.paths import FPS, Step, Tube, follow
from genengine.media.framing.sight import BINS, Sight

ENOUGH = 0.86
"""Share of what stands out that a crop must keep where no clear subject was found."""

MARGIN = 0.015
"""Air around a subject, as a share of the picture."""

FACE_AIR = (0.35, 0.4, 0.35, 0.55)
"""Around a face, in its own width and height: left, top, right, bottom. Hair above, a chin and collar below."""

STRAY = 0.1
"""Share of the glances that may be wrong about where a film's subject is."""

HEADLINE_SHARE = 0.3
"""Of the frame's height: what a headline may take at the top or the bottom."""

PLAIN = 2.5
"""Detail along an edge (see ``Sight.busy``) up to which a ground is plain, as a wall or a table is."""

EDGE = 0.004
"""A subject this near to two opposite edges goes on outside the picture."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How to fill a frame. ``mode``, focus and path go into a spec's ``fit``; ``kept`` is the share of what matters
    that is seen; ``subject`` is where it then stands, in fractions of the frame; ``why`` is a sentence.
    ``plain_ground`` says that a picture could go on beyond its edges without anybody's missing anything."""

    mode: str
    focus_x: float
    focus_y: float
    kept: float
    path: tuple[Step, ...] = ()
    subject: Box | None = None
    why: str = ""
    plain_ground: bool = False

    @property
    def headline_place(self) -> str:
        """Where words stand that must not cover the subject: at the top of the frame, else at its bottom."""
        if self.subject is None:
            return "top"
        top, bottom = Box(0, 0, 1, HEADLINE_SHARE), Box(0, 1 - HEADLINE_SHARE, 1, 1)
        return "top" if self.subject.share_of(top) <= self.subject.share_of(bottom) else "bottom"

    def to_fit(self) -> dict[str, Any]:
        """The ``fit`` object of a segment."""
        fit: dict[str, Any] = {"mode": self.mode, "focus": {"x": self.focus_x, "y": self.focus_y}}
        if self.path:
            fit["path"] = [{"frame": step.frame, "x": step.x, "y": step.y} for step in self.path]
        return fit


def suggest_framing(
    path: Path, width: int, height: int, *, kind: str = "image", whole: bool = False, cache_dir: Path | None = None
) -> Framing:
    """The best way to fill ``width`` × ``height`` with ``path``; ``kind`` is image or video.

    A clear subject is never cut: where it does not fit, the answer is ``blurred_fill``. Of people the faces must
    fit; ``whole`` asks for all of them too. Raises ``RenderFailed`` for a file that cannot be read.
    """
    return frame_for(analyse(path, kind=kind, cache_dir=cache_dir), width / height, whole=whole)


def frame_for(seen: Analysis, ratio: float, *, whole: bool = False, fps: float = FPS) -> Framing:
    """The framing of what was seen for a frame of ``ratio`` (width by height); path frames count at ``fps``."""
    across = seen.ratio >= ratio
    span = min(1.0, ratio / seen.ratio if across else seen.ratio / ratio)
    if span > 0.997:
        return _placed(seen, Framing("crop", 0.5, 0.5, 1.0, why="The shapes agree."), ratio)
    musts = [_must_keep(moment.sight, across=across, span=span, whole=whole) for moment in seen.moments]
    too_wide = sum(must is not None and must[1] - must[0] > span for must in musts)
    if too_wide > STRAY * len(musts):
        return _placed(seen, _behind(seen, span, across, "The subject would be cut."), ratio)
    centres = _centres(seen, musts, span, across, fps)
    if centres is None:
        return _placed(seen, _behind(seen, span, across, "The subject moves too fast to follow."), ratio)
    first = centres[0]
    kept = float(np.mean([_seen_share(moment.sight, step, span, across) for moment, step in _at(seen, centres, fps)]))
    if not any(musts) and kept < ENOUGH and any(moment.sight.found_by == "contrast" for moment in seen.moments):
        return _placed(seen, _behind(seen, span, across, "Too little would be left."), ratio)
    point = (first.x, first.y)
    why = "The crop follows the subject." if len(centres) > 1 else _why(seen, musts)
    steps = tuple(centres) if len(centres) > 1 else ()
    return _placed(seen, Framing("crop", *point, round(kept, 3), steps, why=why), ratio)


def window_of(seen: Analysis, ratio: float, focus: tuple[float, float]) -> Box:
    """The crop around a focus, kept inside the picture."""
    width, height = min(1.0, ratio / seen.ratio), min(1.0, seen.ratio / ratio)
    left = min(max(0.0, focus[0] - width / 2), 1 - width)
    top = min(max(0.0, focus[1] - height / 2), 1 - height)
    return Box(left, top, left + width, top + height)


def _why(seen: Analysis, musts: Sequence[tuple[float, float] | None]) -> str:
    if any(moment.sight.faces for moment in seen.moments):
        return "The crop keeps the faces."
    return "The crop keeps the subject." if any(musts) else "Nothing stands out: the crop keeps the most."


def _must_keep(sight: Sight, *, across: bool, span: float, whole: bool) -> tuple[float, float] | None:
    """The stretch that may not be cut, along the axis that is cropped. A face outranks the body it belongs to, where
    both do not fit; air around a subject is a wish, its outline is not."""
    subject = _stretch(sight.subject, across) if sight.subject else None
    if subject and sight.found_by != "alpha" and subject[0] < EDGE and subject[1] > 1 - EDGE:
        subject = None  # a close-up that the picture's own edges cut: there is nothing whole to keep
    faces = [_stretch(_with_air(face), across) for face in sight.faces]
    wanted = [*faces, *([subject] if subject else [])]
    if not wanted:
        return None
    low, high = min(one[0] for one in wanted), max(one[1] for one in wanted)
    if high - low > span and faces and not whole:
        low, high = min(one[0] for one in faces), max(one[1] for one in faces)
        if high - low > span:
            low, high = faces[0]  # of too many people, the nearest
    air = min(MARGIN, max(0.0, (span - (high - low)) / 2))
    return max(0.0, low - air), min(1.0, high + air)


def _with_air(face: Box) -> Box:
    left, top, right, bottom = FACE_AIR
    return face.grown(left * face.width, top * face.height, right * face.width, bottom * face.height)


def _stretch(box: Box, across: bool) -> tuple[float, float]:
    return (box.left, box.right) if across else (box.top, box.bottom)


def _centres(
    seen: Analysis, musts: Sequence[tuple[float, float] | None], span: float, across: bool, fps: float
) -> list[Step] | None:
    """Where the crop's middle is: one step for a still camera, several for a moving one; None when none can follow."""
    tubes = []
    for moment, must in zip(seen.moments, musts, strict=True):
        low, high = must if must else (0.0, 1.0)
        if must is None or high - low > span:
            low = high = _best_middle(moment.sight, span, across)
            tubes.append(Tube(moment.at_s, moment.shot, span / 2, 1 - span / 2, low))
            continue
        fits = max(span / 2, high - span / 2), min(1 - span / 2, low + span / 2)
        wish = min(max((low + high) / 2, fits[0]), fits[1])
        if moment.sight.faces:
            wish = min(max(_best_middle(moment.sight, span, across), fits[0]), fits[1])
        tubes.append(Tube(moment.at_s, moment.shot, fits[0], max(fits), wish))
    places = follow(tubes, span, fps)
    if places is None:
        return None
    return [Step(frame, *((place, 0.5) if across else (0.5, place))) for frame, place in places]


def _best_middle(sight: Sight, span: float, across: bool) -> float:
    """The middle of the window that holds most; of windows that hold nearly as much, the one nearest the middle."""
    profile = np.asarray(sight.columns if across else sight.rows)
    strips = min(BINS, max(1, round(span * BINS)))
    sums = np.convolve(profile, np.ones(strips), "valid")
    near = np.flatnonzero(sums >= sums.max() * 0.995)
    middle = (BINS - strips) / 2
    start = int(near[np.argmin(np.abs(near - middle))])
    return min(max((start + strips / 2) / BINS, span / 2), 1 - span / 2)


def _at(seen: Analysis, steps: Sequence[Step], fps: float) -> list[tuple[Moment, Step]]:
    """Each moment with the step nearest to it."""
    return [(moment, min(steps, key=lambda step: abs(step.frame - moment.at_s * fps))) for moment in seen.moments]


def _seen_share(sight: Sight, step: Step, span: float, across: bool) -> float:
    profile = np.asarray(sight.columns if across else sight.rows)
    middle = step.x if across else step.y
    edges = np.concatenate([[0.0], np.cumsum(profile)])
    low, high = np.interp([(middle - span / 2) * BINS, (middle + span / 2) * BINS], np.arange(BINS + 1), edges)
    return float((high - low) / max(1e-9, edges[-1]))


def _behind(seen: Analysis, span: float, across: bool, why: str) -> Framing:
    """All of the picture before a blurred copy; ``kept`` is what a crop would have kept."""
    middle = float(np.mean([_best_middle(moment.sight, span, across) for moment in seen.moments]))
    step = Step(0, *((middle, 0.5) if across else (0.5, middle)))
    kept = float(np.mean([_seen_share(moment.sight, step, span, across) for moment in seen.moments]))
    return Framing("blurred_fill", round(step.x, 4), round(step.y, 4), round(kept, 3), why=why)


def _placed(seen: Analysis, framing: Framing, ratio: float) -> Framing:
    """With the place of the subject in the frame, over the whole length."""
    boxes = []
    points = [(step.x, step.y) for step in framing.path] or [(framing.focus_x, framing.focus_y)]
    for moment in seen.moments:
        shown = union(moment.sight.faces) or moment.sight.subject
        if shown is None:
            continue
        if framing.mode == "blurred_fill":
            boxes.append(_contained(shown, seen.ratio, ratio))
            continue
        focus = points[0]
        if framing.path:
            focus = min(framing.path, key=lambda step: abs(step.frame / FPS - moment.at_s)).point
        window = window_of(seen, ratio, focus)
        boxes.append(_within(shown, window))
    return replace(framing, subject=union(boxes), plain_ground=_goes_on(seen))


def _goes_on(seen: Analysis) -> bool:
    """Whether a picture (not a film) ends in plain ground on all sides, with nothing that its edges cut."""
    sight = seen.moments[0].sight
    if len(seen.moments) > 1 or sight.subject is None or max(sight.busy) > PLAIN:
        return False
    edges = sight.subject.left, sight.subject.top, 1 - sight.subject.right, 1 - sight.subject.bottom
    return min(edges) > EDGE


def _within(box: Box, window: Box) -> Box:
    def across(value: float) -> float:
        return round(min(1.0, max(0.0, (value - window.left) / window.width)), 4)

    def down(value: float) -> float:
        return round(min(1.0, max(0.0, (value - window.top) / window.height)), 4)

    return Box(across(box.left), down(box.top), across(box.right), down(box.bottom))


def _contained(box: Box, inner: float, outer: float) -> Box:
    width, height = min(1.0, inner / outer), min(1.0, outer / inner)
    left, top = (1 - width) / 2, (1 - height) / 2
    return Box(
        round(left + box.left * width, 4),
        round(top + box.top * height, 4),
        round(left + box.right * width, 4),
        round(top + box.bottom * height, 4),
    )
