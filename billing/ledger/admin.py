"""The books, to read."""

from django.contrib import admin

from billing.ledger.models import Entry, Reservation
from genengine.workspaces.admin_site import (
    BY_WORKSPACE,
    Console,
    ReadOnly,
    TenantModelAdmin,
    id_column,
    money_column,
    workspace_admin,
)
from genengine.workspaces.policy import Action


@admin.register(Entry, site=workspace_admin)
class EntryAdmin(ReadOnly, TenantModelAdmin):
    """Every line of the ledger."""

    sees = Action.MANAGE_CAPS
    console = Console.MONEY
    listed_as = "Lines of the ledger"
    list_display = (
        "at", "workspace", "book", "kind", money_column("held_delta_micro", "held"),
        money_column("spent_delta_micro", "spent"), id_column("job_id", "job"), "note",
    )  # fmt: skip
    list_filter = ("book", "kind", BY_WORKSPACE)
    search_help_text = "The whole id of a job"
    search_fields = ("=job_id",)
    date_hierarchy = "at"


@admin.register(Reservation, site=workspace_admin)
class ReservationAdmin(ReadOnly, TenantModelAdmin):
    """Money held and what became of it."""

    sees = Action.MANAGE_CAPS
    console = Console.MONEY
    listed_as = "Money held and settled"
    list_display = (
        "created_at", "workspace", "book", "state", "provider", "model", id_column("job_id", "job"),
        money_column("amount_micro", "held for it"),
        money_column("settled_micro", "settled at"),
    )  # fmt: skip
    date_hierarchy = "created_at"
    search_help_text = "The whole id of a job"
    list_filter = ("book", "state", "provider")
    search_fields = ("=job_id",)
