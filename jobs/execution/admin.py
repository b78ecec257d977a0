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
    date_hierarchy = "created_at"
