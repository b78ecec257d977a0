"""Jobs, to read; they are controlled on their own page."""

from django.contrib import admin

from genengine.workspaces.admin_site import ReadOnly, TenantModelAdmin, workspace_admin
from genengine.workspaces.policy import Action
from jobs.execution.models import Job


@admin.register(Job, site=workspace_admin)
class JobAdmin(ReadOnly, TenantModelAdmin):
    """What is being made, for whom, at which cap."""

    sees = Action.VIEW
    list_display = ("title", "workspace", "mode", "state", "cap_micro", "created_by", "created_at", "finished_at")
    list_filter = ("state", "mode")
    search_fields = ("title", "=id")
    date_hierarchy = "created_at"
