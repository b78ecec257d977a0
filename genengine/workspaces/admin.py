"""People, keys and settings of workspaces, for their admins; accounts and workspaces, for operators."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from genengine.core import clock
from genengine.core.models import Pulse, Stream
from genengine.workspaces.admin_site import (
    BY_WORKSPACE,
    Console,
    ReadOnly,
    StrictAdmin,
    TenantModelAdmin,
    operator_admin,
    principal_in,
    workspace_admin,
)
from genengine.workspaces.models import ApiKey, Invitation, Membership, Role, User, Workspace
from genengine.workspaces.policy import Action
from genengine.workspaces.services import (
    change_member,
    remove_member,
    revoke_api_key,
    set_account_active,
    update_workspace,
)


@admin.register(Membership, site=workspace_admin)
class MembershipAdmin(TenantModelAdmin):
    """People and their roles."""

    console = Console.PEOPLE
    listed_as = "Members"
    sees = Action.MANAGE_MEMBERS
    changes = Action.MANAGE_MEMBERS
    deletes = Action.MANAGE_MEMBERS
    list_display = ("user", "workspace", "role", "compliance", "created_at")
    list_filter = ("role", "compliance")
    search_fields = ("user__email", "user__display_name")
    fields = ("workspace", "user", "role", "compliance", "created_at")
    readonly_fields = ("workspace", "user", "created_at")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Change the role by the one service; `obj` already holds the form's values."""
        stored = Membership.objects.select_related("workspace").get(pk=obj.pk)
        change_member(
            membership=stored,
            principal=principal_in(request, stored.workspace_id),
            now=clock.now(),
            role=Role(obj.role),
            compliance=obj.compliance,
        )

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Take the person out."""
        remove_member(membership=obj, principal=principal_in(request, obj.workspace_id), now=clock.now())

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The audit trail has it; Django's own log would keep the name."""
        return []

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The same."""
        return None


@admin.action(description="Revoke the chosen keys")
def revoke(modeladmin: "ApiKeyAdmin", request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
    """End keys at once."""
    for key in queryset:
        revoke_api_key(key=key, principal=principal_in(request, key.workspace_id), now=clock.now())


@admin.register(ApiKey, site=workspace_admin)
class ApiKeyAdmin(ReadOnly, TenantModelAdmin):
    """Keys by prefix; their secrets are nowhere."""

    console = Console.PEOPLE
    listed_as = "API keys"
    sees = Action.MANAGE_KEYS
    list_display = ("name", "prefix", "workspace", "role", "expires_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix")
    fields = (
        "workspace", "name", "prefix", "role", "scopes", "created_by", "created_at", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    actions: ClassVar[Any] = [revoke]  # type: ignore[misc]


@admin.register(Invitation, site=workspace_admin)
class InvitationAdmin(ReadOnly, TenantModelAdmin):
    """Open and used invitations; their links are nowhere."""

    console = Console.PEOPLE
    sees = Action.MANAGE_MEMBERS
    list_display = ("email", "role", "workspace", "created_by", "expires_at", "accepted_at")
    list_filter = ("role", BY_WORKSPACE)
    search_fields = ("email",)
    fields = ("workspace", "email", "role", "created_by", "created_at", "expires_at", "accepted_at", "accepted_by")


@admin.register(Workspace, site=workspace_admin)
class WorkspaceAdmin(TenantModelAdmin):
    """A workspace's settings."""

    sees = Action.MANAGE_WORKSPACE
    changes = Action.MANAGE_WORKSPACE
    workspace_path = "pk"
    list_display = ("name", "slug", "mode", "currency", "fallback_policy")
    readonly_fields = ("slug", "currency", "created_at")
    fields = (
        "name", "slug", "mode", "currency", "fallback_policy", "engine_policy", "reuse_policy",
        "separate_author_and_approver", "parallel_generations", "created_at",
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        """Change what differs by the one service."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            update_workspace(principal=principal_in(request, obj.pk), now=clock.now(), **changes)


@admin.register(User, site=operator_admin)
class UserAdmin(StrictAdmin):
    """Accounts. No password, not even its hash, is shown."""

    console = Console.PEOPLE
    listed_as = "Accounts"
    list_display = ("email", "display_name", "is_active", "is_superuser", "last_login")
    search_fields = ("email", "display_name")
    fields = ("email", "display_name", "is_active", "is_superuser", "last_login", "date_joined")
    readonly_fields = ("email", "display_name", "is_superuser", "last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Open or close the account by the one service."""
        assert isinstance(request.user, User)
        set_account_active(user=obj, active=obj.is_active, actor=request.user.as_actor(), now=clock.now())


@admin.register(Workspace, site=operator_admin)
class OperatorWorkspaceAdmin(ReadOnly, StrictAdmin):
    """Which workspaces there are; what is in them is their own."""

    list_display = ("slug", "name", "mode", "created_at")
    fields = ("slug", "name", "mode", "currency", "parallel_generations", "created_at")
    search_fields = ("slug", "name")


@admin.register(Pulse, site=operator_admin)
class PulseAdmin(ReadOnly, StrictAdmin):
    """The last sign of life of every process."""

    listed_as = "Signs of life of processes"
    list_display = ("role", "host", "pid", "at")


@admin.register(Stream, site=operator_admin)
class StreamAdmin(ReadOnly, StrictAdmin):
    """How far every stream has come; what it says is the workspace's own."""

    listed_as = "Event streams"
    list_display = ("kind", "subject_id", "workspace_id", "last_seq")
    list_filter = ("kind",)
