"""The event log: what happened, in order, per stream. Plain ids, so that every layer can append to it."""

from django.db import models

from genengine.core.ids import new_id


class StreamKind(models.TextChoices):
    JOB = "job"
    BRIEF = "brief"
    WORKSPACE = "workspace"


class Stream(models.Model):
    """The counter of one stream; its row lock makes sequences gapless and ordered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=StreamKind.choices)
    subject_id = models.UUIDField()
    workspace_id = models.UUIDField(db_index=True)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="one_stream_a_subject")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject_id}"


class Event(models.Model):
    """One fact. `data` is versioned by `schema_version`; `seq` starts at 1 and has no gap in its stream."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=64)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    schema_version = models.PositiveSmallIntegerField(default=1)
    correlation_id = models.CharField(max_length=64, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["stream", "seq"]
        constraints = [models.UniqueConstraint(fields=["stream", "seq"], name="one_event_a_sequence_number")]
        indexes = [models.Index(fields=["type", "at"])]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"
