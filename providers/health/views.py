"""The provider health page of a workspace."""

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from providers.health.queries import provider_health


@require_safe
@workspace_page()
def health(request: WorkspaceRequest) -> HttpResponseBase:
    """Whether the vendors that this workspace uses work, how fast, and what went wrong."""
    rows = provider_health(workspace=request.principal.workspace, now=clock.now())
    return render(request, "providers/health.html", {"rows": rows, "tab": "health", "section": "settings"})
