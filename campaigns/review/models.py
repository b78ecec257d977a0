"""Whether people accept it: approvals bound to the exact bytes of a master."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from genengine.workspaces.tenancy import TenantModel
from jobs.execution.models import Master


class Approval(TenantModel):
    """An Approver's yes to one master's exact hash; withdrawn by a person or when the master changes."""

    restricted_by = "master__job"

    master = models.ForeignKey(Master, on_delete=models.CASCADE, related_name="approvals")
    sha256 = models.CharField(max_length=64)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    granted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-granted_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["master", "sha256"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_approval",
            )
        ]

    def __str__(self) -> str:
        return f"{self.approver} approved {self.sha256[:12]}"
