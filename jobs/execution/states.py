"""The machines of execution: clip, attempt, master. Branches and jobs are folded from them (`fold.py`)."""

from enum import StrEnum

from genengine.core.states import Machine, transition


class ClipState(StrEnum):
    PLANNED = "planned"
    QUEUED = "queued"
    PAUSED = "paused"
    HELD = "held"
    GENERATING = "generating"
    CHECKING = "checking"
    READY = "ready"
    NEEDS_ATTENTION = "needs_attention"
    FAILED = "failed"
    CANCELLED = "cancelled"


C = ClipState
COMING = (C.PLANNED, C.QUEUED, C.PAUSED, C.HELD, C.GENERATING, C.CHECKING)  # its take may still come by itself
CLIP = Machine(
    "clip",
    ClipState,
    (
        transition("enqueue", {C.PLANNED}, C.QUEUED, "clip.queued"),
        transition("release", {C.HELD}, C.QUEUED, "clip.released"),
        transition("resume", {C.PAUSED}, C.QUEUED, "clip.resumed"),
        transition("dispatch", {C.QUEUED}, C.GENERATING, "branch.dispatched"),
        transition("collect", {C.GENERATING}, C.CHECKING, "clip.collected"),
        transition("accept", {C.CHECKING}, C.READY, "clip.ready"),
        transition("requeue", {C.GENERATING, C.CHECKING}, C.QUEUED, "branch.retry"),
        transition("rerun", {C.READY, C.NEEDS_ATTENTION, C.FAILED, C.CANCELLED}, C.QUEUED, "partial.rerun"),
        transition("hold", {C.QUEUED}, C.HELD, "clip.held"),
        transition("pause", {C.PLANNED, C.QUEUED}, C.PAUSED, "clip.paused"),
        transition("give_up", {C.QUEUED, C.GENERATING, C.CHECKING}, C.NEEDS_ATTENTION, "clip.needs_attention"),
        transition("substitute", {C.NEEDS_ATTENTION, C.FAILED}, C.READY, "branch.fallback"),
        transition("fail", {C.QUEUED, C.GENERATING, C.CHECKING, C.NEEDS_ATTENTION}, C.FAILED, "clip.failed"),
        transition("cancel", set(C) - {C.READY, C.FAILED, C.CANCELLED}, C.CANCELLED, "clip.cancelled"),
    ),
)


class AttemptState(StrEnum):
    INTENT = "intent"
    SUBMITTED = "submitted"
    SUCCEEDED = "succeeded"
    FINISHED = "finished"
    COLLECTED = "collected"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    PRESUMED_SPENT = "presumed_spent"


A = AttemptState
ATTEMPT = Machine(
    "attempt",
    AttemptState,
    (
        transition("accept", {A.INTENT}, A.SUBMITTED, "attempt.submitted"),
        transition("finish", {A.INTENT}, A.FINISHED, "attempt.finished"),
        transition("refuse", {A.INTENT}, A.REFUSED, "attempt.refused"),
        transition("succeed", {A.SUBMITTED}, A.SUCCEEDED, "attempt.succeeded"),
        transition("collect", {A.SUCCEEDED, A.FINISHED}, A.COLLECTED, "attempt.collected"),
        transition("fail", {A.SUBMITTED, A.SUCCEEDED, A.FINISHED}, A.FAILED, "attempt.failed"),
        transition("expire", {A.SUBMITTED, A.SUCCEEDED}, A.EXPIRED, "attempt.expired"),
        transition("lose", {A.INTENT, A.SUBMITTED}, A.UNKNOWN, "attempt.unknown"),
        transition("find", {A.UNKNOWN}, A.SUBMITTED, "attempt.found"),
        transition("presume_spent", {A.UNKNOWN}, A.PRESUMED_SPENT, "attempt.presumed_spent"),
        transition("surface", {A.PRESUMED_SPENT}, A.SUBMITTED, "attempt.surfaced"),
        transition("absent", {A.UNKNOWN}, A.REFUSED, "attempt.never_arrived"),
    ),
)
ATTEMPT_OPEN = frozenset({A.INTENT, A.SUBMITTED, A.SUCCEEDED, A.FINISHED, A.UNKNOWN})


class MasterState(StrEnum):
    PENDING = "pending"
    COMPOSING = "composing"
    CHECKING = "checking"
    READY = "ready"
    NEEDS_ATTENTION = "needs_attention"
    STALE = "stale"
    CANCELLED = "cancelled"


M = MasterState
MASTER = Machine(
    "master",
    MasterState,
    (
        transition("compose", {M.PENDING}, M.COMPOSING, "master.composing"),
        transition("check", {M.COMPOSING}, M.CHECKING, "master.checking"),
        transition("accept", {M.CHECKING}, M.READY, "master.ready"),
        transition("give_up", {M.PENDING, M.COMPOSING, M.CHECKING}, M.NEEDS_ATTENTION, "master.needs_attention"),
        transition("requeue", {M.COMPOSING, M.CHECKING}, M.PENDING, "master.requeued"),
        transition("outdate", {M.COMPOSING, M.CHECKING, M.READY, M.NEEDS_ATTENTION}, M.STALE, "master.stale"),
        transition("renew", {M.STALE, M.NEEDS_ATTENTION}, M.PENDING, "master.renewed"),
        transition(
            "cancel",
            {M.PENDING, M.COMPOSING, M.CHECKING, M.NEEDS_ATTENTION, M.STALE},
            M.CANCELLED,
            "master.cancelled",
        ),
        transition("revive", {M.CANCELLED}, M.PENDING, "master.renewed"),
    ),
)


class JobState(StrEnum):
    """Folded states of a job or a branch, in the words of the internal table."""

    QUEUED = "queued"
    PAUSED = "paused"
    HELD = "held"
    GENERATING = "generating"
    COMPOSING = "composing"
    CHECKING = "checking"
    NEEDS_ATTENTION = "needs_attention"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({JobState.READY, JobState.FAILED, JobState.CANCELLED, JobState.NEEDS_ATTENTION})
