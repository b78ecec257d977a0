"""Caps, for admins of a workspace: a limit is changed by the one service."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing.caps.models import Cap, CapScope
from billing.caps.services import CapTooLow, set_cap
from genengine.core import clock
from genengine.workspaces.admin_site import (
    BY_WORKSPACE,
    Console,
    TenantModelAdmin,
    money_column,
    principal_in,
    workspace_admin,
)
from genengine.workspaces.policy import Action


@admin.register(Cap, site=workspace_admin)
class CapAdmin(TenantModelAdmin):
    """Limits of money in millionths of the currency."""

    sees = Action.MANAGE_CAPS
    changes = Action.MANAGE_CAPS
    refusals = (CapTooLow,)
    console = Console.MONEY
    list_display = (
        "scope", "scope_id", "book", "workspace", money_column("limit_micro", "limit"),
        money_column("held_micro", "held"), money_column("spent_micro", "spent"),
        money_column("available_micro", "still free", sorts=False),
    )  # fmt: skip
    list_filter = ("scope", "book", BY_WORKSPACE)
    search_fields = ("scope_id",)
    search_help_text = "A month (2026-11) or the id of a job"
    fields = ("workspace", "book", "scope", "scope_id", "limit_micro", "held_micro", "spent_micro")
    readonly_fields = ("workspace", "book", "scope", "scope_id", "held_micro", "spent_micro")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A job's own cap is set on the job, where clips that wait for it are released."""
        return super().has_change_permission(request, obj) and (obj is None or obj.scope != CapScope.JOB)

    def save_model(self, request: HttpRequest, obj: Cap, form: Any, change: bool) -> None:
        """Set the limit."""
        principal = principal_in(request, obj.workspace_id)
        set_cap(
            workspace=principal.workspace,
            book=obj.book,
            scope=CapScope(obj.scope),
            scope_id=obj.scope_id,
            limit_micro=obj.limit_micro,
            actor=principal.actor,
            now=clock.now(),
        )
