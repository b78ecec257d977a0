"""Traffic to vendors, in rows that every process shares.

The vendor counts requests and tasks by account: that is the throttle. It breaks and heals by model: that is the
circuit. Accounts belong to a workspace, so no tenant can see or use up another one's limits; in simulated mode the
emulator keeps an account for each workspace, and its rows have no ``account``.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef
from genengine.core.ids import new_id
from genengine.workspaces.models import Mode, Workspace
from genengine.workspaces.tenancy import TenantModel
from providers.credentials.models import ProviderAccount
from providers.traffic.states import CircuitState


class Throttle(TenantModel):
    """One account at one provider: its token bucket and the wait that the vendor asked for."""

    mode = models.CharField(max_length=16, choices=Mode.choices)
    provider = models.CharField(max_length=32)
    account = models.ForeignKey(ProviderAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)
    strain = models.PositiveSmallIntegerField(default=0)  # "too many" answers since the last acceptance
    checked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField()

    class Meta:
        ordering = ("provider",)
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "mode", "provider", "account"),
                name="one_throttle_an_account",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider} ({self.mode})"


class Circuit(TenantModel):
    """One model at one account: whether it is well, and how long it takes.

    ``early_s``, ``usual_s``, ``late_s`` and ``p95_s`` are the 10th, 50th, 90th and 95th percentile of the newest
    ``measured`` durations from acceptance to result, in seconds. Polls follow the first three; people read the others.
    """

    throttle = models.ForeignKey(Throttle, on_delete=models.CASCADE, related_name="circuits")
    model = models.CharField(max_length=64)
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value.replace("_", " ")) for s in CircuitState], default=CircuitState.CLOSED
    )
    state_changed_at = models.DateTimeField()
    opens = models.PositiveSmallIntegerField(default=0)  # openings since it was last well
    retry_at = models.DateTimeField(null=True, blank=True)  # when an open circuit lets a probe through
    probe = models.UUIDField(null=True, blank=True)  # what the one probe is for
    probe_until = models.DateTimeField(null=True, blank=True)  # by then a silent probe is taken for dead
    cause = models.CharField(max_length=300, blank=True)
    cause_kind = models.CharField(max_length=32, blank=True)
    early_s = models.FloatField(null=True, blank=True)
    usual_s = models.FloatField(null=True, blank=True)
    late_s = models.FloatField(null=True, blank=True)
    p95_s = models.FloatField(null=True, blank=True)
    measured = models.PositiveIntegerField(default=0)
    tokens = models.FloatField(null=True, blank=True)  # the model's own bucket, if it has one; none yet: full
    refilled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("throttle__provider", "model")
        constraints = (models.UniqueConstraint(fields=("throttle", "model"), name="one_circuit_a_model"),)

    def __str__(self) -> str:
        return f"{self.model} {self.state}"

    def event_stream(self) -> StreamRef:
        """Return the workspace's stream."""
        return StreamRef(StreamKind.WORKSPACE, self.workspace_id, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each circuit event carries."""
        provider = self.throttle.provider if self.throttle_id else ""
        mode = self.throttle.mode if self.throttle_id else ""
        return {"circuit": str(self.pk), "provider": provider, "model": self.model, "mode": mode}


class Signal(TenantModel):
    """What one call told about a vendor; kept for a week. ``seconds`` is the call's, or the task's, duration."""

    class Call(models.TextChoices):
        SUBMIT = "submit"
        TASK = "task"
        POLL = "poll"
        CHECK = "check"

    throttle = models.ForeignKey(Throttle, on_delete=models.CASCADE, related_name="signals")
    model = models.CharField(max_length=64, blank=True)  # empty for a check of the account
    at = models.DateTimeField()
    call = models.CharField(max_length=8, choices=Call.choices)
    kind = models.CharField(max_length=32, blank=True)  # the error's kind, empty when it went well
    verdict = models.CharField(max_length=12)
    seconds = models.FloatField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-at",)
        indexes = (
            models.Index(fields=("throttle", "model", "-at"), name="signal_newest"),
            models.Index(fields=("at",), name="signal_age"),
        )

    def __str__(self) -> str:
        return f"{self.call} {self.verdict}"


class LimitSource(models.TextChoices):
    """Who wrote a revision."""

    SHIPPED = "shipped", "Shipped with the adapter"
    OPERATOR = "operator", "Written by an operator"


class LimitRevision(models.Model):
    """How much is sent to a provider's account, or to one model at it, from a moment on. Never changed: a newer
    revision replaces it.

    A figure that is missing is the installation's setting for an account, and no limit of its own for a model. A row
    with a workspace holds for that workspace's account and goes before the installation's own.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64, blank=True)  # empty: the account, all its models together
    number = models.PositiveIntegerField()
    per_minute = models.PositiveIntegerField(null=True, blank=True)
    burst = models.PositiveIntegerField(null=True, blank=True)  # bucket size: how many of them may go at once
    parallel = models.PositiveIntegerField(null=True, blank=True)
    effective_from = models.DateTimeField()
    source = models.CharField(max_length=16, choices=LimitSource.choices)
    reason = models.CharField(max_length=300)
    author_id = models.UUIDField(null=True, blank=True)  # plain: the row outlives the account
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("provider", "model", "-number")
        constraints = (
            models.UniqueConstraint(fields=("provider", "model", "number"), name="one_limit_revision_a_number"),
            models.CheckConstraint(
                condition=Q(per_minute__isnull=True) | Q(per_minute__gte=1), name="limit_per_minute_from_1"
            ),
            models.CheckConstraint(condition=Q(burst__isnull=True) | Q(burst__gte=1), name="limit_burst_from_1"),
            models.CheckConstraint(
                condition=Q(parallel__isnull=True) | Q(parallel__gte=1), name="limit_parallel_from_1"
            ),
        )
        indexes = (
            models.Index(
                fields=("workspace", "provider", "model", "-effective_from", "-number"), name="limit_in_force"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model or self.provider} limits, revision {self.number}"
