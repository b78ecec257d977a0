"""What the overview shows, read in a constant number of queries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from billing.caps.models import Cap, CapScope
from billing.ledger.models import Entry
from campaigns.briefs.models import Brief, BriefState
from campaigns.planning.models import PlanRevision
from campaigns.review.models import Approval
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Action, Principal, can
from jobs.execution.models import Job
from jobs.execution.states import JobState, MasterState

RECENT = 8


@dataclass(frozen=True)
class Spend:
    """Money of this month in the workspace's book; `limit_micro` is the month's cap, when there is one."""

    spent_micro: int
    held_micro: int
    limit_micro: int | None
    all_time_micro: int


@dataclass(frozen=True)
class NextStep:
    """The one obvious thing to do: a sentence, a button, an address by name."""

    sentence: str
    button: str
    url_name: str
    pk: UUID | None = None


@dataclass(frozen=True)
class Overview:
    """Everything on the page."""

    jobs: list[Job]
    briefs: list[Brief]
    spend: Spend
    next_step: NextStep | None
    active: int
    waiting: int


def overview(*, principal: Principal, now: datetime) -> Overview:
    """Read the overview of a workspace as this person sees it."""
    workspace = principal.workspace
    jobs = list(recent_jobs(principal)[:RECENT])
    briefs = list(open_briefs(principal)[:RECENT])
    counts = Job.objects.visible_to(principal).aggregate(
        active=Count("pk", filter=Q(state__in=_RUNNING)),
        waiting=Count("pk", filter=Q(state=JobState.NEEDS_ATTENTION)),
    )
    return Overview(
        jobs=jobs,
        briefs=briefs,
        spend=month_spend(workspace=workspace, now=now),
        next_step=next_step(principal=principal, jobs=jobs, briefs=briefs),
        active=counts["active"],
        waiting=counts["waiting"],
    )


_RUNNING = (
    JobState.QUEUED,
    JobState.GENERATING,
    JobState.COMPOSING,
    JobState.CHECKING,
    JobState.PAUSED,
    JobState.HELD,
)


def recent_jobs(principal: Principal) -> QuerySet[Job]:
    """Return the jobs that a person may see, newest first, each with its masters counted."""
    ready = Q(masters__state=MasterState.READY)
    return (
        Job.objects.visible_to(principal)
        .annotate(
            masters_total=Count("masters", distinct=True),
            masters_ready=Count("masters", filter=ready, distinct=True),
            variants_total=Count("branches", distinct=True),
        )
        .order_by("-created_at")
    )


def open_briefs(principal: Principal) -> QuerySet[Brief]:
    """Return briefs that are being written, last touched first; restricted ones only to who may open them."""
    return (
        Brief.objects.visible_to(principal)
        .exclude(state=BriefState.ARCHIVED)
        .annotate(
            planned=Exists(PlanRevision.objects.filter(brief=OuterRef("pk"))),
            launched=Exists(Job.objects.filter(brief_id=OuterRef("pk"))),
        )
        .order_by("-updated_at")
    )


def month_spend(*, workspace: Workspace, now: datetime) -> Spend:
    """Return the month's money from the ledger, beside the month's cap."""
    book = Entry.objects.filter(workspace=workspace, book=workspace.mode)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month = book.filter(at__gte=start).aggregate(spent=Sum("spent_delta_micro"), held=Sum("held_delta_micro"))
    cap = Cap.objects.of(workspace).filter(book=workspace.mode, scope=CapScope.MONTH, scope_id=f"{now:%Y-%m}").first()
    everything = book.aggregate(spent=Sum("spent_delta_micro"))["spent"] or 0
    return Spend(
        spent_micro=month["spent"] or 0,
        held_micro=max(0, month["held"] or 0),
        limit_micro=cap.limit_micro if cap else None,
        all_time_micro=everything,
    )


def next_step(*, principal: Principal, jobs: list[Job], briefs: list[Brief]) -> NextStep | None:
    """Choose the one thing this person should do next."""
    for job in jobs:
        if job.state == JobState.NEEDS_ATTENTION and can(principal, Action.CONTROL_JOB):
            return NextStep(f"“{job.title}” needs a decision before it can go on.", "See what is wrong", "job", job.pk)
    unreviewed = _unreviewed(jobs)
    if unreviewed is not None and can(principal, Action.APPROVE):
        return NextStep(
            f"“{unreviewed.title}” is finished and waits for your approval.", "Review it", "review", unreviewed.pk
        )
    running = next((job for job in jobs if job.state in _RUNNING), None)
    if running is not None:
        return NextStep(f"“{running.title}” is being made right now.", "Watch the timeline", "job", running.pk)
    draft = next((b for b in briefs if b.state == BriefState.DRAFT), None)
    if draft is not None and can(principal, Action.EDIT_BRIEF):
        if getattr(draft, "planned", False):
            return NextStep(f"“{draft}” is planned and not launched yet.", "Open the plan", "plan", draft.pk)
        return NextStep(f"“{draft}” is not planned yet.", "Continue the brief", "brief", draft.pk)
    if can(principal, Action.EDIT_BRIEF):
        return NextStep("Start from a template; the plan and its price follow by themselves.", "New brief", "brief-new")
    return None


def _unreviewed(jobs: list[Job]) -> Job | None:
    done = [job for job in jobs if job.state == JobState.READY]
    approved = set(
        Approval.objects.filter(master__job__in=done, withdrawn_at__isnull=True).values_list(
            "master__job_id", flat=True
        )
    )
    return next((job for job in done if job.pk not in approved), None)
