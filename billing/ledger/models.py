"""The ledger: money held and money settled, append-only; balances are rebuilt from it."""

from django.db import models
from django.db.models import Q

from billing.caps.models import Cap
from genengine.workspaces.models import Mode
from genengine.workspaces.tenancy import TenantModel


class ReservationState(models.TextChoices):
    HELD = "held"  # money set aside, nothing promised to a vendor yet
    COMMITTED = "committed"  # the vendor accepted (or may have): counted as spent
    SETTLED = "settled"  # the verdict is in, corrected to the vendor's figure
    RELEASED = "released"  # nothing was spent


class Stage(models.TextChoices):
    PLAN = "plan"
    IMAGE = "image"
    VIDEO = "video"
    VOICE = "voice"
    QC = "qc"
    STORAGE = "storage"


class Reservation(TenantModel):
    """Money held for one purpose, under every cap it touches."""

    book = models.CharField(max_length=16, choices=Mode.choices)
    job_id = models.UUIDField(db_index=True)
    subject_id = models.UUIDField(db_index=True)  # the clip
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.VIDEO)
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    amount_micro = models.BigIntegerField()
    settled_micro = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=ReservationState.choices, default=ReservationState.HELD)
    caps = models.ManyToManyField(Cap, related_name="reservations")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_micro__gte=0), name="amount_is_not_negative")]

    def __str__(self) -> str:
        return f"{self.amount_micro} {self.state}"


class EntryKind(models.TextChoices):
    RESERVE = "reserve"
    RELEASE = "release"
    COMMIT = "commit"
    CORRECT = "correct"
    LATE = "late"  # the vendor's word after the outcome had been presumed


class Entry(TenantModel):
    """One line of the book. Deltas add up to the balances of every cap of its reservation."""

    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, related_name="entries")
    book = models.CharField(max_length=16, choices=Mode.choices)
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    held_delta_micro = models.BigIntegerField()
    spent_delta_micro = models.BigIntegerField()
    job_id = models.UUIDField(db_index=True)
    attempt_id = models.UUIDField(null=True, blank=True)
    vendor_amount = models.DecimalField(max_digits=18, decimal_places=6, null=True, blank=True)
    vendor_currency = models.CharField(max_length=8, blank=True)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "line of the ledger"
        verbose_name_plural = "lines of the ledger"
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["reservation", "kind"], name="one_entry_a_kind_and_reservation")]

    def __str__(self) -> str:
        return f"{self.kind} {self.held_delta_micro} {self.spent_delta_micro}"
