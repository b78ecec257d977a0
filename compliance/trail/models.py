"""The audit trail: append-only, hash-chained per workspace, without foreign keys because it outlives what it names."""

from django.db import models

from genengine.core.ids import new_id


class AuditEntry(models.Model):
    """Who did what to what. `hash` covers every other field and the entry before it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    chain = models.CharField(max_length=64)  # a workspace id, or "installation"
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["chain", "seq"]
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="one_audit_entry_a_number")]
        indexes = [models.Index(fields=["chain", "at"]), models.Index(fields=["subject_id"])]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class AuditHead(models.Model):
    """The end of a chain; its row lock orders the writers."""

    chain = models.CharField(max_length=64, primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain}@{self.seq}"
