"""Fold clips and masters into the state of their branch, and branches into the state of the job. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobs.execution.states import ClipState as C
from jobs.execution.states import JobState as J
from jobs.execution.states import MasterState as M


@dataclass(frozen=True)
class BranchFacts:
    """What a branch's state depends on. `repairing`: a fallback is being made for a clip that needs attention."""

    clips: Sequence[str]
    masters: Sequence[str]
    paused: bool
    cancelled: bool
    repairing: bool = False


def fold_branch(facts: BranchFacts) -> J:
    """Return the branch's state: what moves comes first, then what waits for a person, then the end."""
    if facts.cancelled:
        return J.CANCELLED
    clips = set(facts.clips)
    moving = _moving(facts, clips)
    if moving is not None:
        return moving
    if facts.paused or C.PAUSED in clips:
        return J.PAUSED
    if C.HELD in clips:
        return J.HELD
    return _at_rest(clips, set(facts.masters))


def _moving(facts: BranchFacts, clips: set[str]) -> J | None:
    if C.GENERATING in clips or facts.repairing:
        return J.GENERATING
    if C.CHECKING in clips:
        return J.CHECKING
    if clips & {C.QUEUED, C.PLANNED} and not facts.paused:
        return J.GENERATING if clips & {C.READY} else J.QUEUED
    masters = set(facts.masters)
    if M.COMPOSING in masters:
        return J.COMPOSING
    if M.CHECKING in masters:
        return J.CHECKING
    return None


def _at_rest(clips: set[str], masters: set[str]) -> J:
    if clips and clips <= {C.CANCELLED}:
        return J.CANCELLED
    if clips & {C.NEEDS_ATTENTION} or masters & {M.NEEDS_ATTENTION}:
        return J.NEEDS_ATTENTION
    if clips and C.READY not in clips:
        return J.FAILED
    if masters and masters <= {M.READY}:
        return J.READY
    if masters & {M.PENDING, M.STALE}:
        return J.COMPOSING
    return J.FAILED


def fold_job(branches: Iterable[str], *, paused: bool, cancelled: bool) -> J:
    """Return the job's state from its branches'."""
    states = set(branches)
    if cancelled:
        return J.CANCELLED
    for state in (J.GENERATING, J.COMPOSING, J.CHECKING, J.QUEUED):
        if state in states:
            return state
    if paused or J.PAUSED in states:
        return J.PAUSED
    for state in (J.HELD, J.NEEDS_ATTENTION, J.READY, J.FAILED):
        if state in states:
            return state
    return J.CANCELLED
