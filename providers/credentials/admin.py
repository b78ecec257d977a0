"""Accounts at vendors, to read: which there are and whether they work. Their secrets are nowhere."""

from django.contrib import admin

from genengine.workspaces.admin_site import Console, ReadOnly, TenantModelAdmin, workspace_admin
from genengine.workspaces.policy import Action
from providers.credentials.models import ProviderAccount


@admin.register(ProviderAccount, site=workspace_admin)
class ProviderAccountAdmin(ReadOnly, TenantModelAdmin):
    """They are changed on the workspace's settings pages, where a secret is proved before it is kept."""

    sees = Action.MANAGE_CREDENTIALS
    console = Console.PROVIDERS
    list_display = ("label", "provider", "workspace", "enabled", "verified_at")
    list_filter = ("provider", "enabled")
    fields = ("workspace", "provider", "label", "base_url", "enabled", "verified_at", "last_error", "created_at")
