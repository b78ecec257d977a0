"""Make a plan, change it, launch it. Revisions are append-only; each has an author, a reason and a price difference."""

from datetime import datetime, timedelta

from campaigns.briefs.models import Brief, BriefState, BriefVersion
from campaigns.briefs.services import update_brief
from campaigns.planning.assemble import assemble
from campaigns.planning.changes import apply_change, describe
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import (
    brief_digest,
    brief_values,
    desk_of,
    frozen_values,
    newest_revision,
    plan_findings,
    plan_problems,
    planner,
    reuse_policy_of,
    storyboard_of,
    with_earlier_results,
)
from campaigns.planning.types import (
    BriefNotReady,
    ChangeRefused,
    PlanChange,
    PlanFlawed,
    PlanMoved,
    Planner,
    PlanStale,
    PriceOverCap,
)
from genengine.core import audit
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.core.money import format_micro
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.models import Job, JobPlan
from jobs.execution.services import launch_job, revise_job
from jobs.plan import Plan
from jobs.preflight.types import PlanFinding, errors_of
from jobs.routing.types import Fix, FixKind


@retry_conflicts
def make_plan(*, brief: Brief, principal: Principal, now: datetime, director: Planner | None = None) -> PlanRevision:
    """Plan the brief as it stands, by the planner in charge or by `director`, and store the result as a new revision.

    Raises `BriefNotReady` when there is nothing to plan. What does not fit the budget or the deadline stands in the
    plan's notes; `queries.plan_problems` gives it as values.
    """
    require(principal, Action.EDIT_PLAN, brief)
    with unit_of_work():
        brief = _locked(brief)
        values = brief_values(brief)
        desk = desk_of(brief, now, values)
        director = director or planner()
        plan, problems = assemble(storyboard_of(brief, desk, director), desk)
        plan = with_earlier_results(plan, brief, policy=reuse_policy_of(brief))
        plan = plan.with_changes(notes=plan.notes + tuple(problem.sentence for problem in problems))
        revision = _append(
            brief, plan, principal=principal, now=now, reason="planned from the brief", planner=director.name,
            digest=brief_digest(values),
        )  # fmt: skip
        _tell(revision, "plan.created", principal=principal, now=now)
    return revision


@retry_conflicts
def revise_plan(*, revision: PlanRevision, change: PlanChange, principal: Principal, now: datetime) -> PlanRevision:
    """Store a change as the next revision. Raises `PlanMoved` when `revision` is not the newest one any more."""
    require(principal, Action.EDIT_PLAN, revision.brief)
    with unit_of_work():
        brief = _locked(revision.brief)
        newest = _newest(brief, revision)
        desk = desk_of(brief, now, pictures=getattr(change, "reference_images", None) or ())
        plan = with_earlier_results(apply_change(newest.plan, change, desk), brief)
        revised = _append(
            brief, plan, principal=principal, now=now, reason=describe(change, newest.plan), planner=newest.planner,
            digest=newest.brief_digest,
        )  # fmt: skip
        _tell(revised, "plan.revised", principal=principal, now=now)
    return revised


@retry_conflicts
def restore_revision(*, revision: PlanRevision, principal: Principal, now: datetime) -> PlanRevision:
    """Bring an older revision back as the newest one; nothing is lost."""
    require(principal, Action.EDIT_PLAN, revision.brief)
    with unit_of_work():
        brief = _locked(revision.brief)
        plan = with_earlier_results(revision.plan, brief)
        restored = _append(
            brief, plan, principal=principal, now=now, reason=f"back to revision {revision.number}",
            planner=revision.planner, digest=revision.brief_digest,
        )  # fmt: skip
        _tell(restored, "plan.revised", principal=principal, now=now)
    return restored


@retry_conflicts
def apply_fix(*, brief: Brief, fix: Fix, principal: Principal, now: datetime) -> PlanRevision | None:
    """Change the brief by an offered fix and, where the plan depends on it, plan again."""
    require(principal, Action.EDIT_BRIEF, brief)
    with unit_of_work():
        values: dict[str, object] = {}
        if fix.kind is FixKind.RAISE_CAP:
            values["cap_micro"] = fix.cap_micro
        elif fix.kind is FixKind.FEWER_VARIANTS:
            values["variants"] = fix.variants
        elif fix.kind is FixKind.CHEAPER_MODEL:
            values["quality_profile"] = str(fix.profile)
        else:
            values["deadline_at"] = max(brief.deadline_at or now, now) + timedelta(seconds=fix.seconds or 0)
        brief = update_brief(brief=brief, values=values, principal=principal, now=now)
        if fix.kind in (FixKind.FEWER_VARIANTS, FixKind.CHEAPER_MODEL):
            return make_plan(brief=brief, principal=principal, now=now)
    return None


