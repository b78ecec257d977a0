"""Quality reports: what was measured on which exact bytes."""

from django.db import models

from genengine.workspaces.tenancy import TenantModel


class Verdict(models.TextChoices):
    PASS = "pass"  # noqa: S105 (a verdict)
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class QualityReport(TenantModel):
    """One check run over one file. `findings` are rows of check, verdict, measured, threshold, evidence, message."""

    job_id = models.UUIDField(db_index=True)
    subject_kind = models.CharField(max_length=16)  # take | master
    subject_id = models.UUIDField(db_index=True)
    attempt_id = models.UUIDField(null=True, blank=True)  # plain: whose result was checked, for a take
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    score = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True)
    findings = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["workspace", "created_at"],
                name="report_of_attempt",
                condition=models.Q(attempt_id__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.verdict}"
