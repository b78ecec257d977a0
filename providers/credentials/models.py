"""A workspace's accounts at vendors. The secret is sealed; no code path shows it again."""

from __future__ import annotations

from django.db import models

from genengine.workspaces.tenancy import TenantModel


class ProviderAccount(TenantModel):
    """Credentials of one workspace at one vendor. ``fields`` names what is kept, ``secret`` holds it sealed."""

    provider = models.CharField(max_length=32)
    label = models.CharField(max_length=80)
    base_url = models.URLField(blank=True)
    fields = models.JSONField(default=list)
    secret = models.TextField()
    verified_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("provider", "label")
        constraints = (models.UniqueConstraint(fields=("workspace", "provider", "label"), name="one_account_a_label"),)

    def __str__(self) -> str:
        return f"{self.label} ({self.provider})"
