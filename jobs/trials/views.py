"""The models page of a workspace: terms in force, and test calls for what is not verified yet."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing.ledger.services import CapReached
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from jobs.trials.offers import TestRefused, offer_test
from jobs.trials.queries import model_rows
from jobs.trials.services import start_test


@require_safe
@workspace_page(Action.MANAGE_CREDENTIALS)
def models(request: WorkspaceRequest) -> HttpResponseBase:
    """Every model with its price, status and proof."""
    rows = model_rows(workspace=request.principal.workspace, now=clock.now())
    return render(request, "jobs/trials/models.html", {"rows": rows, "tab": "models", "section": "settings"})


@require_POST
@workspace_page(Action.MANAGE_CREDENTIALS)
def test(request: WorkspaceRequest) -> HttpResponseBase:
    """Make the call whose price was shown, unless it has become dearer."""
    workspace, agreed = request.principal.workspace, request.POST.get("agreed", "")
    try:
        offer = offer_test(workspace=workspace, model=request.POST.get("model", ""), now=clock.now())
        made = start_test(
            offer=offer,
            agreed_micro=int(agreed) if agreed.isdecimal() else 0,
            principal=request.principal,
            now=clock.now(),
        )
    except (TestRefused, CapReached) as refusal:
        messages.error(request, f"No test call was made: {refusal}.")
        return redirect("settings-models", workspace.slug)
    messages.success(request, "The test call is under way. Its outcome stands here and on the page of its job.")
    return redirect("job", workspace.slug, made.job_id)
