"""What people do to a running job: pause, resume, cancel, rerun, lock, raise the cap. Each is one transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from billing.caps.models import CapScope
from billing.caps.services import set_cap
from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import LockRank, lock_rows, retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.core.states import TransitionRefused
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.models import Attempt, Branch, Clip, Job, Master, Take
from jobs.execution.queue import DEFAULT, enqueue
from jobs.execution.services.dispatching import LOCAL, make_fresh, planned_clip
from jobs.execution.services.folding import lock_job, touch
from jobs.execution.services.settling import release_money
from jobs.execution.states import ATTEMPT_OPEN, CLIP, MASTER, AttemptState, ClipState, MasterState


class ClipLocked(Exception):
    """A locked clip is kept as it is; unlock it first."""

    def __init__(self, clip: Clip) -> None:
        super().__init__(f"scene {clip.scene_key} is locked; unlock it to change it")


def pause_job(*, job: Job, principal: Principal, now: datetime, reason: str = "") -> None:
    """Dispatch no more of the job; what is in flight is collected, paid and kept."""
    _on_job(job, principal, now, "job.paused", reason, _pause, paused=True)


def resume_job(*, job: Job, principal: Principal, now: datetime, reason: str = "") -> None:
    """Dispatch again, branches that were paused on their own excepted."""
    _on_job(job, principal, now, "job.resumed", reason, _resume, paused=False)


def cancel_job(*, job: Job, principal: Principal, now: datetime, reason: str = "") -> None:
    """End the job: nothing more is dispatched, vendors are asked to stop, what was delivered is kept."""
    _on_job(job, principal, now, "job.cancelled", reason, cancel_clips_of, cancelled=True)


def rerun_job(*, job: Job, principal: Principal, now: datetime, reason: str = "") -> None:
    """Make every clip of the job again that is at rest and not locked."""
    _on_job(job, principal, now, "job.rerun", reason, _rerun, cancelled=False, paused=False)


def pause_branch(*, branch: Branch, principal: Principal, now: datetime, reason: str = "") -> None:
    """Dispatch no more of one variant."""
    _on_branch(branch, principal, now, "branch.paused", reason, _pause, paused=True)


def resume_branch(*, branch: Branch, principal: Principal, now: datetime, reason: str = "") -> None:
    """Dispatch a paused variant again."""
    _on_branch(branch, principal, now, "branch.resumed", reason, _resume, paused=False)


def cancel_branch(*, branch: Branch, principal: Principal, now: datetime, reason: str = "") -> None:
    """End one variant."""
    _on_branch(branch, principal, now, "branch.cancelled", reason, cancel_clips_of, cancelled=True)


def rerun_branch(*, branch: Branch, principal: Principal, now: datetime, reason: str = "") -> None:
    """Make every clip of one variant again that is at rest and not locked."""
    _on_branch(branch, principal, now, "branch.rerun", reason, _rerun, cancelled=False, paused=False)


@retry_conflicts
def pause_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """Keep one clip from being dispatched."""
    _on_clip(clip, principal, now, "pause", reason)


@retry_conflicts
def resume_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """Let a paused clip go on."""
    _on_clip(clip, principal, now, "resume", reason)


@retry_conflicts
def cancel_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """End one clip; its attempt in flight is settled and its result kept as an extra take."""
    _on_clip(clip, principal, now, "cancel", reason)


@retry_conflicts
def rerun_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """Make one clip again, a good one too; its selected take stays until the new one is ready."""
    if clip.locked:
        raise ClipLocked(clip)
    _on_clip(clip, principal, now, "rerun", reason)


@retry_conflicts
def lock_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """Keep a clip as it is: reruns leave it alone."""
    _set_lock(clip, principal, now, locked=True, reason=reason)


@retry_conflicts
def unlock_clip(*, clip: Clip, principal: Principal, now: datetime, reason: str = "") -> None:
    """Let reruns touch a clip again."""
    _set_lock(clip, principal, now, locked=False, reason=reason)


@retry_conflicts
def select_take(*, take: Take, principal: Principal, now: datetime, reason: str = "") -> None:
    """Use another take of a ready clip; the masters it is in are made again."""
    with unit_of_work():
        job = lock_job(take.job_id)
        require(principal, Action.CONTROL_JOB, job)
        clip = lock_rows(Clip.objects.filter(pk=take.clip_id), LockRank.CLIP)[0]
        if clip.locked:
            raise ClipLocked(clip)
        if clip.state != ClipState.READY:
            raise TransitionRefused("clip", "select_take", clip.pk)
        Clip.objects.filter(pk=clip.pk).update(selected_take=take)
        _say(job, clip, principal, now, "take.selected", reason, take=str(take.pk))
        touch(job, now=now)


@retry_conflicts
def raise_cap(*, job: Job, limit_micro: int, principal: Principal, now: datetime, reason: str = "") -> None:
    """Set the job's budget and let clips go on that were held for it."""
    require(principal, Action.RAISE_CAP, job)
    with unit_of_work():
        job = lock_job(job.pk)
        clips = lock_rows(Clip.objects.filter(job=job, state=ClipState.HELD), LockRank.CLIP)
        set_cap(
            workspace=principal.workspace,
            book=job.mode,
            scope=CapScope.JOB,
            scope_id=str(job.pk),
            limit_micro=limit_micro,
            actor=principal.actor,
            now=now,
        )
        Job.objects.filter(pk=job.pk).update(cap_micro=limit_micro)
        append_event(
            job.event_stream(), "budget.changed", actor=principal.actor, now=now, subject_kind="job",
            subject_id=job.pk, data={"was_micro": job.cap_micro, "limit_micro": limit_micro, "reason": reason},
        )  # fmt: skip
        for clip in clips:
            CLIP.apply(clip, "release", actor=principal.actor, now=now, failure=None)
        touch(job, now=now)


