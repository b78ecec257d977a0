"""Jobs, to read; they are controlled on their own page."""

from django.contrib import admin

from genengine.workspaces.admin_site import (
    BY_WORKSPACE,
    Console,
    ReadOnly,
    TenantModelAdmin,
    money_column,
    workspace_admin,
)
from genengine.workspaces.policy import Action
from jobs.execution.models import Job


@admin.register(Job, site=workspace_admin)
class JobAdmin(ReadOnly, TenantModelAdmin):
    """What is being made, for whom, at which cap."""

    sees = Action.VIEW
    console = Console.WORK
    list_display = (
        "title", "workspace", "mode", "state", money_column("cap_micro", "cap"), "created_by", "created_at",
        "finished_at",
    )  # fmt: skip
    list_filter = ("state", "mode", BY_WORKSPACE)
    search_fields = ("title", "=id")
    search_help_text = "A title, or the whole id of a job"
    fields = (
        "title", "workspace", "mode", "state", "state_changed_at", "paused", "cancelled", "restricted", "author",
        "cap_micro", "deadline_at", "fallback_policy", "created_by", "created_at", "finished_at", "brief_id",
        "brief_version", "correlation_id",
    )  # fmt: skip
    date_hierarchy = "created_at"
