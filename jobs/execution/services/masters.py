"""The life of a master: claimed, composed, checked, accepted; or put back when its maker died."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from genengine.assets.models import Blob
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from jobs.execution.leases import LEASE, LeaseLost
from jobs.execution.models import Clip, Master, TakeKind
from jobs.execution.queue import COMPOSE, MEDIA, enqueue
from jobs.execution.retry import failure
from jobs.execution.services.folding import lock_job, touch
from jobs.execution.states import MASTER, ClipState, MasterState
from jobs.quality.models import QualityReport, Verdict

MAX_TRIES = 3


@dataclass(frozen=True)
class Composed:
    """The files and figures of a composed master."""

    blob: Blob
    thumbnail: Blob
    srt: Blob
    vtt: Blob
    width: int
    height: int
    duration_ms: int
    report: dict[str, Any] = field(default_factory=dict)


@retry_conflicts
def claim_master(*, master_id: UUID, owner: str, now: datetime) -> Master | None:
    """Take a pending master to compose it; nothing when it has moved on."""
    with unit_of_work():
        master = _locked(master_id)
        if master.state != MasterState.PENDING or master.job.cancelled:
            return None
        MASTER.apply(
            master, "compose", actor=SYSTEM, now=now, lease_owner=owner, lease_until=now + LEASE,
            tries=master.tries + 1, progress=0.0,
        )  # fmt: skip
        touch(master.job, now=now)
    return master


@retry_conflicts
def begin_check(*, master_id: UUID, owner: str, composed: Composed, spec: dict[str, Any], now: datetime) -> None:
    """The file is here; its checks begin."""
    with unit_of_work():
        master = _held(master_id, owner)
        MASTER.apply(
            master,
            "check",
            actor=SYSTEM,
            now=now,
            spec=spec,
            report=composed.report,
            sha256=composed.blob.sha256,
            blob=composed.blob,
            thumbnail=composed.thumbnail,
            srt=composed.srt,
            vtt=composed.vtt,
            width=composed.width,
            height=composed.height,
            duration_ms=composed.duration_ms,
            progress=1.0,
        )
        touch(master.job, now=now)


@retry_conflicts
def accept_master(*, master_id: UUID, owner: str, quality: QualityReport, now: datetime) -> None:
    """The checks are done: ready when nothing failed, else a person looks at it."""
    with unit_of_work():
        master = _held(master_id, owner)
        marks = _marks(master)
        if quality.verdict in (Verdict.PASS, Verdict.WARN):
            MASTER.apply(
                master, "accept", actor=SYSTEM, now=now, data={"sha256": master.sha256, "verdict": quality.verdict},
                quality=quality, ready_at=now, lease_owner="", lease_until=None, failure=_stand_in_failure(master),
                **marks,
            )  # fmt: skip
        else:
            _refuse(master, quality, marks, now)
        touch(master.job, now=now)


@retry_conflicts
def fail_master(*, master_id: UUID, owner: str, cause: str, now: datetime) -> None:
    """Composing failed: again, or after three tries a person looks at it."""
    with unit_of_work():
        master = _held(master_id, owner)
        if master.tries < MAX_TRIES:
            _put_back(master, cause, now)
        else:
            MASTER.apply(
                master, "give_up", actor=SYSTEM, now=now, reason=cause, lease_owner="", lease_until=None,
                failure=failure(
                    stage="compose",
                    cause=cause,
                    who_pays="nobody: composing is free; the clips are kept",
                    next_step="rerun the scene named in the cause, or compose again",
                ),
            )  # fmt: skip
        touch(master.job, now=now)


@retry_conflicts
def put_back_master(*, master_id: UUID, now: datetime) -> bool:
    """Queue a master again whose maker stopped renewing its lease."""
    with unit_of_work():
        master = _locked(master_id)
        if master.lease_until is None or master.lease_until > now:
            return False
        if not MASTER.allows("requeue", master.state):
            return False
        if master.tries >= MAX_TRIES + 2:
            cause = "the process that composed it died each time"
            MASTER.apply(
                master, "give_up", actor=SYSTEM, now=now, reason=cause, lease_owner="", lease_until=None,
                failure=failure(
                    stage="compose", cause=cause, who_pays="nobody: composing is free",
                    next_step="check the machine's memory, then compose again",
                ),
            )  # fmt: skip
        else:
            _put_back(master, "its worker died", now)
        touch(master.job, now=now)
    return True


def _put_back(master: Master, reason: str, now: datetime) -> None:
    MASTER.apply(
        master, "requeue", actor=SYSTEM, now=now, reason=reason, lease_owner="", lease_until=None, progress=None
    )
    enqueue(COMPOSE, master.pk, cluster=MEDIA)


def _refuse(master: Master, quality: QualityReport, marks: dict[str, Any], now: datetime) -> None:
    causes = [f["message"] for f in quality.findings if f["verdict"] in (Verdict.FAIL, Verdict.UNKNOWN)]
    cause = "; ".join(causes) or "a check could not be made"
    if master.is_stand_in:
        cause = f"a stand-in without moves and transitions: {master.stand_in_reason}; {cause}"
    MASTER.apply(
        master, "give_up", actor=SYSTEM, now=now, reason=cause, quality=quality, lease_owner="", lease_until=None,
        failure=failure(
            stage="check", cause=cause, who_pays="nobody: composing is free", next_step="rerun the scene it names"
        ),
        **marks,
    )  # fmt: skip


def _stand_in_failure(master: Master) -> dict[str, str] | None:
    """Say why a stand-in is all there is; nothing for a master that was composed."""
    if not master.is_stand_in:
        return None
    return failure(
        stage="compose",
        cause=f"a stand-in without moves and transitions: {master.stand_in_reason}",
        who_pays="nobody: composing is free; the clips are kept",
        next_step="remove the cause, then rerun a scene: the variant is composed again",
    )


def _marks(master: Master) -> dict[str, Any]:
    clips = Clip.objects.filter(branch_id=master.branch_id)
    return {
        "has_fallback": master.is_stand_in
        or clips.filter(selected_take__kind=TakeKind.FALLBACK, state=ClipState.READY).exists(),
        "partial": clips.exclude(state=ClipState.READY).exists(),
    }


def _locked(master_id: UUID) -> Master:
    lock_job(Master.objects.values_list("job_id", flat=True).get(pk=master_id))
    return Master.objects.select_related("job").get(pk=master_id)


def _held(master_id: UUID, owner: str) -> Master:
    master = _locked(master_id)
    if master.lease_owner != owner:
        raise LeaseLost(str(master_id))
    return master


def mark_queued(*, master_id: UUID, now: datetime) -> None:
    """Note that a waiting master was queued again, so that the next sweep leaves it its time."""
    Master.objects.filter(pk=master_id, state=MasterState.PENDING).update(lease_owner="", lease_until=now)
