"""Models of the ground: event log and process pulses."""

from django.db import models

from genengine.core.api.models import RememberedAnswer
from genengine.core.events.models import Event, Stream, StreamKind

__all__ = ["Event", "Pulse", "RememberedAnswer", "Stream", "StreamKind"]


class Pulse(models.Model):
    """The last sign of life of a process role on a host."""

    role = models.CharField(max_length=32)
    host = models.CharField(max_length=128)
    pid = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "host"], name="one_pulse_a_role_and_host")]

    def __str__(self) -> str:
        return f"{self.role}@{self.host}"
