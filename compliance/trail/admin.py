"""The audit trail, to read: a workspace's own chain for its admins and compliance people, every chain for operators."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import admin
from django.db import models

from compliance.trail.models import AuditEntry
from genengine.workspaces.admin_site import (
    ReadOnly,
    StrictAdmin,
    TenantModelAdmin,
    operator_admin,
    workspace_admin,
)
from genengine.workspaces.policy import Action

SHOWN = ("seq", "at", "action", "actor_kind", "actor_id", "subject_kind", "subject_id")


@admin.register(AuditEntry, site=workspace_admin)
class AuditEntryAdmin(ReadOnly, TenantModelAdmin):
    """Who did what. An entry has no foreign key: its chain is the workspace's id."""

    sees = Action.READ_AUDIT
    list_display = SHOWN
    list_filter = ("action",)
    search_fields = ("=subject_id", "=actor_id")
    date_hierarchy = "at"
    ordering = ("-at", "-seq")

    def _scope(self, workspaces: Iterable[UUID]) -> models.Q:
        return models.Q(chain__in=[str(pk) for pk in workspaces])

    def workspace_of(self, obj: AuditEntry) -> UUID:
        """The chain is the workspace."""
        return UUID(obj.chain)


@admin.register(AuditEntry, site=operator_admin)
class EveryAuditEntryAdmin(ReadOnly, StrictAdmin):
    """Every chain."""

    list_display = ("chain", *SHOWN)
    list_filter = ("action",)
    search_fields = ("=chain", "=subject_id", "=actor_id")
    ordering = ("-at", "-seq")
