"""The overview page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns.dashboard.queries import overview
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page


@require_safe
@workspace_page()
def workspace(request: WorkspaceRequest) -> HttpResponse:
    """What is going on, what it costs, what to do next."""
    context = {"overview": overview(principal=request.principal, now=clock.now()), "section": "overview"}
    return render(request, "campaigns/dashboard/overview.html", context)
