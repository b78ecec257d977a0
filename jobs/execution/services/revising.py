"""Give a running job a newer plan revision: an edited prompt, another model, a new variant, other words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from genengine.core import audit
from genengine.core.db import LockRank, lock_rows, retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.models import Branch, Clip, Job, JobPlan
from jobs.execution.services.control import ClipLocked, cancel_clips_of, rerun_locked_clip
from jobs.execution.services.dispatching import line_of
from jobs.execution.services.folding import lock_job, touch
from jobs.execution.services.launch import add_branch, check_plan, link_equal_clips
from jobs.execution.services.settling import release_money
from jobs.execution.states import CLIP, ClipState
from jobs.plan import Plan

IN_FLIGHT = (ClipState.GENERATING, ClipState.CHECKING)


class RevisionRefused(Exception):
    """This revision cannot be given to this job; the sentence says what to do instead."""


@dataclass(frozen=True)
class Difference:
    """What a newer plan changes: clips by (scene, branch), branches by key."""

    changed: frozenset[tuple[str, str]]
    added: tuple[str, ...]
    removed: tuple[str, ...]


def difference(old: Plan, new: Plan) -> Difference:
    """Compare two plans of one job, or refuse what a running job cannot take."""
    if [s.key for s in old.scenes] != [s.key for s in new.scenes]:
        raise RevisionRefused("scenes were added, taken out or moved; launch this plan as a job of its own")
    if (old.ratios, [loc.code for loc in old.locales]) != (new.ratios, [loc.code for loc in new.locales]):
        raise RevisionRefused("ratios or languages changed; launch this plan as a job of its own")
    before = {(c.scene, c.branch): c for c in old.clips}
    kept = {b.key for b in old.branches} & {b.key for b in new.branches}
    return Difference(
        changed=frozenset(
            (c.scene, c.branch)
            for c in new.clips
            if c.branch in kept and c.as_made() != before[c.scene, c.branch].as_made()
        ),
        added=tuple(b.key for b in new.branches if b.key not in kept),
        removed=tuple(b.key for b in old.branches if b.key not in kept),
    )


@retry_conflicts
def revise_job(
    *,
    job: Job,
    plan: Plan,
    principal: Principal,
    now: datetime,
    reason: str = "",
    source_revision_id: UUID | None = None,
) -> JobPlan:
    """Append a plan revision to a job and bring its clips and variants to it, under the same caps.

    Changed clips are made again (their selected takes stay until then), new variants are reserved and queued, taken
    out ones are cancelled; masters follow by their inputs. Raises `RevisionRefused`, `ClipLocked`, `CapReached`.
    """
    check_plan(plan)
    with unit_of_work():
        job = lock_job(job.pk)
        require(principal, Action.CONTROL_JOB, job)
        clips = lock_rows(Clip.objects.filter(job=job), LockRank.CLIP)
        newest = JobPlan.objects.filter(job=job).latest("number")
        change = difference(newest.plan, plan)
        branches = {b.key: b for b in Branch.objects.filter(job=job)}
        touched = _touched(clips, branches.values(), change)
        number = newest.number + 1
        revision = JobPlan.objects.create(
            workspace_id=job.workspace_id,
            job=job,
            number=number,
            values=plan.to_dict(),
            price_micro=plan.price_micro,
            price_difference_micro=plan.price_micro - newest.price_micro,
            source_revision_id=source_revision_id,
            reason=reason[:200],
            author=principal.user,
            created_at=now,
        )
        Clip.objects.filter(job=job).exclude(branch__key__in=change.removed).update(plan_number=number)
        for clip in touched:
            _bring_on(clip, principal, now, reason)
            _move_to_line(clip, plan, branches)
        for key in change.removed:
            Branch.objects.filter(pk=branches[key].pk).update(cancelled=True)
            cancel_clips_of(branches[key], principal, now, reason)
        _rename(branches, plan, change)
        for position, key in enumerate(change.added, start=len(branches)):
            add_branch(
                job=job, plan=plan, key=key, position=position, plan_number=number, actor=principal.actor, now=now
            )
        link_equal_clips(job, plan)
        _tell(job, revision, change, principal, now)
        touch(job, now=now)
    return revision


def _touched(clips: Iterable[Clip], branches: Iterable[Branch], change: Difference) -> list[Clip]:
    """Return the clips to make again; refuse when one is locked or in flight."""
    keys = {b.pk: b.key for b in branches}
    touched = [c for c in clips if (c.scene_key, keys[c.branch_id]) in change.changed]
    for clip in touched:
        if clip.locked:
            raise ClipLocked(clip)
        if clip.state in IN_FLIGHT:
            raise RevisionRefused(
                f"scene {clip.scene_key} of variant {keys[clip.branch_id]} is being made;"
                " cancel it or wait until it is done, then apply the change"
            )
    return touched


def _move_to_line(clip: Clip, plan: Plan, branches: dict[str, Branch]) -> None:
    """Let a changed clip wait where its new model is, or where the result that stands for it is brought from."""
    key = next(key for key, branch in branches.items() if branch.pk == clip.branch_id)
    clip.provider, clip.model = line_of(plan.clip(clip.scene_key, key))
    Clip.objects.filter(pk=clip.pk).update(provider=clip.provider, model=clip.model, fresh=False)


def _bring_on(clip: Clip, principal: Principal, now: datetime, reason: str) -> None:
    """Make a changed clip again; one that still waits gives its money back and asks for the new price."""
    if CLIP.allows("rerun", clip.state):
        rerun_locked_clip(clip, principal, now, reason)
    else:
        release_money(clip, now)


def _rename(branches: dict[str, Branch], plan: Plan, change: Difference) -> None:
    for values in plan.branches:
        if values.key not in change.added:
            Branch.objects.filter(pk=branches[values.key].pk).update(
                name=values.name, provider=values.provider, model=values.model
            )


def _tell(job: Job, revision: JobPlan, change: Difference, principal: Principal, now: datetime) -> None:
    facts = {
        "number": revision.number,
        "price_micro": revision.price_micro,
        "price_difference_micro": revision.price_difference_micro,
        "clips": len(change.changed),
        "added": list(change.added),
        "removed": list(change.removed),
    }
    append_event(
        job.event_stream(), "plan.applied", actor=principal.actor, now=now, subject_kind="job", subject_id=job.pk,
        data={"reason": revision.reason, **facts},
    )  # fmt: skip
    audit.record(
        workspace_id=job.workspace_id, actor=principal.actor, action="job.plan_applied", subject_kind="job",
        subject_id=job.pk, now=now, **facts,
    )  # fmt: skip
