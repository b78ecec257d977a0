"""The review page: look, judge, approve the exact bytes."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from campaigns.review import services
from campaigns.review.board import review_board
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import get_or_404
from jobs.execution.models import Job, Master


@require_safe
@workspace_page()
def review(request: WorkspaceRequest, job_id: UUID) -> HttpResponse:
    """Every finished file of a job beside its checks."""
    job = get_or_404(Job, request.principal, job_id)
    context = {
        "job": job,
        "brief": {"pk": job.brief_id} if job.brief_id else None,
        "plan_number": 1,
        "board": review_board(job=job),
        "section": "jobs",
    }
    return render(request, "campaigns/review/review.html", context)


@require_POST
@workspace_page(Action.APPROVE)
def approve(request: WorkspaceRequest, job_id: UUID, master_id: UUID) -> HttpResponseBase:
    """Approve or withdraw, on the hash that the page showed."""
    job = get_or_404(Job, request.principal, job_id)
    master = get_or_404(Master, request.principal, master_id, job=job)
    note = request.POST.get("note", "")
    try:
        if request.POST.get("do") == "withdraw":
            services.withdraw(master=master, principal=request.principal, now=clock.now(), reason=note)
            messages.success(request, "The approval is withdrawn.")
        else:
            services.approve(
                master=master,
                sha256=request.POST.get("sha256", ""),
                principal=request.principal,
                now=clock.now(),
                note=note,
            )
            messages.success(request, "Approved. The approval holds for exactly this file.")
    except services.ApprovalRefused as refusal:
        messages.error(request, _sentence(str(refusal)))
    return redirect_to_master(request, job, master)


def redirect_to_master(request: WorkspaceRequest, job: Job, master: Master) -> HttpResponseBase:
    """Go back to the card that was judged."""
    response = redirect("review", request.principal.workspace.slug, job.pk)
    response["Location"] += f"#master-{master.pk}"
    return response


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else text
