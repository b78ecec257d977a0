"""Control a job, a variant or a clip: each address is one service call."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.caps.services import CapTooLow
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import kind, register
from genengine.core.states import TransitionRefused
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action
from jobs.execution import services
from jobs.execution.models import Branch, Clip, Job, Take
from jobs.execution.serializers import (
    BranchStateSerializer,
    CapSerializer,
    ClipStateSerializer,
    JobSerializer,
    ReasonSerializer,
)

Control = Callable[..., None]

register(
    TransitionRefused,
    kind("state_refused", 409, "It has moved on, or cannot do this now", "Read it again; its state says what it can."),
)
register(services.ClipLocked, kind("clip_locked", 409, "The clip is locked", "Unlock it first."))
register(CapTooLow, kind("cap_too_low", 422, "The cap is below what is held and spent", "Set it higher."))

JOB: Mapping[str, Control] = {
    "pause": services.pause_job,
    "resume": services.resume_job,
    "cancel": services.cancel_job,
    "rerun": services.rerun_job,
}
BRANCH: Mapping[str, Control] = {
    "pause": services.pause_branch,
    "resume": services.resume_branch,
    "cancel": services.cancel_branch,
    "rerun": services.rerun_branch,
}
CLIP: Mapping[str, Control] = {
    "pause": services.pause_clip,
    "resume": services.resume_clip,
    "cancel": services.cancel_clip,
    "rerun": services.rerun_clip,
    "lock": services.lock_clip,
    "unlock": services.unlock_clip,
}


def _verbs(table: Mapping[str, Control]) -> list[OpenApiParameter]:
    return [OpenApiParameter("verb", str, OpenApiParameter.PATH, enum=list(table))]


class JobControl(WorkspaceAPIView):
    """Control a whole job."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.CONTROL_JOB}

    @extend_schema(
        operation_id="jobs_control",
        parameters=_verbs(JOB),
        request=ReasonSerializer,
        responses=JobSerializer,
        tags=["jobs"],
    )
    @idempotent
    def post(self, request: Request, job_id: UUID, verb: str) -> Response:
        """Pause, resume, cancel or rerun. Pausing dispatches no more; what is in flight is collected and kept."""
        job = self.row(Job, job_id)
        _do(self, JOB, verb, job=job)
        return self.show(JobSerializer, self.row(Job, job_id))


class JobCap(WorkspaceAPIView):
    """What a job may cost."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.RAISE_CAP}

    @extend_schema(operation_id="jobs_set_cap", request=CapSerializer, responses=JobSerializer, tags=["jobs"])
    @idempotent
    def post(self, request: Request, job_id: UUID) -> Response:
        """Set the job's cap; clips that were on hold for it go on."""
        job = self.row(Job, job_id)
        values = self.read(CapSerializer)
        services.raise_cap(
            job=job,
            limit_micro=values["cap_micro"],
            principal=self.principal,
            now=clock.now(),
            reason=values["reason"],
        )
        return self.show(JobSerializer, self.row(Job, job_id))


class BranchControl(WorkspaceAPIView):
    """Control one variant."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.CONTROL_JOB}

    @extend_schema(
        operation_id="branches_control",
        parameters=_verbs(BRANCH),
        request=ReasonSerializer,
        responses=BranchStateSerializer,
        tags=["jobs"],
    )
    @idempotent
    def post(self, request: Request, job_id: UUID, branch_id: UUID, verb: str) -> Response:
        """Pause, resume, cancel or rerun one variant; the others are left alone."""
        job = self.row(Job, job_id)
        _do(self, BRANCH, verb, branch=self.row(Branch, branch_id, job=job))
        return self.show(BranchStateSerializer, self.row(Branch, branch_id))


class ClipControl(WorkspaceAPIView):
    """Control one clip."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.CONTROL_JOB}

    @extend_schema(
        operation_id="clips_control",
        parameters=_verbs(CLIP),
        request=ReasonSerializer,
        responses=ClipStateSerializer,
        tags=["jobs"],
    )
    @idempotent
    def post(self, request: Request, job_id: UUID, clip_id: UUID, verb: str) -> Response:
        """Pause, resume, cancel, rerun (a good clip too), lock or unlock one clip."""
        job = self.row(Job, job_id)
        _do(self, CLIP, verb, clip=self.row(Clip, clip_id, job=job))
        return self.show(ClipStateSerializer, self.row(Clip, clip_id))


class TakeChoice(WorkspaceAPIView):
    """Which take of a clip is used."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.CONTROL_JOB}

    @extend_schema(operation_id="takes_select", request=ReasonSerializer, responses=ClipStateSerializer, tags=["jobs"])
    @idempotent
    def post(self, request: Request, job_id: UUID, take_id: UUID) -> Response:
        """Use another take; the masters it is in are made again."""
        take = self.row(Take, take_id, job=self.row(Job, job_id))
        reason = self.read(ReasonSerializer)["reason"]
        services.select_take(take=take, principal=self.principal, now=clock.now(), reason=reason)
        return self.show(ClipStateSerializer, self.row(Clip, take.clip_id))


def _do(view: WorkspaceAPIView, table: Mapping[str, Control], verb: str, **subject: Any) -> None:
    if verb not in table:
        raise Http404
    reason = view.read(ReasonSerializer)["reason"]
    table[verb](**subject, principal=view.principal, now=clock.now(), reason=reason)
