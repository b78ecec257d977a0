"""Plan, change and launch a brief."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ledger.services import CapReached
from campaigns.briefs.models import Brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import (
    estimate,
    is_stale,
    newest_job,
    newest_revision,
    plan_findings,
    plan_problems,
    plan_seconds,
)
from campaigns.planning.serializers import (
    ChangeBodySerializer,
    ChangeSerializer,
    DryRunSerializer,
    EstimateSerializer,
    LaunchSerializer,
    RevisionSerializer,
    RevisionSummarySerializer,
    points_of_findings,
    points_of_problems,
)
from campaigns.planning.services import apply_to_job, launch, make_plan, restore_revision, revise_plan
from campaigns.planning.types import (
    BriefNotReady,
    ChangeRefused,
    PlanFlawed,
    PlanMoved,
    PlanStale,
    PriceOverCap,
    SceneLocked,
)
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import kind, problem_of, register
from genengine.core.db import unit_of_work
from genengine.workspaces.api_view import WorkspaceAPIView, flag
from genengine.workspaces.policy import Action
from jobs.execution.serializers import JobSerializer
from jobs.execution.services import PlanNotRunnable, RevisionRefused
from jobs.routing.types import NothingFits

register(BriefNotReady, kind("brief_not_ready", 422, "The brief lacks what a plan needs", "Do what the detail says."))
register(NothingFits, kind("nothing_fits", 422, "No model can make a scene", "Connect a provider or add a picture."))
register(
    PlanMoved, kind("plan_moved", 409, "The plan was changed meanwhile", "Read the newest revision; decide again.")
)
register(PlanStale, kind("plan_stale", 409, "The brief was edited after the plan was made", "Plan again."))
register(SceneLocked, kind("scene_locked", 409, "The scene is locked", "Unlock it first."))
register(ChangeRefused, kind("change_refused", 422, "The change cannot be made"))
register(PlanNotRunnable, kind("plan_not_runnable", 422, "The plan has a hole", "Plan again."))
register(
    PriceOverCap,
    kind("price_over_cap", 422, "The plan may cost more than the brief allows", "Apply one of the offered fixes."),
    points_of_problems,
)
register(
    PlanFlawed,
    kind("plan_flawed", 422, "The finished films would be wrong", "Change the plan as each point says."),
    points_of_findings,
)
register(
    RevisionRefused, kind("revision_refused", 409, "This plan does not fit the running job", "Launch it as a new job.")
)
register(CapReached, kind("cap_reached", 409, "A budget is used up", "Ask for a higher cap, or wait for money held."))


class _Undo(Exception):
    """Ends a dry run: the transaction is rolled back."""


@dataclass(frozen=True)
class RevisionView:
    """A revision with what is worked out about it."""

    revision: PlanRevision
    is_stale: bool
    expected_s: int
    problems: tuple[Any, ...]

    @classmethod
    def of(cls, revision: PlanRevision) -> "RevisionView":
        """Work it out."""
        problems = plan_problems(revision=revision, now=clock.now())
        return cls(revision, is_stale(revision=revision), plan_seconds(revision.plan), problems)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.revision, name)


class Estimate(WorkspaceAPIView):
    """The price of a brief before there is a plan."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="briefs_estimate", responses=EstimateSerializer, tags=["plans"])
    def get(self, request: Request, brief_id: UUID) -> Response:
        """Say what the brief would cost and take as it stands; nothing is stored."""
        return self.show(EstimateSerializer, estimate(self.row(Brief, brief_id), clock.now()))


class MakePlan(WorkspaceAPIView):
    """Plan a brief."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.EDIT_PLAN}

    @extend_schema(operation_id="briefs_plan", request=None, responses={201: RevisionSerializer}, tags=["plans"])
    @idempotent
    def post(self, request: Request, brief_id: UUID) -> Response:
        """Plan the brief as it stands: scenes, variants, a model with its price and reason for each clip."""
        revision = make_plan(brief=self.row(Brief, brief_id), principal=self.principal, now=clock.now())
        return _shown(self, revision, 201)


class Revisions(WorkspaceAPIView):
    """The plan revisions of a brief."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="revisions_list", responses=RevisionSummarySerializer(many=True), tags=["plans"])
    def get(self, request: Request, brief_id: UUID) -> Response:
        """List revisions, newest first, with author, reason and price difference."""
        rows = PlanRevision.objects.of(self.principal.workspace).filter(brief=self.row(Brief, brief_id))
        return self.page(RevisionSummarySerializer, rows.defer("values"))


