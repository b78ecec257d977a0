"""Keep the folded states of branches and the job in step, inside the transaction of every change."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from genengine.core.actors import SYSTEM
from genengine.core.db import LockRank, current_work, lock_rows
from genengine.core.events.services import append_event
from jobs.execution.fold import BranchFacts, fold_branch, fold_job
from jobs.execution.models import Attempt, Branch, Clip, Job, Master
from jobs.execution.services.composing import queue_ready_masters
from jobs.execution.states import ATTEMPT_OPEN, FINAL, ClipState, JobState

M = TypeVar("M", Job, Clip)


def lock_job(job_id: UUID) -> Job:
    """Lock a job: the first lock of every transaction that changes anything below it."""
    return _locked_once(Job, job_id, LockRank.JOB)


def lock_clip(clip_id: UUID) -> Clip:
    """Lock one clip, after its job."""
    return _locked_once(Clip, clip_id, LockRank.CLIP)


def _locked_once(model: type[M], pk: UUID, rank: LockRank) -> M:
    """Lock a row unless this transaction already holds it; then only read it again."""
    marks, key = current_work().marks, f"lock:{pk}"
    if key in marks:
        return model._base_manager.get(pk=pk)
    row = lock_rows(model._base_manager.filter(pk=pk), rank)[0]
    marks.add(key)
    return row


def touch(job: Job, *, now: datetime) -> None:
    """Fold the job again when the running unit of work ends, once however often it is asked."""
    work = current_work()
    key = f"fold:{job.pk}"
    if key in work.marks:
        return
    work.marks.add(key)

    def run() -> None:
        work.marks.discard(key)
        refold(job, now=now)

    work.before_commit.insert(0, run)


def refold(job: Job, *, now: datetime) -> None:
    """Store the folded states that changed, with an event for each, and queue masters whose takes are all here."""
    job.refresh_from_db(fields=["paused", "cancelled", "state"])
    states = []
    for branch in Branch.objects.filter(job=job).order_by("position"):
        queue_ready_masters(branch=branch, job=job, now=now)
        state = fold_branch(branch_facts(branch))
        if state != branch.state:
            _store_branch(branch, job, state, now)
        states.append(state)
    state = fold_job(states, paused=job.paused, cancelled=job.cancelled)
    if state != job.state:
        _store_job(job, state, now)


def branch_facts(branch: Branch) -> BranchFacts:
    """Read what a branch's state depends on."""
    repairing = Attempt.objects.filter(
        clip__branch=branch, clip__state=ClipState.NEEDS_ATTENTION, fallback=True, state__in=ATTEMPT_OPEN
    ).exists()
    return BranchFacts(
        clips=list(Clip.objects.filter(branch=branch).values_list("state", flat=True)),
        masters=list(Master.objects.filter(branch=branch).values_list("state", flat=True)),
        paused=branch.paused,
        cancelled=branch.cancelled,
        repairing=repairing,
    )


def _store_branch(branch: Branch, job: Job, state: JobState, now: datetime) -> None:
    Branch.objects.filter(pk=branch.pk).update(state=state, state_changed_at=now)
    kind = "branch.completed" if state == JobState.READY else "branch.updated"
    append_event(
        job.event_stream(),
        kind,
        actor=SYSTEM,
        now=now,
        subject_kind="branch",
        subject_id=branch.pk,
        data={"branch": str(branch.pk), "from": branch.state, "state": state},
    )
    branch.state = state


def _store_job(job: Job, state: JobState, now: datetime) -> None:
    finished = now if state in FINAL else None
    Job.objects.filter(pk=job.pk).update(state=state, state_changed_at=now, finished_at=finished)
    kind = "job.completed" if state == JobState.READY else "job.updated"
    append_event(
        job.event_stream(),
        kind,
        actor=SYSTEM,
        now=now,
        subject_kind="job",
        subject_id=job.pk,
        data={"from": job.state, "state": state},
    )
    job.state, job.finished_at = state, finished
