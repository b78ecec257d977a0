"""Jobs to read: list, state, timeline, events, and the ticket for the socket."""

import asyncio
import contextlib
from typing import ClassVar
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import connection
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from genengine.core import clock
from genengine.core.events.queries import events_after, last_sequence
from genengine.workspaces.api_view import WorkspaceAPIView, number
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Action
from genengine.workspaces.services import issue_ticket
from jobs.execution.models import Job
from jobs.execution.serializers import JobSerializer
from jobs.execution.states import JobState
from jobs.timeline.hub import hub
from jobs.timeline.messages import messages_of
from jobs.timeline.queries import timeline
from jobs.timeline.serializers import (
    EventsSerializer,
    ProgressSerializer,
    TicketSerializer,
    TimelineSerializer,
)

MOST_EVENTS = 500
MOST_WAIT_S = 30


class Jobs(WorkspaceAPIView):
    """The jobs of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(
        operation_id="jobs_list",
        parameters=[
            OpenApiParameter("state", enum=[state.value for state in JobState]),
            OpenApiParameter("brief", UUID),
            OpenApiParameter("mode", enum=Mode.values),
        ],
        responses=JobSerializer(many=True),
        tags=["jobs"],
    )
    def get(self, request: Request) -> Response:
        """List jobs, newest first."""
        rows = Job.objects.visible_to(self.principal)
        for name, column in (("state", "state"), ("mode", "mode")):
            if value := request.query_params.get(name):
                rows = rows.filter(**{column: value})
        if brief := request.query_params.get("brief"):
            rows = rows.filter(brief_id=_uuid(brief))
        return self.page(JobSerializer, rows)


class OneJob(WorkspaceAPIView):
    """A job of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="jobs_get", responses=ProgressSerializer, tags=["jobs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        """Show where a job stands: state, percentage, expected end, money."""
        view = timeline(job=self.row(Job, job_id), now=clock.now(), log_lines=0)
        return self.show(ProgressSerializer, view)


class JobTimeline(WorkspaceAPIView):
    """The timeline of a job."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="jobs_timeline", responses=TimelineSerializer, tags=["jobs"])
    def get(self, request: Request, job_id: UUID) -> Response:
        """Show every variant, clip, attempt, take and master with its time, state and cost."""
        view = timeline(job=self.row(Job, job_id), now=clock.now(), log_lines=0)
        return self.show(TimelineSerializer, view)


class JobEventList(WorkspaceAPIView):
    """The events of a job."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(
        operation_id="jobs_events",
        parameters=[
            OpenApiParameter("after", int, description="The number after which events are wanted."),
            OpenApiParameter("limit", int, description=f"At most {MOST_EVENTS}."),
            OpenApiParameter("wait", int, description=f"Seconds to wait for one, at most {MOST_WAIT_S}."),
        ],
        responses=EventsSerializer,
        tags=["jobs"],
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        """Read events in order, without a gap. With `wait`, the answer comes with the next event."""
        job = self.row(Job, job_id)
        after = number(request, "after", default=0, most=2**62)
        limit = max(1, number(request, "limit", default=MOST_EVENTS, most=MOST_EVENTS))
        wait = number(request, "wait", default=0, most=MOST_WAIT_S)
        if wait and last_sequence(subject_id=job.pk) <= after:
            connection.close()  # a waiting request holds no connection
            async_to_sync(_next_event)(job.pk, after, wait)
            self.row(Job, job_id)  # it may have been restricted meanwhile
        events = events_after(subject_id=job.pk, after=after, limit=limit)
        shown = messages_of(job_id=job.pk, events=events)
        return Response({"events": shown, "last_seq": last_sequence(subject_id=job.pk)})


class JobTicket(WorkspaceAPIView):
    """A ticket for the socket of a job."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.VIEW}

    @extend_schema(operation_id="jobs_ticket", request=None, responses={201: TicketSerializer}, tags=["jobs"])
    def post(self, request: Request, job_id: UUID) -> Response:
        """Make a ticket with which a browser opens the socket once, within 30 s, without seeing the key."""
        job = self.row(Job, job_id)
        ticket, token = issue_ticket(principal=self.principal, subject_id=job.pk, now=clock.now())
        address = request.build_absolute_uri(f"/ws/jobs/{job.pk}?ticket={token}").replace("http", "ws", 1)
        return self.show(TicketSerializer, {"ticket": token, "url": address, "expires_at": ticket.expires_at}, 201)


async def _next_event(job_id: UUID, after: int, seconds: int) -> None:
    """Return when the job has an event after a number, or when the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), hub().watch(job_id, after) as watcher:
            async for _ in hub().lines_of(watcher):
                return


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError({"brief": "Send the id of a brief."}) from error
