"""The plan board: make, look, change, launch. Every change names the revision that the person saw."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing.ledger.services import CapReached
from campaigns.briefs.models import Brief
from campaigns.briefs.queries import assets_of
from campaigns.planning import services
from campaigns.planning.asking import language_models
from campaigns.planning.board import board, history
from campaigns.planning.forms import AddSceneForm, BranchForm, ClipForm, SceneForm
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import (
    SHOWN_KINDS,
    is_in_job,
    is_stale,
    model_choices,
    newest_job,
    newest_revision,
    pictures_to_choose,
    plan_problems,
    plan_suggestions,
    reference_rooms,
)
from campaigns.planning.queries import estimate as estimate_of
from campaigns.planning.types import (
    AddBranch,
    BriefNotReady,
    ChangeRefused,
    DeleteScene,
    LockScene,
    PlanChange,
    PlanFlawed,
    PlanMoved,
    PlanStale,
    PriceOverCap,
    RemoveBranch,
    ReorderScenes,
    ReuseResults,
    SceneLocked,
)
from genengine.core import clock
from genengine.core.templatetags.ui import signed_money
from genengine.workspaces.access import WorkspaceRequest, with_toast, workspace_page
from genengine.workspaces.models import ReusePolicy
from genengine.workspaces.policy import Action, can, require
from genengine.workspaces.tenancy import get_or_404
from jobs.execution.services import ClipLocked, RevisionRefused
from jobs.routing.savings import savings_of
from jobs.routing.types import NothingFits

REFUSALS = (ChangeRefused, SceneLocked, BriefNotReady, PlanFlawed, PlanStale, NothingFits)


@require_safe
@workspace_page()
def plan(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """The board of the newest revision, or of an older one to look at."""
    brief = _brief(request, brief_id)
    newest = newest_revision(brief)
    if newest is None:
        return redirect("brief", request.principal.workspace.slug, brief.pk)
    number = request.GET.get("revision", "")
    chosen = newest
    if number.isdecimal() and int(number) != newest.number:
        found = PlanRevision.objects.of(brief.workspace_id).filter(brief=brief, number=int(number)).first()
        if found is None:
            raise Http404("no such revision")
        chosen = found
    return _page(request, brief, chosen, newest)


@require_safe
@workspace_page()
def estimate(request: WorkspaceRequest, brief_id: UUID) -> HttpResponse:
    """What the brief would cost and take as it stands: a part of the brief page that loads by itself."""
    brief = _brief(request, brief_id)
    context = {"brief": brief, "estimate": estimate_of(brief, clock.now()), "newest": newest_revision(brief)}
    return render(request, "campaigns/planning/estimate.html", context)


@require_POST
@workspace_page(Action.EDIT_PLAN)
def make(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Plan the brief as it is now."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    try:
        revision = services.make_plan(brief=brief, principal=request.principal, now=clock.now())
    except (BriefNotReady, NothingFits) as missing:
        messages.error(request, str(missing))
        return redirect("brief", slug, brief.pk)
    messages.success(request, f"Planned: {len(revision.plan.scenes)} scenes in {len(revision.plan.branches)} variants.")
    return redirect("plan", slug, brief.pk)


@workspace_page(Action.EDIT_PLAN)
def scene(request: WorkspaceRequest, brief_id: UUID, key: str) -> HttpResponseBase:
    """Edit a scene."""
    brief, revision = _editable(request, brief_id)
    found = _found(revision.plan.scenes, key)
    assets = [use.asset for use in assets_of(brief=brief) if use.asset.kind in SHOWN_KINDS]
    pictures = pictures_to_choose(brief.workspace, found.reference_images)
    rooms = reference_rooms(revision=revision, scene=key, now=clock.now())
    form = SceneForm(request.POST or None, scene=found, assets=assets, pictures=pictures, rooms=rooms)
    if request.method == "POST" and form.is_valid():
        return _revise(request, brief, form.change())
    return _drawer(request, brief, revision, form, heading=f"Scene: {found.title}")


@workspace_page(Action.EDIT_PLAN)
def add_scene(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Add a scene after another."""
    brief, revision = _editable(request, brief_id)
    after = request.GET.get("after", "")
    form = AddSceneForm(request.POST or None, initial={"duration_ms": 3000})
    if request.method == "POST" and form.is_valid():
        return _revise(request, brief, form.change(after))
    intro = "The other scenes make room, so the ad keeps its length."
    return _drawer(request, brief, revision, form, heading="New scene", intro=intro, button="Add the scene")


@require_POST
@workspace_page(Action.EDIT_PLAN)
def scene_do(request: WorkspaceRequest, brief_id: UUID, key: str) -> HttpResponseBase:
    """Move, lock or delete a scene."""
    brief, revision = _editable(request, brief_id)
    _found(revision.plan.scenes, key)
    order = [s.key for s in revision.plan.scenes]
    changes: dict[str, PlanChange] = {
        "up": ReorderScenes(_moved(order, key, -1)),
        "down": ReorderScenes(_moved(order, key, 1)),
        "lock": LockScene(key),
        "unlock": LockScene(key, locked=False),
        "delete": DeleteScene(key),
    }
    return _revise(request, brief, _chosen(changes, request))


