"""Exports: a checked, packaged deliverable made from masters."""

from typing import Any

from django.conf import settings
from django.db import models

from campaigns.delivery.states import ExportState
from genengine.assets.models import Blob
from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef
from genengine.workspaces.tenancy import TenantModel
from jobs.execution.models import Job, Leased, Master


class Export(TenantModel, Leased):
    """A ZIP of media, captions, thumbnails, script, shot list and checksums. `checklist` says what blocks it."""

    restricted_by = "job"

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="exports")
    masters = models.ManyToManyField(Master, related_name="exports")
    hashes = models.JSONField(default=dict)  # master id → sha256 that was asked for
    state = models.CharField(
        max_length=24, choices=[(s.value, s.value) for s in ExportState], default=ExportState.REQUESTED
    )
    state_changed_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    checklist = models.JSONField(default=list)  # {code, message, fix, subject}
    package = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    manifest = models.JSONField(null=True, blank=True)
    simulated = models.BooleanField()
    failure = models.JSONField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"export of {self.job}"

    def event_stream(self) -> StreamRef:
        """Return the job's stream."""
        return StreamRef(StreamKind.JOB, self.job_id, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each export event carries."""
        return {"export": str(self.pk)}