class OneRevision(WorkspaceAPIView):
    """A plan revision."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="revisions_get", responses=RevisionSerializer, tags=["plans"])
    def get(self, request: Request, brief_id: UUID, number: int) -> Response:
        """Show a plan with every clip's model, prompt, price and reason."""
        return _shown(self, _revision(self, brief_id, number))


class Restore(WorkspaceAPIView):
    """Bring an older revision back."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.EDIT_PLAN}

    @extend_schema(operation_id="revisions_restore", request=None, responses={201: RevisionSerializer}, tags=["plans"])
    @idempotent
    def post(self, request: Request, brief_id: UUID, number: int) -> Response:
        """Make an older revision the newest one; nothing is lost."""
        chosen = _revision(self, brief_id, number)
        revision = restore_revision(revision=chosen, principal=self.principal, now=clock.now())
        return _shown(self, revision, 201)


class Changes(WorkspaceAPIView):
    """Change a plan."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.EDIT_PLAN}

    @extend_schema(
        operation_id="briefs_change_plan",
        request=ChangeBodySerializer,
        responses={201: RevisionSerializer},
        tags=["plans"],
    )
    @idempotent
    def post(self, request: Request, brief_id: UUID) -> Response:
        """Make one change on the revision that was seen; it becomes the next revision."""
        self.row(Brief, brief_id)
        values = self.read(ChangeSerializer)
        seen = _revision(self, brief_id, values["revision"])
        revision = revise_plan(revision=seen, change=values["change"], principal=self.principal, now=clock.now())
        return _shown(self, revision, 201)


class Launch(WorkspaceAPIView):
    """Start a job from a plan."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.LAUNCH_JOB}

    @extend_schema(
        operation_id="briefs_launch",
        request=LaunchSerializer,
        parameters=[OpenApiParameter("dry_run", bool, description="Try it, say what would happen, undo it.")],
        responses={201: JobSerializer, 200: DryRunSerializer},
        tags=["plans"],
    )
    @idempotent
    def post(self, request: Request, brief_id: UUID) -> Response:
        """Freeze the brief, reserve the plan's upper price, start the job. Launched twice, it is one job."""
        self.row(Brief, brief_id)
        number = self.read(LaunchSerializer).get("revision")
        revision = _revision(self, brief_id, number)
        if flag(request, "dry_run"):
            return self.show(DryRunSerializer, _dry_run(self, revision))
        job = launch(revision=revision, principal=self.principal, now=clock.now())
        return self.show(JobSerializer, job, 201, location=f"/api/v1/jobs/{job.pk}")


class Apply(WorkspaceAPIView):
    """Give a running job a newer plan."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.CONTROL_JOB}

    @extend_schema(
        operation_id="briefs_apply_plan", request=LaunchSerializer, responses={200: JobSerializer}, tags=["plans"]
    )
    @idempotent
    def post(self, request: Request, brief_id: UUID) -> Response:
        """Bring the brief's newest job to a revision: changed clips are made again under the same budget."""
        revision = _revision(self, brief_id, self.read(LaunchSerializer).get("revision"))
        job = newest_job(revision.brief)
        if job is None:
            raise Http404("no job yet")
        apply_to_job(revision=revision, job=job, principal=self.principal, now=clock.now())
        job.refresh_from_db()
        return self.show(JobSerializer, job)


def _dry_run(view: WorkspaceAPIView, revision: PlanRevision) -> dict[str, Any]:
    """Launch for real and roll back, so that the answer is the launch's own."""
    refusals = []
    try:
        with unit_of_work():
            launch(revision=revision, principal=view.principal, now=clock.now())
            raise _Undo
    except _Undo:
        pass
    except Exception as error:
        body = problem_of(error)
        if body is None:
            raise
        refusals.append(body)
    return {
        "would_launch": not refusals,
        "revision": revision.number,
        "price_micro": revision.price_micro,
        "price_upper_micro": revision.price_upper_micro,
        "expected_s": plan_seconds(revision.plan),
        "mode": view.principal.workspace.mode,
        "refusals": refusals,
        "findings": plan_findings(revision=revision),
    }


def _revision(view: WorkspaceAPIView, brief_id: UUID, number: int | None) -> PlanRevision:
    brief = view.row(Brief, brief_id)
    if number is None:
        revision = newest_revision(brief)
    else:
        revision = PlanRevision.objects.of(view.principal.workspace).filter(brief=brief, number=number).first()
    if revision is None:
        raise Http404
    return revision


def _shown(view: WorkspaceAPIView, revision: PlanRevision, status: int = 200) -> Response:
    address = f"/api/v1/briefs/{revision.brief_id}/revisions/{revision.number}" if status == 201 else ""
    return view.show(RevisionSerializer, RevisionView.of(revision), status, location=address)
