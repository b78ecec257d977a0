"""Model cards as rows: append-only revisions of price, limits and status, and the test calls that proved a model."""

from django.db import models
from django.db.models import Q

from genengine.core.ids import new_id
from genengine.workspaces.models import Workspace
from genengine.workspaces.tenancy import TenantModel


class CardStatus(models.TextChoices):
    """Whether new plans may use a model. What runs already goes on."""

    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    RETIRED = "retired", "Retired"


class CardSource(models.TextChoices):
    """Who wrote a revision."""

    SHIPPED = "shipped", "Shipped with the adapter"
    OPERATOR = "operator", "Written by an operator"


class CardRevision(models.Model):
    """What a model costs and how it may be used from a moment on. Never changed: a newer revision replaces it.

    A row with a workspace is that workspace's contract rate and goes before the installation's own.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    status = models.CharField(max_length=16, choices=CardStatus.choices, default=CardStatus.ACTIVE)
    price = models.JSONField()  # providers.registry.terms: shape, amounts as text, currency, tiers
    rate = models.JSONField(null=True, blank=True)  # a vendor unit in US dollars on a date
    volume_tiers = models.JSONField(default=list, blank=True)  # [{"from_units": 1000, "percent_off": "10"}]
    off_peak = models.JSONField(null=True, blank=True)  # {"from": "22:00", "to": "06:00", "percent_off": "30"}, UTC
    longest_s = models.PositiveIntegerField(null=True, blank=True)  # below what the adapter allows
    resolutions = models.JSONField(default=list, blank=True)  # some of the adapter's; empty: all
    quality = models.PositiveSmallIntegerField()
    speed_s_per_s = models.FloatField()
    facts_sure = models.BooleanField(default=False)
    source = models.CharField(max_length=16, choices=CardSource.choices)
    source_note = models.CharField(max_length=300, blank=True)
    terms_digest = models.CharField(max_length=64)  # of everything above that decides price and use
    author_id = models.UUIDField(null=True, blank=True)  # plain: the row outlives the account
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("provider", "model", "-number")
        constraints = (
            models.UniqueConstraint(fields=("model", "number"), name="one_card_revision_a_number"),
            models.CheckConstraint(condition=Q(quality__gte=1, quality__lte=10), name="card_quality_1_to_10"),
        )
        indexes = (models.Index(fields=("model", "workspace", "-effective_from", "-number"), name="card_in_force"),)

    def __str__(self) -> str:
        return f"{self.model} revision {self.number}"


class ModelTestState(models.TextChoices):
    """How a test call stands."""

    RUNNING = "running", "Running"
    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"


class ModelTest(TenantModel):
    """One real, paid call that is to prove a model's facts in this installation. `job_id` is the job that made it."""

    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    facts_digest = models.CharField(max_length=64)  # what was proved: a changed adapter asks for a new test
    job_id = models.UUIDField()
    state = models.CharField(max_length=16, choices=ModelTestState.choices, default=ModelTestState.RUNNING)
    price_micro = models.BigIntegerField()
    cost_micro = models.BigIntegerField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)
    asked_by_id = models.UUIDField(null=True, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-asked_at",)
        indexes = (models.Index(fields=("state", "model"), name="model_test_by_state"),)

    def __str__(self) -> str:
        return f"test of {self.model}: {self.state}"
