"""Export packages as the API shows them."""

from typing import Any

from rest_framework import serializers

from campaigns.delivery.models import Export
from campaigns.delivery.states import ExportState
from genengine.assets.media_urls import signed_media_url
from genengine.core.api.fields import LinkField, StrictSerializer
from genengine.workspaces.policy import Action, can
from jobs.execution.words import people_state, seed_word


class PointSerializer(serializers.Serializer):
    """What blocks the package, and what clears it."""

    code = serializers.CharField()
    subject = serializers.CharField()
    message = serializers.CharField()
    fix = serializers.CharField()


class ExportSerializer(serializers.Serializer):
    """A package of masters with captions, thumbnails, script, shot list and checksums."""

    id = serializers.UUIDField()
    job = serializers.UUIDField(source="job_id")
    state = serializers.ChoiceField([state.value for state in ExportState])
    people_state = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    simulated = serializers.BooleanField()
    masters = serializers.SerializerMethodField()
    checklist = PointSerializer(many=True)
    failure = serializers.JSONField(allow_null=True)
    sha256 = serializers.CharField(source="package.sha256", default=None, allow_null=True)
    size = serializers.IntegerField(source="package.size", default=None, allow_null=True)
    download_url = serializers.SerializerMethodField(
        help_text="Signed, expiring, with byte ranges; null until it is ready, and for keys without the right."
    )
    created_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)

    def get_people_state(self, export: Export) -> str:
        return people_state(export.state)

    def get_status(self, export: Export) -> str:
        return seed_word(export.state)

    def get_masters(self, export: Export) -> list[dict[str, str]]:
        return [{"id": master, "sha256": sha256} for master, sha256 in sorted(export.hashes.items())]

    def get_download_url(self, export: Export) -> str | None:
        if export.state != ExportState.READY or not can(self.context["principal"], Action.DOWNLOAD, export):
            return None
        path = LinkField(_package_link)
        path.bind("download_url", self)
        return path.to_representation(export)


class ExportRequestSerializer(StrictSerializer):
    """Ask for a package."""

    masters: Any = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=200)


def _package_link(export: Export) -> str | None:
    if export.package is None:
        return None
    return signed_media_url(export.package, filename=f"export-{export.pk}.zip", download=True)
