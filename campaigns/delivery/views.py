"""Asking for a package and taking it home."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from campaigns.delivery import services
from campaigns.delivery.models import Export
from campaigns.delivery.states import ExportState
from campaigns.review.board import review_board
from genengine.core import clock
from genengine.core.states import TransitionRefused
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import get_or_404
from jobs.execution.models import Job, Master

OPEN = (ExportState.REQUESTED, ExportState.BUILDING, ExportState.CHECKING)


@require_safe
@workspace_page()
def deliver(request: WorkspaceRequest, job_id: UUID) -> HttpResponse:
    """Choose files for a package; see packages, their progress and what blocks them."""
    job = get_or_404(Job, request.principal, job_id)
    exports = list(
        Export.objects.visible_to(request.principal)
        .filter(job=job)
        .select_related("package", "requested_by")
        .prefetch_related("masters__branch")
    )
    board = review_board(job=job)
    context = {
        "job": job,
        "brief": {"pk": job.brief_id} if job.brief_id else None,
        "plan_number": 1,
        "board": board,
        "cards": [card for card in board.cards if card.ready],
        "exports": exports,
        "open": any(export.state in OPEN for export in exports),
        "section": "jobs",
    }
    return render(request, "campaigns/delivery/deliver.html" + ("#exports" if request.htmx else ""), context)


@require_POST
@workspace_page(Action.REQUEST_EXPORT)
def request_export(request: WorkspaceRequest, job_id: UUID) -> HttpResponseBase:
    """Ask for a package of the chosen files."""
    job = get_or_404(Job, request.principal, job_id)
    chosen = [get_or_404(Master, request.principal, pk, job=job) for pk in request.POST.getlist("master")]
    back = redirect("deliver", request.principal.workspace.slug, job.pk)
    if not chosen:
        messages.error(request, "Choose at least one file for the package.")
        return back
    try:
        export = services.request_export(job=job, masters=chosen, principal=request.principal, now=clock.now())
    except services.ExportRefused as refusal:
        messages.error(request, str(refusal))
        return back
    if export.state == ExportState.BLOCKED:
        messages.warning(request, "The package is blocked; the list says what clears it.")
    else:
        messages.success(request, "The package is being made.")
    return back


@require_POST
@workspace_page(Action.REQUEST_EXPORT)
def retry(request: WorkspaceRequest, job_id: UUID, export_id: UUID) -> HttpResponseBase:
    """Check a blocked package again."""
    job = get_or_404(Job, request.principal, job_id)
    export = get_or_404(Export, request.principal, export_id, job=job)
    try:
        export = services.retry_export(export=export, principal=request.principal, now=clock.now())
    except TransitionRefused:
        messages.warning(request, "The package has moved on meanwhile.")
    else:
        if export.state == ExportState.BLOCKED:
            messages.warning(request, "Still blocked; the list says what clears it.")
    return redirect("deliver", request.principal.workspace.slug, job.pk)
