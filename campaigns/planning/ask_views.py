"""Plan with a language model: ask, and look how far it is."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from campaigns.briefs.models import Brief
from campaigns.planning.asking import ask_model, language_models, newest_ask
from campaigns.planning.models import AskState
from campaigns.planning.types import BriefNotReady, ChangeRefused
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action, require
from genengine.workspaces.tenancy import get_or_404


def _brief(request: WorkspaceRequest, brief_id: UUID) -> Brief:
    brief = get_or_404(Brief, request.principal, brief_id)
    require(request.principal, Action.VIEW, brief)
    return brief


@require_POST
@workspace_page(Action.EDIT_PLAN)
def ask(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Queue a plan by the chosen language model."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    model = request.POST.get("model", "")
    try:
        ask_model(brief=brief, model=model, principal=request.principal, now=clock.now())
    except (BriefNotReady, ChangeRefused) as refused:
        messages.error(request, f"Not asked: {refused}")
        return redirect("brief", slug, brief.pk)
    return redirect("plan-asked", slug, brief.pk)


@require_safe
@workspace_page()
def asked(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """How far the plan is that a language model was asked for; it looks again by itself until there is one."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    newest = newest_ask(brief)
    if newest is not None and newest.state in (AskState.DONE, AskState.FELL_BACK) and newest.revision_id:
        plan = reverse("plan", args=[slug, brief.pk])
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": plan})
        return redirect(plan)
    context = {
        "brief": brief,
        "ask": newest,
        "language_models": language_models(brief.workspace, at=clock.now()),
    }
    part = "#progress" if request.headers.get("HX-Request") else ""
    return render(request, f"campaigns/planning/asked.html{part}", context)
