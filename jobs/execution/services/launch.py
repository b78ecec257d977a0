"""Start a job from a frozen plan."""

from datetime import datetime
from uuid import UUID

from billing.caps.models import Cap, CapScope
from billing.ledger.services import reserve
from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.correlation import correlation_id
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.models import User, Workspace
from jobs.execution.models import Branch, Clip, Job, JobPlan, Master
from jobs.execution.services.dispatching import line_of
from jobs.execution.services.folding import touch
from jobs.execution.services.sharing import STILL_TO_START
from jobs.execution.states import CLIP
from jobs.plan import Plan


class PlanNotRunnable(Exception):
    """The plan has a hole: a scene or branch without its clip, or nothing to make."""


@retry_conflicts
def launch_job(
    *,
    workspace: Workspace,
    plan: Plan,
    title: str,
    cap_micro: int,
    actor: Actor,
    now: datetime,
    user: User | None = None,
    brief_id: UUID | None = None,
    brief_version: int = 1,
    source_revision_id: UUID | None = None,
    deadline_at: datetime | None = None,
    author: User | None = None,
    restricted: bool = False,
    campaign_id: UUID | None = None,
) -> Job:
    """Create the job with its branches, clips and masters, reserve the plan's upper price, queue every clip.

    `user` launches it and `author` wrote its brief; a `restricted` job is the author's and the admins' to see. Raises
    `CapReached` when a cap would be passed; then nothing was created and nothing is held.
    """
    check_plan(plan)
    with unit_of_work():
        job = Job.objects.create(
            workspace=workspace,
            title=title[:200],
            brief_id=brief_id,
            brief_version=brief_version,
            author=author,
            restricted=restricted,
            campaign_id=campaign_id,
            mode=workspace.mode,
            fallback_policy=workspace.fallback_policy,
            state_changed_at=now,
            cap_micro=cap_micro,
            deadline_at=deadline_at,
            created_by=user,
            created_at=now,
            correlation_id=correlation_id(),
        )
        _give_plan_and_cap(job, plan, source_revision_id)
        _tell_created(job, plan, source_revision_id, actor)
        for position, branch in enumerate(plan.branches):
            add_branch(job=job, plan=plan, key=branch.key, position=position, plan_number=1, actor=actor, now=now)
        link_equal_clips(job, plan)
        touch(job, now=now)
    return job


def _give_plan_and_cap(job: Job, plan: Plan, source_revision_id: UUID | None) -> None:
    """Store the first plan revision and the job's own cap."""
    Cap.objects.create(
        workspace=job.workspace,
        book=job.mode,
        scope=CapScope.JOB,
        scope_id=str(job.pk),
        limit_micro=job.cap_micro,
    )
    JobPlan.objects.create(
        workspace=job.workspace,
        job=job,
        number=1,
        values=plan.to_dict(),
        price_micro=plan.price_micro,
        source_revision_id=source_revision_id,
        reason="launch",
        author=job.created_by,
        created_at=job.created_at,
    )


def _tell_created(job: Job, plan: Plan, source_revision_id: UUID | None, actor: Actor) -> None:
    facts = {"price_micro": plan.price_micro, "cap_micro": job.cap_micro, "mode": job.mode}
    append_event(
        job.event_stream(),
        "job.created",
        actor=actor,
        now=job.created_at,
        subject_kind="job",
        subject_id=job.pk,
        data={
            **facts,
            "brief": str(job.brief_id or ""),
            "brief_version": job.brief_version,
            "plan_revision": str(source_revision_id or ""),
            "branches": len(plan.branches),
            "scenes": len(plan.scenes),
        },
    )
    audit.record(
        workspace_id=job.workspace_id,
        actor=actor,
        action="job.launched",
        subject_kind="job",
        subject_id=job.pk,
        now=job.created_at,
        **facts,
    )


def check_plan(plan: Plan) -> None:
    """Refuse a plan that cannot be run whole."""
    if not plan.scenes or not plan.branches or not plan.ratios:
        raise PlanNotRunnable("the plan needs at least one scene, one variant and one aspect ratio")
    have = {(c.scene, c.branch) for c in plan.clips}
    missing = [f"{s.key} × {b.key}" for s in plan.scenes for b in plan.branches if (s.key, b.key) not in have]
    if missing:
        raise PlanNotRunnable(f"no model was chosen for {', '.join(missing)}; plan these again")


def link_equal_clips(job: Job, plan: Plan) -> None:
    """Let each clip that is yet to start wait where its plan says: in its model's line, or for the clip of the same
    job that is made for both."""
    clips = {(clip.scene_key, clip.branch.key): clip for clip in Clip.objects.filter(job=job).select_related("branch")}
    for planned in plan.clips:
        clip = clips[planned.scene, planned.branch]
        if clip.fresh or clip.state not in STILL_TO_START:
            continue
        shared = clips.get((planned.reuse.scene, planned.reuse.branch)) if planned.reuse else None
        provider, model = line_of(planned)
        if (clip.provider, clip.model, clip.waits_for_id) != (provider, model, shared.pk if shared else None):
            Clip.objects.filter(pk=clip.pk).update(provider=provider, model=model, waits_for=shared)


def add_branch(
    *, job: Job, plan: Plan, key: str, position: int, plan_number: int, actor: Actor, now: datetime
) -> Branch:
    """Create a branch with its clips and masters, hold its upper price and queue its clips."""
    values = plan.branch(key)
    branch = Branch.objects.create(
        workspace=job.workspace,
        job=job,
        key=key,
        name=values.name,
        position=position,
        provider=values.provider,
        model=values.model,
        state_changed_at=now,
    )
    for number, planned in enumerate(plan.clips_of(key)):
        provider, model = line_of(planned)
        clip = Clip.objects.create(
            workspace=job.workspace,
            job=job,
            branch=branch,
            scene_key=planned.scene,
            position=number,
            state_changed_at=now,
            plan_number=plan_number,
            provider=provider,
            model=model,
            locked=plan.scene(planned.scene).locked,
            not_before=datetime.fromisoformat(planned.not_before) if planned.not_before else None,
        )
        clip.reservation = reserve(
            workspace=job.workspace,
            book=job.mode,
            job_id=job.pk,
            subject_id=clip.pk,
            provider=provider,
            model=model,
            amount_micro=planned.price_upper_micro,
            now=now,
            owners=job.owners,
        )
        clip.save(update_fields=["reservation"])
        CLIP.apply(clip, "enqueue", actor=actor, now=now, data={"reserved_micro": planned.price_upper_micro})
    Master.objects.bulk_create(
        Master(
            workspace=job.workspace,
            job=job,
            branch=branch,
            locale=locale.code,
            ratio=ratio,
            plan_number=plan_number,
            state_changed_at=now,
            created_at=now,
        )
        for locale in plan.locales
        for ratio in plan.ratios
    )
    return branch
