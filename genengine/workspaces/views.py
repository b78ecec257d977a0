"""Home, theme, joining by invitation, and a workspace's people, keys and settings."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from genengine.core import clock
from genengine.workspaces import services
from genengine.workspaces.access import WorkspaceRequest, workspace_page
from genengine.workspaces.forms import ApiKeyForm, InvitationForm, JoinForm, WorkspaceForm
from genengine.workspaces.models import ApiKey, Invitation, Membership, Role, User
from genengine.workspaces.policy import Action
from genengine.workspaces.tenancy import row_or_404

YEAR = 60 * 60 * 24 * 365
BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The person's workspaces; who has one goes straight to it."""
    memberships = list(
        Membership.objects.filter(user=cast(User, request.user)).select_related("workspace").order_by("workspace__name")
    )
    if len(memberships) == 1 and "all" not in request.GET:
        return redirect("workspace", memberships[0].workspace.slug)
    return render(request, "workspaces/home.html", {"memberships": memberships})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark without a script."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = redirect(target)
    value = request.POST.get("theme", "")
    if value in ("light", "dark"):
        response.set_cookie("theme", value, max_age=YEAR, samesite="Lax")
    return response


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponseBase:
    """Open an invitation: join with the account that is signed in, or make one."""
    now = clock.now()
    try:
        invitation = services.open_invitation(token=token, now=now)
        form = JoinForm(request.POST or None, initial={"email": invitation.email})
        if request.method == "POST" and request.user.is_authenticated:
            membership = services.accept_invitation(token=token, user=request.user, now=now)
            return redirect("workspace", membership.workspace.slug)
        if request.method == "POST" and form.is_valid():
            membership = services.join_with_new_account(token=token, now=now, **form.cleaned_data)
            login(request, membership.user, backend=BACKEND)
            return redirect("workspace", membership.workspace.slug)
    except services.InvitationInvalid as refusal:
        return render(request, "workspaces/join.html", {"refusal": str(refusal)}, status=410)
    return render(request, "workspaces/join.html", {"invitation": invitation, "form": form})


@workspace_page(write=Action.MANAGE_WORKSPACE)
def general(request: WorkspaceRequest) -> HttpResponseBase:
    """Name, mode and policies."""
    form = WorkspaceForm(request.POST or None, workspace=request.principal.workspace)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_workspace(principal=request.principal, now=clock.now(), **form.cleaned_data)
        except services.SettingsInvalid as invalid:
            for field, text in invalid.errors.items():
                form.add_error(field, text)
        else:
            messages.success(request, "Saved.")
            return redirect("settings", request.principal.workspace.slug)
    return _page(request, "general", form=form)


@require_safe
@workspace_page()
def people(request: WorkspaceRequest) -> HttpResponse:
    """Members and open invitations."""
    return _people(request)


@require_POST
@never_cache
@workspace_page(Action.MANAGE_MEMBERS)
def invite(request: WorkspaceRequest) -> HttpResponse:
    """Make an invitation; its link is shown on this answer and never again."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _people(request, form=form)
    invitation, token = services.create_invitation(
        principal=request.principal,
        role=Role(form.cleaned_data["role"]),
        email=form.cleaned_data["email"],
        now=clock.now(),
    )
    return _people(request, link=request.build_absolute_uri(reverse("join", args=[token])), made=invitation)


@require_POST
@workspace_page(Action.MANAGE_MEMBERS)
def revoke_invitation(request: WorkspaceRequest, invitation_id: UUID) -> HttpResponseBase:
    """Take an open invitation back."""
    invitation = row_or_404(Invitation, request.principal.workspace, invitation_id)
    services.revoke_invitation(invitation=invitation, principal=request.principal, now=clock.now())
    messages.success(request, "The invitation no longer works.")
    return redirect("settings-people", request.principal.workspace.slug)


@require_POST
@workspace_page(Action.MANAGE_MEMBERS)
def member(request: WorkspaceRequest, membership_id: UUID) -> HttpResponseBase:
    """Change a member's role or take them out."""
    membership = row_or_404(Membership, request.principal.workspace, membership_id)
    who: dict[str, Any] = {"membership": membership, "principal": request.principal, "now": clock.now()}
    try:
        if request.POST.get("do") == "remove":
            services.remove_member(**who)
            messages.success(request, f"{membership.user} is no longer a member.")
        elif request.POST.get("role") in Role.values:
            granted = "compliance" in request.POST
            services.change_member(**who, role=Role(request.POST["role"]), compliance=granted)
            messages.success(request, f"{membership.user} is now {Role(request.POST['role']).label}.")
    except services.MembershipRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("settings-people", request.principal.workspace.slug)


@require_safe
@workspace_page(Action.MANAGE_KEYS)
def keys(request: WorkspaceRequest) -> HttpResponse:
    """API keys: who uses them, what they may, when they were last used."""
    return _keys(request)


@require_POST
@never_cache
@workspace_page(Action.MANAGE_KEYS)
def create_key(request: WorkspaceRequest) -> HttpResponse:
    """Make a key; its text is shown on this answer and never again."""
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _keys(request, form=form)
    now, days = clock.now(), form.cleaned_data["days"]
    try:
        key, text = services.create_api_key(
            principal=request.principal,
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            scopes=form.cleaned_data["scopes"],
            now=now,
            expires_at=now + timedelta(days=int(days)) if days else None,
        )
    except services.KeyRefused as refusal:
        form.add_error(None, str(refusal))
        return _keys(request, form=form)
    return _keys(request, made=key, secret=text)


@require_POST
@workspace_page(Action.MANAGE_KEYS)
def revoke_key(request: WorkspaceRequest, key_id: UUID) -> HttpResponseBase:
    """End a key at once."""
    key = row_or_404(ApiKey, request.principal.workspace, key_id)
    services.revoke_api_key(key=key, principal=request.principal, now=clock.now())
    messages.success(request, f"“{key.name}” no longer works.")
    return redirect("settings-keys", request.principal.workspace.slug)


def _people(request: WorkspaceRequest, **more: Any) -> HttpResponse:
    workspace = request.principal.workspace
    context = {
        "form": InvitationForm(),
        "memberships": workspace.memberships.select_related("user").order_by("user__email"),
        "invitations": workspace.invitations.filter(accepted_at__isnull=True, expires_at__gt=clock.now()),
        "roles": Role.choices,
        **more,
    }
    return _page(request, "people", **context)


def _keys(request: WorkspaceRequest, **more: Any) -> HttpResponse:
    rows = request.principal.workspace.api_keys.order_by("revoked_at", "-created_at")
    return _page(request, "keys", **{"form": ApiKeyForm(), "keys": rows, "now": clock.now(), **more})


def _page(request: WorkspaceRequest, tab: str, **context: Any) -> HttpResponse:
    return render(request, f"workspaces/settings/{tab}.html", {"tab": tab, "section": "settings", **context})
