"""Finished videos as the API shows them: file, captions, thumbnail, checks, approval."""

from typing import Any

from rest_framework import serializers

from campaigns.review.board import Card
from genengine.assets.media_urls import signed_media_url
from genengine.assets.models import Blob
from genengine.core.api.fields import LinkField, StrictSerializer
from jobs.execution.words import people_state, seed_word


class FindingSerializer(serializers.Serializer):
    """One check of a finished file."""

    name = serializers.CharField()
    verdict = serializers.ChoiceField(["pass", "warn", "fail", "unknown"])
    measured = serializers.CharField()
    threshold = serializers.CharField()
    message = serializers.CharField()
    evidence = serializers.SerializerMethodField()

    def get_evidence(self, check: Any) -> list[dict[str, Any]]:
        return [{"text": item.text, "seconds": item.seconds} for item in check.evidence]


class ApprovalSerializer(serializers.Serializer):
    """A standing approval of exactly these bytes."""

    id = serializers.UUIDField()
    sha256 = serializers.CharField()
    approver = serializers.UUIDField(source="approver_id")
    note = serializers.CharField()
    granted_at = serializers.DateTimeField()


def _link(name: str, ending: str = "") -> LinkField:
    """A signed, expiring link to one file of a master, or null."""

    def path_of(card: Card) -> str | None:
        blob: Blob | None = getattr(card.master, name)
        if blob is None:
            return None
        filename = card.filename if not ending else card.filename.removesuffix(".mp4") + ending
        return signed_media_url(blob, filename=filename)

    return LinkField(path_of)


class OutputSerializer(serializers.Serializer):
    """One master: a variant composed for one language and one ratio."""

    id = serializers.UUIDField(source="master.pk")
    branch = serializers.UUIDField(source="master.branch_id")
    branch_key = serializers.CharField(source="master.branch.key")
    branch_name = serializers.CharField(source="master.branch.name")
    locale = serializers.CharField(source="master.locale")
    ratio = serializers.CharField(source="master.ratio")
    state = serializers.CharField(source="master.state")
    people_state = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    filename = serializers.CharField()
    sha256 = serializers.CharField(source="master.sha256")
    size = serializers.IntegerField(source="master.blob.size", default=None, allow_null=True)
    width = serializers.IntegerField(source="master.width", allow_null=True)
    height = serializers.IntegerField(source="master.height", allow_null=True)
    duration_ms = serializers.IntegerField(source="master.duration_ms", allow_null=True)
    simulated = serializers.BooleanField(help_text="Made with stand-ins for the vendors; not for broadcast.")
    has_fallback = serializers.BooleanField(source="master.has_fallback")
    partial = serializers.BooleanField(source="master.partial")  # type: ignore[assignment]
    url = _link("blob")
    thumbnail_url = _link("thumbnail", ".jpg")
    srt_url = _link("srt", ".srt")
    vtt_url = _link("vtt", ".vtt")
    verdict = serializers.CharField(source="master.quality.verdict", default="unknown")
    checks = FindingSerializer(many=True)
    approval = ApprovalSerializer(allow_null=True)
    failure = serializers.JSONField(source="master.failure", allow_null=True)

    def get_people_state(self, card: Card) -> str:
        return people_state(card.master.state)

    def get_status(self, card: Card) -> str:
        return seed_word(card.master.state)


class OutputsSerializer(serializers.Serializer):
    """Every finished or coming video of a job."""

    outputs = OutputSerializer(many=True, source="cards")
    ready = serializers.IntegerField()
    approved = serializers.IntegerField()


class ApproveSerializer(StrictSerializer):
    """Approve the bytes that were seen."""

    sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False, help_text="Refused when the video has changed since."
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class WithdrawSerializer(StrictSerializer):
    """Take an approval back."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