@retry_conflicts
def release_held(*, clip: Clip, now: datetime) -> None:
    """Queue a held clip again, to ask for its money once more; the pump does this when a cap has room."""
    with unit_of_work():
        job = lock_job(clip.job_id)
        CLIP.apply(clip, "release", actor=SYSTEM, now=now, failure=None)
        touch(job, now=now)


@retry_conflicts
def _on_job(job: Job, principal: Principal, now: datetime, event: str, reason: str, step: Any, **flags: bool) -> None:
    with unit_of_work():
        locked = lock_job(job.pk)
        require(principal, Action.CONTROL_JOB, locked)
        Job.objects.filter(pk=job.pk).update(**flags)
        if "cancelled" in flags:
            Branch.objects.filter(job=locked).update(**flags)
        locked.refresh_from_db()
        lock_rows(Clip.objects.filter(job=locked), LockRank.CLIP)
        branches = list(Branch.objects.filter(job=locked))
        _say(locked, locked, principal, now, event, reason)
        for branch in branches:
            if event == "job.resumed" and branch.paused:
                continue
            step(branch, principal, now, reason)
        touch(locked, now=now)


@retry_conflicts
def _on_branch(
    branch: Branch, principal: Principal, now: datetime, event: str, reason: str, step: Any, **flags: bool
) -> None:
    with unit_of_work():
        job = lock_job(branch.job_id)
        require(principal, Action.CONTROL_JOB, job)
        if "cancelled" in flags and not flags["cancelled"]:
            Job.objects.filter(pk=job.pk).update(cancelled=False)
        lock_rows(Clip.objects.filter(branch=branch), LockRank.CLIP)
        Branch.objects.filter(pk=branch.pk).update(**flags)
        _say(job, branch, principal, now, event, reason, branch=str(branch.pk))
        step(branch, principal, now, reason)
        touch(job, now=now)


def _on_clip(clip: Clip, principal: Principal, now: datetime, action: str, reason: str) -> None:
    with unit_of_work():
        job = lock_job(clip.job_id)
        require(principal, Action.CONTROL_JOB, job)
        locked = lock_rows(Clip.objects.filter(pk=clip.pk), LockRank.CLIP)[0]
        if action == "rerun":
            rerun_locked_clip(locked, principal, now, reason)
        else:
            CLIP.apply(locked, action, actor=principal.actor, now=now, reason=reason)
        if action == "cancel":
            _after_cancel([locked], now)
        _audit(job, locked, principal, f"clip.{action}", now)
        touch(job, now=now)


