"""Assets as the API reads and shows them."""

from typing import Any

from rest_framework import serializers

from genengine.assets.media_urls import signed_media_url
from genengine.assets.models import AssetKind, Blob
from genengine.core.api.fields import LinkField


class FileSerializer(serializers.Serializer):
    """Stored bytes: their hash, their size and a link that expires. The link takes byte ranges."""

    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    media_type = serializers.CharField()
    url = serializers.SerializerMethodField()

    def get_url(self, blob: Blob) -> str:
        """An absolute, signed, expiring address."""
        path = signed_media_url(blob, filename=self.context.get("filename", ""))
        request = self.context.get("request")
        return request.build_absolute_uri(path) if request else path


class AssetSerializer(serializers.Serializer):
    """A named, typed, versioned file of the workspace."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(AssetKind.choices)
    version = serializers.IntegerField()
    previous = serializers.UUIDField(source="previous_id", allow_null=True)
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(source="original.sha256", help_text="Of what was uploaded.")
    size = serializers.IntegerField(source="original.size")
    media_type = serializers.CharField(source="working.media_type", help_text="Of the normalised copy.")
    licence = serializers.CharField()
    attribution = serializers.CharField()
    warnings: Any = serializers.ListField(child=serializers.CharField())
    url = LinkField(
        lambda asset: signed_media_url(asset.working, filename=asset.name),
        help_text="The normalised copy: signed, expiring, with byte ranges.",
    )
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)


class UploadSerializer(serializers.Serializer):
    """One file as multipart/form-data. Its content decides what it is."""

    file = serializers.FileField(allow_empty_file=True)
    name = serializers.CharField(max_length=200, required=False, help_text="Unless given, the file's own name.")
    previous = serializers.UUIDField(required=False, help_text="The asset that this is a newer version of.")
    licence = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    attribution = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
