"""The controls of the live page: each button is one service call."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from billing.caps.services import CapTooLow
from genengine.core import clock
from genengine.core.money import to_micro
from genengine.core.states import TransitionRefused
from genengine.workspaces.access import WorkspaceRequest, poke, workspace_page
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import get_or_404
from jobs.execution import services
from jobs.execution.models import Branch, Clip, Job, Take

JOB: Mapping[str, Callable[..., None]] = {
    "pause": services.pause_job,
    "resume": services.resume_job,
    "cancel": services.cancel_job,
    "rerun": services.rerun_job,
}
BRANCH: Mapping[str, Callable[..., None]] = {
    "pause": services.pause_branch,
    "resume": services.resume_branch,
    "cancel": services.cancel_branch,
    "rerun": services.rerun_branch,
}
CLIP: Mapping[str, Callable[..., None]] = {
    "pause": services.pause_clip,
    "resume": services.resume_clip,
    "cancel": services.cancel_clip,
    "rerun": services.rerun_clip,
    "lock": services.lock_clip,
    "unlock": services.unlock_clip,
}
SAID = {
    "pause": "Paused. What is at a provider is still collected.",
    "resume": "Going on.",
    "cancel": "Cancelled.",
    "rerun": "Being made again. The present take stays until the new one is ready.",
    "lock": "Locked.",
    "unlock": "Unlocked.",
}


@require_POST
@workspace_page(Action.CONTROL_JOB)
def control_job(request: WorkspaceRequest, job_id: UUID) -> HttpResponseBase:
    """Pause, resume, cancel or rerun the whole job."""
    job = get_or_404(Job, request.principal, job_id)
    return _do(request, job, JOB, job=job)


@require_POST
@workspace_page(Action.CONTROL_JOB)
def control_branch(request: WorkspaceRequest, job_id: UUID, branch_id: UUID) -> HttpResponseBase:
    """Pause, resume, cancel or rerun one variant."""
    job = get_or_404(Job, request.principal, job_id)
    return _do(request, job, BRANCH, branch=get_or_404(Branch, request.principal, branch_id, job=job))


@require_POST
@workspace_page(Action.CONTROL_JOB)
def control_clip(request: WorkspaceRequest, job_id: UUID, clip_id: UUID) -> HttpResponseBase:
    """Pause, resume, cancel, rerun, lock or unlock one clip."""
    job = get_or_404(Job, request.principal, job_id)
    return _do(request, job, CLIP, clip=get_or_404(Clip, request.principal, clip_id, job=job))


@require_POST
@workspace_page(Action.CONTROL_JOB)
def choose_take(request: WorkspaceRequest, job_id: UUID, take_id: UUID) -> HttpResponseBase:
    """Use another take of a clip."""
    job = get_or_404(Job, request.principal, job_id)
    take = get_or_404(Take, request.principal, take_id, job=job)
    return _answer(request, job, lambda **who: services.select_take(take=take, **who), "This take is used now.")


@require_POST
@workspace_page(Action.RAISE_CAP)
def raise_cap(request: WorkspaceRequest, job_id: UUID) -> HttpResponseBase:
    """Change what the job may cost."""
    job = get_or_404(Job, request.principal, job_id)
    try:
        limit = to_micro(request.POST.get("limit", "").strip().lstrip("$").replace(",", ""))
    except ValueError as error:
        return _say(request, job, str(error), "error")
    return _answer(
        request, job, lambda **who: services.raise_cap(job=job, limit_micro=limit, **who), "The cap is changed."
    )


def _do(
    request: WorkspaceRequest, of: Job, table: Mapping[str, Callable[..., None]], /, **subject: Any
) -> HttpResponseBase:
    action = request.POST.get("do", "")
    if action not in table:
        raise Http404("no such action")
    return _answer(request, of, lambda **who: table[action](**subject, **who), SAID[action])


def _answer(request: WorkspaceRequest, job: Job, call: Callable[..., Any], said: str) -> HttpResponseBase:
    try:
        call(principal=request.principal, now=clock.now(), reason=request.POST.get("reason", ""))
    except TransitionRefused:
        return _say(request, job, "It has moved on meanwhile; the page shows where it is now.", "warning")
    except (services.ClipLocked, CapTooLow) as refusal:
        return _say(request, job, str(refusal), "error")
    return _say(request, job, said, "success")


def _say(request: WorkspaceRequest, job: Job, text: str, level: str) -> HttpResponseBase:
    if request.htmx:
        return poke("job-poke", text, level)
    messages.add_message(request, getattr(messages, level.upper()), text)
    return redirect("job", request.principal.workspace.slug, job.pk)
