"""Look at what a job made, approve the exact bytes, take an approval back."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.review.board import Card, review_board
from campaigns.review.serializers import (
    ApproveSerializer,
    OutputSerializer,
    OutputsSerializer,
    WithdrawSerializer,
)
from campaigns.review.services import ApprovalRefused, approve, withdraw
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import kind, register
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action
from jobs.execution.models import Job, Master

register(ApprovalRefused, kind("approval_refused", 409, "It cannot be approved now", "Do what the detail says."))


class Outputs(WorkspaceAPIView):
    """What a job made."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="jobs_outputs", responses=OutputsSerializer, tags=["outputs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        """List masters with signed links to video, captions and thumbnail, their checks and approvals."""
        return self.show(OutputsSerializer, review_board(job=self.row(Job, job_id)))


class Approve(WorkspaceAPIView):
    """Approve a master."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.APPROVE}

    @extend_schema(
        operation_id="masters_approve", request=ApproveSerializer, responses=OutputSerializer, tags=["outputs"]
    )
    @idempotent
    def post(self, request: Request, job_id: UUID, master_id: UUID) -> Response:
        """Approve exactly these bytes. Only a person approves: a key is refused."""
        job = self.row(Job, job_id)
        values = self.read(ApproveSerializer)
        master = self.row(Master, master_id, job=job)
        seen = values.get("sha256", "")
        approve(master=master, principal=self.principal, now=clock.now(), note=values["note"], sha256=seen)
        return self.show(OutputSerializer, _card(job, master))


class Withdraw(WorkspaceAPIView):
    """Take an approval back."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.APPROVE}

    @extend_schema(
        operation_id="masters_withdraw", request=WithdrawSerializer, responses=OutputSerializer, tags=["outputs"]
    )
    @idempotent
    def post(self, request: Request, job_id: UUID, master_id: UUID) -> Response:
        """Take a standing approval back."""
        job = self.row(Job, job_id)
        master = self.row(Master, master_id, job=job)
        reason = self.read(WithdrawSerializer)["reason"]
        withdraw(master=master, principal=self.principal, now=clock.now(), reason=reason)
        return self.show(OutputSerializer, _card(job, master))


def _card(job: Job, master: Master) -> Card:
    return next(card for card in review_board(job=job).cards if card.master.pk == master.pk)
