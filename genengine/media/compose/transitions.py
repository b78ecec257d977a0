"""How one frame gives way to the next: whole planes, no RGB."""

from __future__ import annotations

import cv2
import numpy as np

from genengine.media.compose.geometry import eased
from genengine.media.compose.planes import Frame, solid_frame, views
from genengine.media.spec.model import Transition, TransitionType

BLACK, WHITE = 16, 235


def mix(before: Frame, after: Frame, transition: Transition, index: int, size: tuple[int, int]) -> None:
    """Frame ``index`` of the transition, written into ``before``."""
    progress = (index + 0.5) / transition.frames
    match transition.type:
        case TransitionType.CROSSFADE:
            cv2.addWeighted(before, 1 - progress, after, progress, 0, dst=before)
        case TransitionType.FADE_BLACK:
            _through(before, after, progress, BLACK, size)
        case TransitionType.FADE_WHITE:
            _through(before, after, progress, WHITE, size)
        case TransitionType.SLIDE | TransitionType.WIPE:
            _sweep(before, after, transition, progress, size)
        case TransitionType.CUT:
            before[:] = after


def _through(before: Frame, after: Frame, progress: float, luma: int, size: tuple[int, int]) -> None:
    ground = solid_frame(*size, luma)
    if progress < 0.5:
        cv2.addWeighted(before, 1 - 2 * progress, ground, 2 * progress, 0, dst=before)
    else:
        cv2.addWeighted(after, 2 * progress - 1, ground, 2 - 2 * progress, 0, dst=before)


def _sweep(before: Frame, after: Frame, transition: Transition, progress: float, size: tuple[int, int]) -> None:
    """Slide pushes the old picture out; wipe only uncovers the new one. Offsets are even, for the chroma's sake."""
    p = eased(progress, "in_out")
    horizontal = transition.direction in ("left", "right")
    span = size[0] if horizontal else size[1]
    shift = round(span * p / 2) * 2
    forward = transition.direction in ("left", "up")
    pushes = transition.type is TransitionType.SLIDE
    for scale, (old, new) in zip((1, 2, 2), zip(views(before, *size), views(after, *size), strict=True), strict=True):
        axis, step = (1 if horizontal else 0), shift // scale
        _sweep_plane(np.swapaxes(old, 0, axis), np.swapaxes(new, 0, axis), step, forward=forward, pushes=pushes)


def _sweep_plane(old: Frame, new: Frame, step: int, *, forward: bool, pushes: bool) -> None:
    """Along the first axis: the new picture enters from the end (``forward``) or from the start."""
    length = len(old)
    if step == 0:
        return
    if forward:
        if pushes:
            old[: length - step] = old[step:].copy()
        old[length - step :] = new[:step] if pushes else new[length - step :]
    else:
        if pushes:
            old[step:] = old[: length - step].copy()
        old[:step] = new[length - step :] if pushes else new[:step]
