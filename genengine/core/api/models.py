"""What was answered to a request with an Idempotency-Key."""

from django.db import models

from genengine.core.ids import new_id


class RememberedAnswer(models.Model):
    """A successful answer under a partner's key. It is written in the transaction of the work that it answers for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=255)
    principal = models.CharField(max_length=80)  # api_key:<id> or person:<id>@<workspace>
    route = models.CharField(max_length=300)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    location = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "principal", "route"], name="one_answer_a_key")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
