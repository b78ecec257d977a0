"""Blobs (bytes, stored once per workspace), assets (named references to them) and lineage."""

from django.conf import settings
from django.db import models

from genengine.core.ids import new_id
from genengine.workspaces.tenancy import TenantModel


class Blob(TenantModel):
    """Bytes by SHA-256. `storage_name` is the key in the default storage; written once."""

    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    storage_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="one_blob_a_hash")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.media_type})"


class AssetKind(models.TextChoices):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    FONT = "font"


class Asset(TenantModel):
    """A named, typed, versioned reference. `original` is what was uploaded, `working` what ingest made of it."""

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=AssetKind.choices)
    original = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="original_of")
    working = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="working_of")
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="next")
    licence = models.CharField(max_length=200, blank=True)
    attribution = models.CharField(max_length=300, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["workspace", "kind"])]

    def __str__(self) -> str:
        return self.name


class Lineage(models.Model):
    """An edge "made from" between two blobs of one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    child = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="made_from")
    parent = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="made_into")
    relation = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["child", "parent", "relation"], name="one_edge_a_relation")]

    def __str__(self) -> str:
        return f"{self.child_id} {self.relation} {self.parent_id}"
