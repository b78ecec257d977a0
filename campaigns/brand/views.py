"""Brand kits of a workspace."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from campaigns.brand.forms import COLOURS, BrandKitForm
from campaigns.briefs.models import BrandKit
from campaigns.briefs.services import save_brand_kit
from campaigns.briefs.types import BriefInvalid
from genengine.assets.models import Asset
from genengine.assets.services import UploadRefused, upload_asset
from genengine.core import clock
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import get_or_404


@require_safe
@workspace_page()
def kits(request: WorkspaceRequest) -> HttpResponse:
    """Every brand kit."""
    rows = BrandKit.objects.of(request.principal.workspace).select_related("logo__working").prefetch_related("fonts")
    shown = [(kit, [kit.colours.get(key) for key, _, _ in COLOURS if kit.colours.get(key)]) for kit in rows]
    return render(request, "campaigns/brand/kits.html", {"kits": shown, "tab": "brand", "section": "settings"})


@workspace_page(Action.EDIT_BRIEF)
def new(request: WorkspaceRequest) -> HttpResponseBase:
    """A new brand kit."""
    return _edit(request, None)


@workspace_page(Action.EDIT_BRIEF)
def edit(request: WorkspaceRequest, kit_id: UUID) -> HttpResponseBase:
    """Change a brand kit."""
    return _edit(request, get_or_404(BrandKit, request.principal, kit_id))


def _edit(request: WorkspaceRequest, kit: BrandKit | None) -> HttpResponseBase:
    form = BrandKitForm(request.POST or None, request.FILES or None, workspace=request.principal.workspace, kit=kit)
    if request.method == "POST" and form.is_valid():
        try:
            values = {**form.values(kit), **_uploads(request, form)}
            save_brand_kit(principal=request.principal, values=values, now=clock.now(), kit=kit)
        except BriefInvalid as invalid:
            for field, text in invalid.errors.items():
                form.add_error(field if field in form.fields else None, text)
        except UploadRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The brand kit is saved.")
            return redirect("settings-brand", request.principal.workspace.slug)
    colours = [form[f"colour_{key}"] for key, _, _ in COLOURS]
    context = {"form": form, "kit": kit, "colours": colours, "tab": "brand", "section": "settings"}
    return render(request, "campaigns/brand/edit.html", context)


def _uploads(request: WorkspaceRequest, form: BrandKitForm) -> dict[str, Any]:
    """Take a new logo or font into the library; they replace or join what was chosen."""
    changes: dict[str, Any] = {}
    for name in ("logo", "other_logo"):
        if file := form.cleaned_data[f"{name}_file"]:
            changes[name] = _take(request, file)
    if form.cleaned_data["font_file"]:
        changes["fonts"] = [*form.cleaned_data["fonts"], _take(request, form.cleaned_data["font_file"])]
    return changes


def _take(request: WorkspaceRequest, file: Any) -> Asset:
    return upload_asset(
        workspace=request.principal.workspace,
        actor=request.principal.actor,
        user=request.user,
        file=file,
        name=str(file.name),
        now=clock.now(),
    )
