"""What the finished films of a plan would have wrong: a part of the plan page that loads by itself."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns.briefs.models import Brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import masters_of, newest_revision, plan_findings
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action, require
from genengine.workspaces.tenancy import get_or_404
from jobs.preflight.types import Level


@require_safe
@workspace_page()
def checks(request: WorkspaceRequest, brief_id: UUID) -> HttpResponse:
    """Check the films of a revision, the newest unless `revision` names another."""
    brief = get_or_404(Brief, request.principal, brief_id)
    require(request.principal, Action.VIEW, brief)
    number = request.GET.get("revision", "")
    revision = (
        PlanRevision.objects.of(brief.workspace_id).filter(brief=brief, number=int(number)).first()
        if number.isdecimal()
        else newest_revision(brief)
    )
    if revision is None:
        raise Http404("no such revision")
    findings = plan_findings(revision=revision)
    context = {
        "brief": brief,
        "revision": revision,
        "findings": findings,
        "films": masters_of(revision.plan),
        "kinds": len(revision.plan.ratios) * len(revision.plan.locales),
        "errors": sum(found.level is Level.ERROR for found in findings),
        "warnings": sum(found.level is Level.WARNING for found in findings),
        "section": "briefs",
    }
    part = "#findings" if request.htmx else ""
    return render(request, f"campaigns/planning/checks.html{part}", context)
