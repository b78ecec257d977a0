"""Plans of a brief: append-only revisions of values (`jobs.plan.Plan`)."""

from django.conf import settings
from django.db import models

from campaigns.briefs.models import Brief
from genengine.workspaces.tenancy import TenantModel
from jobs.plan import Plan as PlanValues


class PlanRevision(TenantModel):
    """One revision: who made it, why, what it costs, and by how much that differs from the one before."""

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
