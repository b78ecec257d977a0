"""The books, to read."""

from django.contrib import admin

from billing.ledger.models import Entry, Reservation
from genengine.workspaces.admin_site import ReadOnly, TenantModelAdmin, workspace_admin
from genengine.workspaces.policy import Action


@admin.register(Entry, site=workspace_admin)
class EntryAdmin(ReadOnly, TenantModelAdmin):
    """Every line of the ledger."""

    sees = Action.MANAGE_CAPS
    list_display = ("at", "workspace", "book", "kind", "held_delta_micro", "spent_delta_micro", "job_id", "note")
    list_filter = ("book", "kind")
    search_fields = ("=job_id",)
    date_hierarchy = "at"


@admin.register(Reservation, site=workspace_admin)
class ReservationAdmin(ReadOnly, TenantModelAdmin):
    """Money held and what became of it."""

    sees = Action.MANAGE_CAPS
    list_display = ("created_at", "workspace", "book", "state", "provider", "model", "amount_micro", "settled_micro")
    list_filter = ("book", "state", "provider")
    search_fields = ("=job_id",)
