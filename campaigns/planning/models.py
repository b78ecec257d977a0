"""Plans of a brief: append-only revisions of values (`jobs.plan.Plan`), and what language models were asked."""

from django.conf import settings
from django.db import models

from campaigns.briefs.models import Brief
from genengine.workspaces.tenancy import TenantModel
from jobs.plan import Plan as PlanValues


class PlanRevision(TenantModel):
    """One revision: who made it, why, what it costs, and by how much that differs from the one before."""

    restricted_by = "brief"

    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="plan_revisions")
    number = models.PositiveIntegerField()
    values = models.JSONField()
    brief_digest = models.CharField(max_length=64)  # of what the planner read; an edited brief asks for a new plan
    planner = models.CharField(max_length=32, default="builtin")
    reason = models.CharField(max_length=200, blank=True)
    price_micro = models.BigIntegerField()
    price_upper_micro = models.BigIntegerField()
    price_difference_micro = models.BigIntegerField(default=0)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    launched_job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["brief", "number"], name="one_plan_revision_a_number")]

    def __str__(self) -> str:
        return f"{self.brief} plan {self.number}"

    @property
    def plan(self) -> PlanValues:
        """Return the values as a plan."""
        return PlanValues.from_dict(self.values)


class AskState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    ASKING = "asking", "Asking"
    DONE = "done", "Planned by the model"
    FELL_BACK = "fell_back", "Planned by the built-in planner"
    FAILED = "failed", "Not planned"


class PlannerAsk(TenantModel):
    """One plan asked of a language model, from the click to the revision. `note` says why it was not the model's."""

    restricted_by = "brief"

    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="planner_asks")
    provider = models.CharField(max_length=32)
    model = models.CharField(max_length=64)
    mode = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=AskState.choices, default=AskState.WAITING)
    rounds = models.PositiveSmallIntegerField(default=0)
    open_reservation_id = models.UUIDField(null=True, blank=True)  # paid for, and no answer stored yet
    spent_micro = models.BigIntegerField(default=0)
    note = models.CharField(max_length=500, blank=True)
    revision = models.ForeignKey(
        PlanRevision, null=True, blank=True, on_delete=models.SET_NULL, related_name="planner_asks"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["brief"], condition=models.Q(state__in=("waiting", "asking")), name="one_open_ask_a_brief"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} for {self.brief}"

    @property
    def is_open(self) -> bool:
        """Return whether the answer is still awaited."""
        return self.state in (AskState.WAITING, AskState.ASKING)
