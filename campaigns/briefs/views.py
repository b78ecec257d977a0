"""Pages of briefs: the list, the start from a template, the form that saves itself, its media."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from campaigns.briefs import services
from campaigns.briefs.forms import LENGTHS, BriefForm
from campaigns.briefs.models import Brief, BriefAsset, BriefAssetRole
from campaigns.briefs.queries import assets_of, briefs_of, flag_labels, readiness
from campaigns.briefs.starters import STARTERS
from campaigns.briefs.types import BriefClosed, BriefInvalid
from genengine.assets.models import AssetKind
from genengine.assets.services import UploadRefused, upload_asset
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, with_toast, workspace_page
from genengine.workspaces.policy import Action, can, require
from genengine.workspaces.tenancy import get_or_404
from jobs.execution.models import Job

PAGE = 25
SECTIONS = (  # id, title, a sentence, fields
    (
        "script-section",
        "Script",
        "What is said, and what the ad is.",
        ("title", "ad_type", "campaign", "script", "key_messages", "call_to_action"),
    ),
    ("media", "Product and media", "Pictures and clips of the product, shown as they are. Order matters.", ()),
    (
        "audience",
        "Audience and channel",
        "Who sees it, where, and how long.",
        ("audience", "channel", "length_ms", "language", "tone", "ratios", "captions"),
    ),
    (
        "look",
        "Look and brand",
        "Logo, colours and fonts come from the brand kit.",
        ("brand_kit", "required_elements", "forbidden_elements"),
    ),
    ("audio", "Audio", "Music and a recorded voice, from the files you uploaded.", ("music", "voiceover")),
    (
        "constraints",
        "Constraints",
        "What it may cost, by when, and what the law asks for.",
        ("cap_micro", "deadline_at", "variants", "quality_profile", "engine_policy", "compliance_flags", "restricted"),
    ),
)
VISUAL = (AssetKind.IMAGE, AssetKind.VIDEO)


@require_safe
@workspace_page()
def briefs(request: WorkspaceRequest) -> HttpResponse:
    """Every brief that the person may see, last touched first."""
    rows = briefs_of(principal=request.principal).order_by("-updated_at")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "campaigns/briefs/briefs.html", {"page": page, "section": "briefs"})


@workspace_page(Action.EDIT_BRIEF)
def new(request: WorkspaceRequest) -> HttpResponseBase:
    """Choose a template; the brief exists from then on and saves itself."""
    if request.method != "POST":
        return render(request, "campaigns/briefs/new.html", {"starters": STARTERS, "section": "briefs"})
    try:
        made = services.create_brief(
            principal=request.principal, now=clock.now(), template=request.POST.get("template", "")
        )
    except BriefInvalid as invalid:
        messages.error(request, str(invalid))
        return redirect("brief-new", request.principal.workspace.slug)
    return redirect("brief", request.principal.workspace.slug, made.pk)


@workspace_page(write=Action.EDIT_BRIEF)
def brief(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """The whole form. A plain submit saves everything that holds and shows what does not."""
    row = _brief(request, brief_id)
    if request.method != "POST":
        return _page(request, row, _form(request, row), {})
    form = _form(request, row, request.POST)
    errors = _save(request, row, form, set(form.fields))
    slug = request.principal.workspace.slug
    if not errors and request.POST.get("then") == "plan":
        return redirect("plan-make", slug, row.pk, preserve_request=True)  # the plan is a second, separate write
    if errors:
        return _page(request, row, form, errors)
    messages.success(request, "Saved.")
    return redirect("brief", slug, row.pk)


@require_POST
@workspace_page(Action.EDIT_BRIEF)
def field(request: WorkspaceRequest, brief_id: UUID) -> HttpResponse:
    """Save one field and say so, or say how to fix it."""
    row = _brief(request, brief_id)
    form = _form(request, row, request.POST)
    name = request.GET.get("field", "")
    if name not in form.fields:
        raise Http404("no such field")
    errors = _save(request, row, form, {name})
    context = {
        **_about(row),
        "errors": errors,
        "saved_at": None if errors else clock.now(),
        "error_slots": {name: errors.get(name, "")},
        "oob": True,
    }
    parts = ("saved", "errors", "missing")
    html = "".join(render_to_string(f"campaigns/briefs/brief.html#{part}", context, request) for part in parts)
    return with_toast(HttpResponse(html), "", "", "" if errors else "brief-saved")


@require_POST
@workspace_page(Action.EDIT_BRIEF)
def script(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Take the script from a text file."""
    row = _brief(request, brief_id)
    file = request.FILES.get("script_file")
    back = redirect("brief", request.principal.workspace.slug, row.pk)
    if not isinstance(file, UploadedFile):
        messages.error(request, "Choose a text file first.")
        return back
    try:
        services.set_script_from_file(
            brief=row, file=file, name=str(file.name), principal=request.principal, now=clock.now()
        )
        messages.success(request, f"The script is now that of {file.name}.")
    except (UploadRefused, BriefInvalid, BriefClosed) as refusal:
        messages.error(request, str(refusal))
    return back


