"""The caps page of a workspace."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render

from billing.caps.forms import CapForm, OwnerCapForm
from billing.caps.models import Cap, CapScope
from billing.caps.owners import SET_ON_PAGE, titles_of
from billing.caps.services import CapTooLow, set_cap
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Action

OWN = (CapScope.MONTH, CapScope.WORKSPACE)


@workspace_page(Action.VIEW_COST, write=Action.MANAGE_CAPS)
def caps(request: WorkspaceRequest) -> HttpResponseBase:
    """See and set the limits of the workspace, of this month, of campaigns, members and providers."""
    workspace = request.principal.workspace
    wanted = str(request.POST.get("scope", ""))
    own = CapForm(request.POST if wanted else None)
    other = OwnerCapForm(request.POST if request.method == "POST" and not wanted else None, workspace=workspace)
    if request.method == "POST":
        if wanted and own.is_valid():
            return _set(request, _own_scope(wanted), own.cleaned_data["limit"])
        if not wanted and other.is_valid():
            return _set(request, other.scope(), other.cleaned_data["limit"])
    context = {**_shown(workspace), "form": own, "other": other, "tab": "caps", "section": "settings"}
    return render(request, "billing/caps.html", context, status=422 if own.errors or other.errors else 200)


def _own_scope(wanted: str) -> tuple[CapScope, str]:
    if wanted not in OWN:
        raise Http404("no such cap")
    return CapScope(wanted), f"{clock.now():%Y-%m}" if wanted == CapScope.MONTH else ""


def _set(request: WorkspaceRequest, scope: tuple[CapScope, str], limit_micro: int) -> HttpResponseBase:
    workspace = request.principal.workspace
    try:
        set_cap(
            workspace=workspace,
            book=workspace.mode,
            scope=scope[0],
            scope_id=scope[1],
            limit_micro=limit_micro,
            actor=request.principal.actor,
            now=clock.now(),
        )
        messages.success(request, "The cap is set.")
    except CapTooLow as refusal:
        messages.error(request, f"{str(refusal).capitalize()}.")
    return redirect("settings-caps", workspace.slug)


def _shown(workspace: Workspace) -> dict[str, Any]:
    """Return the workspace's own caps, set or not, and those of its campaigns, members and providers."""
    month = f"{clock.now():%Y-%m}"
    caps = Cap.objects.of(workspace).filter(book=workspace.mode, scope__in=(*OWN, *SET_ON_PAGE))
    rows = list(caps.select_related("workspace").order_by("scope", "pk"))
    own = {(cap.scope, cap.scope_id): cap for cap in rows}
    others = [cap for cap in rows if cap.scope in SET_ON_PAGE]
    titles = titles_of(others)
    return {
        "caps": [
            (CapScope.MONTH, f"This month, {clock.now():%B %Y}", own.get((CapScope.MONTH, month))),
            (CapScope.WORKSPACE, "All time", own.get((CapScope.WORKSPACE, ""))),
        ],
        "others": [(titles[cap.pk], cap) for cap in others],
    }
