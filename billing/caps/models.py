"""Caps: a limit of money as a row; reserving locks the rows it touches."""

from django.db import models
from django.db.models import Q

from genengine.core.money import format_micro
from genengine.workspaces.models import Mode
from genengine.workspaces.tenancy import TenantModel


class CapScope(models.TextChoices):
    WORKSPACE = "workspace", "Workspace, all time"
    MONTH = "month", "Workspace, calendar month"
    CAMPAIGN = "campaign", "Campaign"
    MEMBER = "member", "Member"
    PROVIDER = "provider", "Provider"
    JOB = "job", "Job"


class Cap(TenantModel):
    """A limit in micro-units over one scope and book. `held` + `spent` never passes `limit` by a reservation.

    `scope_id` is the campaign, the member, the provider, the job or the month (2026-11) that it limits.
    """

    book = models.CharField(max_length=16, choices=Mode.choices)
    scope = models.CharField(max_length=16, choices=CapScope.choices)
    scope_id = models.CharField(max_length=64, blank=True)
    limit_micro = models.BigIntegerField()
    held_micro = models.BigIntegerField(default=0)
    spent_micro = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "book", "scope", "scope_id"], name="one_cap_a_scope"),
            models.CheckConstraint(condition=Q(held_micro__gte=0), name="held_is_not_negative"),
            models.CheckConstraint(condition=Q(spent_micro__gte=0), name="spent_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.scope_id}: {format_micro(self.limit_micro)}"

    @property
    def available_micro(self) -> int:
        """What may still be reserved."""
        return max(0, self.limit_micro - self.held_micro - self.spent_micro)