@require_POST
@workspace_page(Action.EDIT_PLAN)
def order(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Put the scenes into the order they were dragged to."""
    brief, _ = _editable(request, brief_id)
    return _revise(request, brief, ReorderScenes(tuple(request.POST.get("order", "").split(","))))


@workspace_page(Action.EDIT_PLAN)
def branch(request: WorkspaceRequest, brief_id: UUID, key: str) -> HttpResponseBase:
    """Rename a variant, change its lead model, remove it."""
    brief, revision = _editable(request, brief_id)
    found = _found(revision.plan.branches, key)
    if request.POST.get("do") == "remove":
        return _revise(request, brief, RemoveBranch(key))
    form = BranchForm(
        request.POST or None, branch=found, models=model_choices(workspace=brief.workspace, also=found.model)
    )
    if request.method == "POST" and form.is_valid():
        return _revise(request, brief, *form.changes())
    removable = f"Remove {found.name}?" if len(revision.plan.branches) > 1 else ""
    return _drawer(request, brief, revision, form, heading=f"Variant: {found.name}", removable=removable)


@require_POST
@workspace_page(Action.EDIT_PLAN)
def add_branch(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """One more variant; routing chooses its lead model."""
    brief, _ = _editable(request, brief_id)
    return _revise(request, brief, AddBranch())


@workspace_page(Action.EDIT_PLAN)
def clip(request: WorkspaceRequest, brief_id: UUID, scene_key: str, branch_key: str) -> HttpResponseBase:
    """Edit a clip's prompt or model."""
    brief, revision = _editable(request, brief_id)
    _found(revision.plan.scenes, scene_key)
    variant = _found(revision.plan.branches, branch_key)
    found = revision.plan.clip(scene_key, branch_key)
    form = ClipForm(request.POST or None, clip=found, models=model_choices(workspace=brief.workspace, also=found.model))
    if request.method == "POST" and form.is_valid():
        return _revise(request, brief, form.change())
    heading = f"{revision.plan.scene(scene_key).title}, {variant.name}"
    return _drawer(
        request, brief, revision, form, heading=heading, facts=found, intro="This exact prompt is sent and kept."
    )


@require_POST
@workspace_page(Action.LAUNCH_JOB)
def launch(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Start the job from the revision that the person saw."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    try:
        job = services.launch(revision=_seen(request, brief), principal=request.principal, now=clock.now())
    except (PlanMoved, PriceOverCap, *REFUSALS) as refusal:
        messages.error(request, str(refusal))
        return redirect("plan", slug, brief.pk)
    return redirect("job", slug, job.pk)


@require_POST
@workspace_page(Action.CONTROL_JOB)
def apply(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Give the brief's newest job the revision that the person saw."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    job = newest_job(brief)
    if job is None:
        raise Http404("no job yet")
    try:
        services.apply_to_job(revision=_seen(request, brief), job=job, principal=request.principal, now=clock.now())
    except (PlanMoved, RevisionRefused, ClipLocked, CapReached, *REFUSALS) as refusal:
        messages.error(request, str(refusal))
        return redirect("plan", slug, brief.pk)
    return redirect("job", slug, job.pk)


@require_POST
@workspace_page(Action.EDIT_BRIEF)
def fix(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Apply an offered adjustment to the brief and plan again."""
    brief = _brief(request, brief_id)
    slug = request.principal.workspace.slug
    revision = newest_revision(brief)
    if revision is None:
        raise Http404("no plan yet")
    problem, _, number = request.POST.get("fix", "").partition("-")
    problems = plan_problems(revision=revision, now=clock.now())
    if not (problem.isdecimal() and number.isdecimal()) or int(problem) >= len(problems):
        raise Http404("no such adjustment")
    fixes = problems[int(problem)].fixes
    if int(number) >= len(fixes):
        raise Http404("no such adjustment")
    try:
        services.apply_fix(brief=brief, fix=fixes[int(number)], principal=request.principal, now=clock.now())
    except (BriefNotReady, NothingFits) as missing:
        messages.error(request, str(missing))
    return redirect("plan", slug, brief.pk)


@require_POST
@workspace_page(Action.EDIT_PLAN)
def save_money(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Apply a suggestion that makes the plan cheaper: it is named by its kind and, for a model, by the variant.

    `make-anew` takes the reuse of earlier results back.
    """
    brief, revision = _editable(request, brief_id)
    asked = request.POST.get("saving", "")
    if asked == "make-anew":
        return _revise(request, brief, ReuseResults(ReusePolicy.OFF))
    offered = plan_suggestions(revision=revision, now=clock.now())
    found = next((s.change for s in offered if s.change is not None and s.key == asked), None)
    if found is None:
        messages.error(request, "This saving is not on offer any more; look at the newest ones.")
        return redirect("plan", request.principal.workspace.slug, brief.pk)
    return _revise(request, brief, found)


@require_POST
@workspace_page(Action.EDIT_PLAN)
def restore(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Make an older revision the newest one again."""
    brief = _brief(request, brief_id)
    revision = services.restore_revision(revision=_seen(request, brief), principal=request.principal, now=clock.now())
    messages.success(request, f"Revision {revision.number} is what the older one was.")
    return redirect("plan", request.principal.workspace.slug, brief.pk)


def _brief(request: WorkspaceRequest, brief_id: UUID) -> Brief:
    brief = get_or_404(Brief, request.principal, brief_id)
    require(request.principal, Action.VIEW, brief)
    return brief


def _editable(request: WorkspaceRequest, brief_id: UUID) -> tuple[Brief, PlanRevision]:
    brief = _brief(request, brief_id)
    revision = newest_revision(brief)
    if revision is None:
        raise Http404("no plan yet")
    return brief, revision


def _seen(request: WorkspaceRequest, brief: Brief) -> PlanRevision:
    number = request.POST.get("seen", "")
    rows = PlanRevision.objects.of(brief.workspace_id).filter(brief=brief)
    revision = rows.filter(number=int(number)).first() if number.isdecimal() else None
    if revision is None:
        raise Http404("no such revision")
    return revision


def _found(items: tuple[Any, ...], key: str) -> Any:
    item = next((item for item in items if item.key == key), None)
    if item is None:
        raise Http404("not in the newest plan")
    return item


def _moved(order: list[str], key: str, by: int) -> tuple[str, ...]:
    at = order.index(key)
    to = min(max(at + by, 0), len(order) - 1)
    moved = [k for k in order if k != key]
    moved.insert(to, key)
    return tuple(moved)


def _chosen(changes: dict[str, PlanChange], request: WorkspaceRequest) -> PlanChange:
    change = changes.get(request.POST.get("do", ""))
    if change is None:
        raise Http404("no such change")
    return change


def _revise(request: WorkspaceRequest, brief: Brief, *changes: PlanChange) -> HttpResponseBase:
    """Make the changes on top of what the person saw and show the newest board."""
    revision = _seen(request, brief)
    before, conflict, refusal = revision.price_micro, "", ""
    try:
        for change in changes:
            revision = services.revise_plan(
                revision=revision, change=change, principal=request.principal, now=clock.now()
            )
    except PlanMoved as moved:
        conflict = str(moved)
    except REFUSALS as reason:
        refusal = str(reason)
    if not request.htmx:
        if conflict or refusal:
            messages.error(request, conflict or refusal)
        return redirect("plan", request.principal.workspace.slug, brief.pk)
    newest = newest_revision(brief) or revision
    response = _page(request, brief, newest, newest, conflict=conflict, refusal=refusal)
    if conflict or refusal:
        response.status_code = 409
        return with_toast(response, conflict or refusal, "warning")
    return with_toast(response, _saved(revision, revision.price_micro - before), "success", "plan-changed")


def _saved(revision: PlanRevision, difference: int) -> str:
    price = f", {signed_money(difference)}" if difference else ", same price"
    return f"Revision {revision.number} saved{price}."


def _page(
    request: WorkspaceRequest, brief: Brief, chosen: PlanRevision, newest: PlanRevision, **more: Any
) -> HttpResponse:
    old = chosen.number != newest.number
    context = {
        "brief": brief,
        "board": board(revision=chosen, cap_micro=brief.cap_micro),
        "revisions": history(revision=newest),
        "newest": newest.number,
        "plan_number": newest.number,
        "job": newest_job(brief),
        "in_job": is_in_job(chosen),
        "old_revision": old,
        "stale": not old and is_stale(revision=newest),
        "problems": () if old else plan_problems(revision=newest, now=clock.now()),
        "savings": savings_of(chosen.plan),
        "suggestions": () if old else plan_suggestions(revision=newest, now=clock.now()),
        "editable": not old and can(request.principal, Action.EDIT_PLAN),
        "language_models": () if old else language_models(brief.workspace, at=clock.now()),
        "section": "briefs",
        **more,
    }
    return render(request, "campaigns/planning/plan.html" + ("#board" if request.htmx else ""), context)


def _drawer(
    request: WorkspaceRequest, brief: Brief, revision: PlanRevision, form: forms.Form, *, heading: str, **more: Any
) -> HttpResponse:
    """Show an edit form in the drawer, or as a page without script; a form with errors stays where it is."""
    context = {
        "brief": brief,
        "form": form,
        "heading": heading,
        "seen": request.POST.get("seen") or revision.number,
        "action": request.get_full_path(),
        "section": "briefs",
        **more,
    }
    response = render(request, "campaigns/planning/edit.html" + ("#form" if request.htmx else ""), context)
    if request.htmx and request.method == "POST":
        response["HX-Retarget"] = "#drawer"
        response["HX-Reswap"] = "innerHTML"
    return response
