"""The list of jobs and the live page of one job."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from genengine.core import clock
from genengine.core.events.queries import events_after, last_sequence
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action, can
from genengine.workspaces.tenancy import get_or_404
from jobs.execution.models import Clip, Job, Master
from jobs.execution.states import MasterState
from jobs.timeline.gantt import gantt
from jobs.timeline.inspector import attempts_of, places_of
from jobs.timeline.messages import messages_of
from jobs.timeline.queries import timeline

PAGE = 25
LOG_LINES = 60


@require_safe
@workspace_page()
def jobs(request: WorkspaceRequest) -> HttpResponse:
    """Every job that the person may see, newest first."""
    rows = (
        Job.objects.visible_to(request.principal)
        .annotate(
            masters_total=Count("masters", distinct=True),
            masters_ready=Count("masters", filter=Q(masters__state=MasterState.READY), distinct=True),
            variants_total=Count("branches", distinct=True),
        )
        .order_by("-created_at")
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "jobs/timeline/jobs.html", {"page": page, "section": "jobs"})


@require_safe
@workspace_page()
def job_page(request: WorkspaceRequest, job_id: UUID) -> HttpResponse:
    """The live timeline: painted here first, kept up to date by events."""
    return render(request, "jobs/timeline/job.html", _context(request, job_id))


@require_safe
@workspace_page()
def job_live(request: WorkspaceRequest, job_id: UUID) -> HttpResponse:
    """The part of the page that moves."""
    return render(request, "jobs/timeline/job.html#live", _context(request, job_id))


@require_safe
@workspace_page()
def job_events(request: WorkspaceRequest, job_id: UUID) -> JsonResponse:
    """Events after a number, for browsers whose sockets are blocked. The same values as over `/ws/jobs/{id}`."""
    job = get_or_404(Job, request.principal, job_id)
    after = request.GET.get("after", "0")
    events = events_after(subject_id=job.pk, after=int(after) if after.isdecimal() and len(after) < 18 else 0)
    last = last_sequence(subject_id=job.pk)
    return JsonResponse({"events": messages_of(job_id=job.pk, events=events), "last_seq": last})


@require_safe
@workspace_page()
def clip_page(request: WorkspaceRequest, job_id: UUID, clip_id: UUID) -> HttpResponse:
    """One clip: player, takes, what went wrong, calls to the provider."""
    context = _context(request, job_id)
    clip = get_or_404(Clip, request.principal, clip_id, job_id=job_id)
    rows = [(branch, row) for branch in context["timeline"].branches for row in branch.clips if row.id == clip.pk]
    shown = attempts_of(clip=clip) if can(request.principal, Action.CONTROL_JOB) else ()
    context |= {"chosen_branch": rows[0][0], "chosen": rows[0][1], "attempts": shown}
    return render(request, "jobs/timeline/job.html" + ("#clip" if request.htmx else ""), context)


@require_safe
@workspace_page()
def master_page(request: WorkspaceRequest, job_id: UUID, master_id: UUID) -> HttpResponse:
    """One master: player and what is known about it."""
    context = _context(request, job_id)
    master = get_or_404(Master, request.principal, master_id, job_id=job_id)
    rows = [(branch, row) for branch in context["timeline"].branches for row in branch.masters if row.id == master.pk]
    context |= {"chosen_branch": rows[0][0], "chosen_master": rows[0][1]}
    return render(request, "jobs/timeline/job.html" + ("#master" if request.htmx else ""), context)


def _context(request: WorkspaceRequest, job_id: UUID) -> dict[str, Any]:
    job = get_or_404(Job, request.principal, job_id)
    now = clock.now()
    view = timeline(job=job, now=now, log_lines=LOG_LINES)
    return {
        "job": job,
        "brief": {"pk": job.brief_id} if job.brief_id else None,
        "plan_number": 1,
        "timeline": view,
        "gantt": gantt(timeline=view, now=now),
        "log": tuple(reversed(view.log)),
        "places": places_of(timeline=view),
        "now": now,
        "section": "jobs",
    }
