"""The audit trail, to read: a workspace's own chain for its admins and compliance people, every chain for operators."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import admin
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Cast
from django.http import HttpRequest

from compliance.trail.models import AuditEntry
from genengine.workspaces.admin_site import (
    Console,
    ReadOnly,
    StrictAdmin,
    TenantModelAdmin,
    facts_table,
    operator_admin,
    workspace_admin,
)
from genengine.workspaces.models import User
from genengine.workspaces.policy import Action

SHOWN = ("at", "what", "who", "on_what", "seq")
FIELDS = ("chain", "seq", "at", "what", "who", "actor_id", "on_what", "facts_in_rows", "hash", "previous_hash")


class _TrailAdmin(ReadOnly, StrictAdmin):
    """Entries in words, with the name of the account where there still is one: the trail itself holds only ids."""

    console = Console.COMPLIANCE
    list_display: tuple[str, ...] = SHOWN
    list_filter = ("action", "actor_kind", "subject_kind")
    search_help_text = "An action, or the whole id of a subject or an actor"
    date_hierarchy = "at"
    ordering = ("-at", "-seq")
    fields = readonly_fields = FIELDS

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[AuditEntry]:
        """Look the actors' names up with the rows."""
        people = User.objects.annotate(key=Cast("pk", models.CharField())).filter(key=OuterRef("actor_id"))
        return super().get_queryset(request).annotate(name=Subquery(people.values("email")[:1]))

    @admin.display(description="what happened", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action in words."""
        return entry.action.replace(".", " ").replace("_", " ").capitalize()

    @admin.display(description="who", ordering="actor_id")
    def who(self, entry: AuditEntry) -> str:
        """The account's address, else what kind of actor it was."""
        return getattr(entry, "name", None) or f"{entry.actor_kind} {entry.actor_id[:8]}".strip()

    @admin.display(description="on what", ordering="subject_kind")
    def on_what(self, entry: AuditEntry) -> str:
        """Kind and id of the subject; the last digits tell ids of one minute apart."""
        return f"{entry.subject_kind.replace('_', ' ')} …{entry.subject_id[-8:]}"

    @admin.display(description="facts")
    def facts_in_rows(self, entry: AuditEntry) -> str:
        """The facts as a table."""
        return facts_table({"subject id": entry.subject_id, **entry.facts})


@admin.register(AuditEntry, site=workspace_admin)
class AuditEntryAdmin(_TrailAdmin, TenantModelAdmin):
    """Who did what. An entry has no foreign key: its chain is the workspace's id."""

    sees = Action.READ_AUDIT
    search_fields = ("action", "=subject_id", "=actor_id")

    def _scope(self, workspaces: Iterable[UUID]) -> models.Q:
        return models.Q(chain__in=[str(pk) for pk in workspaces])

    def workspace_of(self, obj: AuditEntry) -> UUID:
        """The chain is the workspace."""
        return UUID(obj.chain)


@admin.register(AuditEntry, site=operator_admin)
class EveryAuditEntryAdmin(_TrailAdmin):
    """Every chain."""

    list_display = (*SHOWN, "chain")
    search_fields = ("action", "=chain", "=subject_id", "=actor_id")