@require_POST
@workspace_page(Action.UPLOAD_ASSET)
def upload(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Take files into the library and into the brief. One file a request with script, several without."""
    row = _brief(request, brief_id)
    refusals = []
    for file in request.FILES.getlist("files"):
        try:
            _take(request, row, file)
        except (UploadRefused, BriefInvalid, BriefClosed) as refusal:
            refusals.append(f"{file.name}: {refusal}")
    if request.headers.get("HX-Request"):
        if refusals:
            return JsonResponse({"message": refusals[0].partition(": ")[2]}, status=422)
        return _assets(request, row)
    for text in refusals:
        messages.error(request, text)
    return _back(request, row)


@require_POST
@workspace_page(Action.EDIT_BRIEF)
def asset(request: WorkspaceRequest, brief_id: UUID, use_id: UUID) -> HttpResponseBase:
    """Move, remove, or say what a file is for."""
    row = _brief(request, brief_id)
    use = get_or_404(BriefAsset, request.principal, use_id, brief=row)
    who: dict[str, Any] = {"brief": row, "principal": request.principal, "now": clock.now()}
    action = request.POST.get("do", "")
    try:
        if action == "remove":
            services.detach_asset(asset=use.asset, **who)
        elif action in ("up", "down"):
            services.reorder_assets(order=_order(row, use, -1 if action == "up" else 1), **who)
        else:
            role = request.POST.get(f"role-{use.pk}", use.role)
            note = request.POST.get(f"note-{use.pk}", use.note)
            services.attach_asset(asset=use.asset, role=role, note=note, **who)
    except (BriefInvalid, BriefClosed) as refusal:
        messages.error(request, str(refusal))
    return _assets(request, row) if request.htmx else _back(request, row)


@require_POST
@workspace_page(Action.EDIT_BRIEF)
def duplicate(request: WorkspaceRequest, brief_id: UUID) -> HttpResponseBase:
    """Copy a brief with its media."""
    row = _brief(request, brief_id)
    copy = services.duplicate_brief(brief=row, principal=request.principal, now=clock.now())
    messages.success(request, "This is the copy; the original is as it was.")
    return redirect("brief", request.principal.workspace.slug, copy.pk)


def _brief(request: WorkspaceRequest, brief_id: UUID) -> Brief:
    row = get_or_404(Brief, request.principal, brief_id)
    if request.method == "POST":
        require(request.principal, Action.EDIT_BRIEF, row)
    return row


def _form(request: WorkspaceRequest, row: Brief, data: Any = None) -> BriefForm:
    editable = can(request.principal, Action.EDIT_BRIEF, row)
    return BriefForm(data, workspace=row.workspace, brief=row, flags=flag_labels(), disabled=not editable)


def _save(request: WorkspaceRequest, row: Brief, form: BriefForm, names: set[str]) -> dict[str, str]:
    values, errors = form.changes(names)
    try:
        services.update_brief(brief=row, values=values, principal=request.principal, now=clock.now())
    except BriefInvalid as invalid:
        errors |= invalid.errors
    except BriefClosed as closed:
        errors |= dict.fromkeys(names, f"{closed}.")
    return errors


def _page(request: WorkspaceRequest, row: Brief, form: BriefForm, errors: dict[str, str]) -> HttpResponse:
    context = {
        **_about(row),
        "form": form,
        "form_errors": errors,
        "sections": SECTIONS,
        "lengths": LENGTHS,
        "section": "briefs",
    }
    return render(request, "campaigns/briefs/brief.html", context, status=422 if errors else 200)


def _about(row: Brief) -> dict[str, Any]:
    missing = readiness(row)
    return {
        "brief": row,
        "brief_assets": assets_of(brief=row),
        "asset_roles": BriefAssetRole.choices,
        "blocking": [item for item in missing if item.blocks],
        "advice": [item for item in missing if not item.blocks],
        "plan_number": row.plan_revisions.count(),
        "job": Job.objects.of(row.workspace_id).filter(brief_id=row.pk).order_by("-created_at").first(),
    }


def _assets(request: WorkspaceRequest, row: Brief) -> HttpResponse:
    html = render_to_string("campaigns/briefs/brief.html#assets", _about(row), request)
    return with_toast(HttpResponse(html), "", "", "brief-saved")


def _take(request: WorkspaceRequest, row: Brief, file: UploadedFile) -> None:
    taken = upload_asset(
        workspace=row.workspace,
        actor=request.principal.actor,
        user=request.user,
        file=file,
        name=str(file.name),
        now=clock.now(),
    )
    if taken.kind in VISUAL:
        role = BriefAssetRole.CLIP if taken.kind == AssetKind.VIDEO else BriefAssetRole.PRODUCT
        services.attach_asset(brief=row, asset=taken, role=role, principal=request.principal, now=clock.now())
    else:
        messages.success(request, f"{taken.name} is in the library; choose it under Audio.")


def _order(row: Brief, use: BriefAsset, by: int) -> list[str]:
    order = [str(other.asset_id) for other in assets_of(brief=row)]
    at = order.index(str(use.asset_id))
    to = min(max(at + by, 0), len(order) - 1)
    order.insert(to, order.pop(at))
    return order


def _back(request: WorkspaceRequest, row: Brief) -> HttpResponseBase:
    return redirect(reverse("brief", args=[request.principal.workspace.slug, row.pk]) + "#media")
