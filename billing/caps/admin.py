"""Caps, for admins of a workspace: a limit is changed by the one service."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing.caps.forms import AmountField
from billing.caps.models import Cap, CapScope
from billing.caps.owners import titles_of
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

BALANCE = (
    money_column("held_micro", "held"),
    money_column("spent_micro", "spent"),
    money_column("available_micro", "still free", sorts=False),
)


@admin.register(Cap, site=workspace_admin)
class CapAdmin(TenantModelAdmin):
    """Limits of money; amounts are written in the currency."""

    sees = Action.MANAGE_CAPS
    changes = Action.MANAGE_CAPS
    refusals = (CapTooLow,)
    console = Console.MONEY
    list_display = ("title", "book", "workspace", money_column("limit_micro", "limit"), *BALANCE)
    list_filter = ("scope", "book", BY_WORKSPACE)
    ordering = ("scope", "-scope_id")
    search_fields = ("scope_id",)
    search_help_text = "A month (2026-11) or the id of a job"
    fields = ("title", "workspace", "book", "limit_micro", *BALANCE)  # type: ignore[assignment]
    readonly_fields = ("title", "workspace", "book", *BALANCE)  # type: ignore[assignment]

    @admin.display(description="cap", ordering="scope")
    def title(self, cap: Cap) -> str:
        """What it limits, in words."""
        known: dict[Any, str] = getattr(cap, "titles", {})
        return known.get(cap.pk) or titles_of([cap])[cap.pk]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Ask for the names of a page of caps at once."""
        page = super().get_changelist_instance(request)
        rows = list(page.result_list)
        titles = titles_of(rows)
        for cap in rows:
            cap.titles = titles
        page.result_list = rows
        return page

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The limit is typed as an amount."""
        if db_field.name == "limit_micro":
            return AmountField(label="Limit in USD", help_text="Such as 250 or 1,250.50.")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

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
