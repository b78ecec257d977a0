"""The caps page of a workspace."""

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render

from billing.caps.forms import CapForm
from billing.caps.models import Cap, CapScope
from billing.caps.services import CapTooLow, set_cap
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action


@workspace_page(Action.VIEW_COST, write=Action.MANAGE_CAPS)
def caps(request: WorkspaceRequest) -> HttpResponseBase:
    """See and set the limits of the workspace and of this month."""
    workspace, now = request.principal.workspace, clock.now()
    month = f"{now:%Y-%m}"
    form = CapForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        scope = request.POST.get("scope")
        if scope not in (CapScope.WORKSPACE, CapScope.MONTH):
            raise Http404("no such cap")
        try:
            set_cap(
                workspace=workspace,
                book=workspace.mode,
                scope=CapScope(scope),
                scope_id=month if scope == CapScope.MONTH else "",
                limit_micro=form.cleaned_data["limit"],
                actor=request.principal.actor,
                now=now,
            )
            messages.success(request, "The cap is set.")
        except CapTooLow as refusal:
            messages.error(request, f"{str(refusal).capitalize()}.")
        return redirect("settings-caps", workspace.slug)
    rows = {
        (cap.scope, cap.scope_id): cap
        for cap in Cap.objects.of(workspace).filter(book=workspace.mode, scope__in=(CapScope.WORKSPACE, CapScope.MONTH))
    }
    shown = [
        (CapScope.MONTH, f"This month, {now:%B %Y}", rows.get((CapScope.MONTH, month))),
        (CapScope.WORKSPACE, "All time", rows.get((CapScope.WORKSPACE, ""))),
    ]
    context = {"caps": shown, "form": form, "tab": "caps", "section": "settings"}
    return render(request, "billing/caps.html", context)