@retry_conflicts
def launch(*, revision: PlanRevision, principal: Principal, now: datetime) -> Job:
    """Freeze the brief as a version and start a job from the revision; launched twice, it is one job.

    Raises `PlanMoved` (a newer revision exists), `PlanStale` (the brief was edited since), `PriceOverCap` with the
    fixes to offer, `PlanFlawed` (the finished films would be wrong), or `CapReached` of the ledger when another budget
    is used up; then nothing is held or created.
    """
    require(principal, Action.LAUNCH_JOB, revision.brief)
    findings = plan_findings(revision=revision)  # reads files, so before the brief is held
    with unit_of_work():
        brief = _locked(revision.brief)
        newest = _newest(brief, revision)
        if newest.launched_job_id is not None:
            return Job.objects.of(brief.workspace_id).get(pk=newest.launched_job_id)
        plan = newest.plan
        _check_launch(brief, newest, now)
        _check_films(findings)
        version = _freeze(brief, principal, now)
        job = launch_job(
            workspace=brief.workspace,
            plan=plan,
            title=plan.title,
            brief_id=brief.pk,
            brief_version=version.number,
            author=brief.author,
            restricted=brief.restricted,
            campaign_id=brief.campaign_id,
            source_revision_id=newest.pk,
            cap_micro=brief.cap_micro,
            deadline_at=brief.deadline_at,
            user=principal.user,
            actor=principal.actor,
            now=now,
        )
        PlanRevision.objects.filter(pk=newest.pk).update(launched_job_id=job.pk)
        revision.launched_job_id = job.pk
        _tell_launch(brief, newest, job, principal, now)
    return job


@retry_conflicts
def apply_to_job(*, revision: PlanRevision, job: Job, principal: Principal, now: datetime) -> JobPlan:
    """Give a running job a newer revision of its brief's plan: changed clips are made again under the same budget."""
    if job.brief_id != revision.brief_id:
        raise ChangeRefused("this job was not started from this brief")
    if any(clip.not_before for clip in revision.plan.clips):
        raise ChangeRefused("a running job does not wait for off-peak hours; launch this plan as a job of its own")
    require(principal, Action.CONTROL_JOB, job)
    _check_films(plan_findings(revision=revision))
    return revise_job(
        job=job,
        plan=revision.plan,
        principal=principal,
        now=now,
        reason=revision.reason,
        source_revision_id=revision.pk,
    )


def _check_launch(brief: Brief, revision: PlanRevision, now: datetime) -> None:
    revision.brief = brief
    if brief_digest(brief_values(brief)) != revision.brief_digest:
        raise PlanStale("the brief was edited after this plan was made; plan it again, then launch")
    if any(clip.not_before and datetime.fromisoformat(clip.not_before) <= now for clip in revision.plan.clips):
        raise PlanStale("the off-peak hours that this plan waits for have come; plan it again for today's price")
    over = tuple(p for p in plan_problems(revision=revision, now=now) if p.code == "over_cap")
    if over:
        raise PriceOverCap(over)


def _check_films(findings: tuple[PlanFinding, ...]) -> None:
    errors = errors_of(findings)
    if errors:
        raise PlanFlawed(errors)


def _freeze(brief: Brief, principal: Principal, now: datetime) -> BriefVersion:
    number = brief.version + 1
    Brief.objects.filter(pk=brief.pk).update(version=number, state=BriefState.LAUNCHED, updated_at=now)
    brief.version, brief.state = number, BriefState.LAUNCHED
    return BriefVersion.objects.create(
        workspace_id=brief.workspace_id,
        brief=brief,
        number=number,
        values=dict(frozen_values(brief)),
        created_by=principal.user,
        created_at=now,
    )


def _locked(brief: Brief) -> Brief:
    """Hold the brief, so that two people cannot make the same revision number."""
    locked: Brief = (
        Brief.objects.select_for_update(of=("self",)).select_related("workspace", "brand_kit").get(pk=brief.pk)
    )
    if locked.state == BriefState.ARCHIVED:
        raise BriefNotReady("the brief is archived; duplicate it to go on")
    return locked


def _newest(brief: Brief, seen: PlanRevision) -> PlanRevision:
    newest = newest_revision(brief)
    if newest is None or newest.number != seen.number:
        raise PlanMoved(seen.number, newest.number if newest else 0)
    return newest


def _append(
    brief: Brief, plan: Plan, *, principal: Principal, now: datetime, reason: str, planner: str, digest: str
) -> PlanRevision:
    last = newest_revision(brief)
    return PlanRevision.objects.create(
        workspace_id=brief.workspace_id,
        brief=brief,
        number=last.number + 1 if last else 1,
        values=plan.to_dict(),
        brief_digest=digest,
        planner=planner,
        reason=reason[:200],
        price_micro=plan.price_micro,
        price_upper_micro=plan.price_upper_micro,
        price_difference_micro=plan.price_micro - (last.price_micro if last else 0),
        author=principal.user,
        created_at=now,
    )


def _tell(revision: PlanRevision, event: str, *, principal: Principal, now: datetime) -> None:
    facts = {
        "revision": revision.number,
        "price_micro": revision.price_micro,
        "price_difference_micro": revision.price_difference_micro,
    }
    append_event(
        revision.brief.event_stream(),
        event,
        actor=principal.actor,
        now=now,
        subject_kind="plan",
        subject_id=revision.pk,
        data={**revision.brief.event_facts(), **facts, "reason": revision.reason},
    )
    audit.record(
        workspace_id=revision.workspace_id,
        actor=principal.actor,
        action=event,
        subject_kind="plan",
        subject_id=revision.pk,
        now=now,
        **facts,
    )


def _tell_launch(brief: Brief, revision: PlanRevision, job: Job, principal: Principal, now: datetime) -> None:
    facts = {"job": str(job.pk), "version": brief.version, "revision": revision.number}
    append_event(
        brief.event_stream(),
        "brief.launched",
        actor=principal.actor,
        now=now,
        subject_kind="brief",
        subject_id=brief.pk,
        data={**brief.event_facts(), **facts, "price": format_micro(revision.price_micro)},
    )
    audit.record(
        workspace_id=brief.workspace_id,
        actor=principal.actor,
        action="brief.launched",
        subject_kind="brief",
        subject_id=brief.pk,
        now=now,
        **facts,
    )