def _set_lock(clip: Clip, principal: Principal, now: datetime, *, locked: bool, reason: str) -> None:
    with unit_of_work():
        job = lock_job(clip.job_id)
        require(principal, Action.CONTROL_JOB, job)
        Clip.objects.filter(pk=clip.pk).update(locked=locked)
        _say(job, clip, principal, now, "clip.locked" if locked else "clip.unlocked", reason, **clip.event_facts())


def _clips(branch: Branch, action: str) -> list[Clip]:
    """Return the branch's clips, already locked, from which `action` starts."""
    return list(Clip.objects.filter(branch=branch, state__in=CLIP[action].from_states).order_by("pk"))


def _pause(branch: Branch, principal: Principal, now: datetime, reason: str) -> None:
    for clip in _clips(branch, "pause"):
        CLIP.apply(clip, "pause", actor=principal.actor, now=now, reason=reason)


def _resume(branch: Branch, principal: Principal, now: datetime, reason: str) -> None:
    for clip in _clips(branch, "resume"):
        CLIP.apply(clip, "resume", actor=principal.actor, now=now, reason=reason)


def cancel_clips_of(branch: Branch, principal: Principal, now: datetime, reason: str) -> None:
    """Cancel a branch's clips and masters; its clips are locked already."""
    clips = _clips(branch, "cancel")
    for clip in clips:
        CLIP.apply(clip, "cancel", actor=principal.actor, now=now, reason=reason, finished_at=now)
    for master in Master.objects.filter(branch=branch, state__in=MASTER["cancel"].from_states):
        MASTER.apply(master, "cancel", actor=principal.actor, now=now, reason=reason, lease_owner="", lease_until=None)
    _after_cancel(clips, now)


def _rerun(branch: Branch, principal: Principal, now: datetime, reason: str) -> None:
    for clip in _clips(branch, "rerun"):
        if not clip.locked:
            rerun_locked_clip(clip, principal, now, reason)


def rerun_locked_clip(clip: Clip, principal: Principal, now: datetime, reason: str) -> None:
    """Queue a clip again whose row is locked by this transaction; who asks for it again wants it made."""
    CLIP.apply(clip, "rerun", actor=principal.actor, now=now, reason=reason, tries=0, not_before=None, failure=None,
               fresh=True)  # fmt: skip
    if clip.provider == LOCAL:
        make_fresh(clip, planned_clip(clip))  # it may have waited for an earlier result
    Branch.objects.filter(pk=clip.branch_id).update(cancelled=False)
    Job.objects.filter(pk=clip.job_id).update(cancelled=False)
    for master in Master.objects.filter(branch_id=clip.branch_id, state__in=MASTER["revive"].from_states):
        MASTER.apply(master, "revive", actor=principal.actor, now=now, inputs_digest="")
    # what could not be composed is tried again even if the new takes turn out to have the same bytes
    uncomposed = Q(state=MasterState.NEEDS_ATTENTION) | Q(report__has_key="fallback")
    Master.objects.filter(uncomposed, branch_id=clip.branch_id).update(inputs_digest="")


def _after_cancel(clips: Iterable[Clip], now: datetime) -> None:
    """Give held money back and ask vendors to stop what is in flight."""
    for clip in clips:
        release_money(clip, now)
        for attempt in Attempt.objects.filter(clip=clip, state__in=ATTEMPT_OPEN):
            if attempt.state == AttemptState.SUBMITTED:
                enqueue("cancel_attempt", attempt.pk, cluster=DEFAULT)


def _say(job: Job, subject: Any, principal: Principal, now: datetime, event: str, reason: str, **data: str) -> None:
    kind = subject._meta.model_name
    append_event(
        job.event_stream(), event, actor=principal.actor, now=now, subject_kind=kind, subject_id=subject.pk,
        data={"reason": reason, **data},
    )  # fmt: skip
    _audit(job, subject, principal, event, now)


def _audit(job: Job, subject: Any, principal: Principal, action: str, now: datetime) -> None:
    audit.record(
        workspace_id=job.workspace_id,
        actor=principal.actor,
        action=action,
        subject_kind=subject._meta.model_name,
        subject_id=subject.pk,
        now=now,
        job=str(job.pk),
    )
