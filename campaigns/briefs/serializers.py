"""Briefs as the API reads and shows them. The rules of each field are the service's; here stand shapes only."""

from typing import Any

from rest_framework import serializers

from campaigns.briefs.models import AdType, Brief, BriefAssetRole, BriefState, EngineChoice, QualityProfile
from campaigns.briefs.queries import assets_of, readiness
from campaigns.briefs.starters import STARTERS
from campaigns.briefs.types import FLAGS
from genengine.assets.serializers import AssetSerializer
from genengine.core.api.fields import MoneyField, StrictSerializer
from genengine.media.channels import CHANNELS, RATIO_SIZES

EXAMPLE_SCRIPT = "[Scene 1, 0-4 s. A can on wet stone.]\nMeet the morning."


def texts(**options: Any) -> serializers.ListField:
    """A list of short texts."""
    return serializers.ListField(child=serializers.CharField(allow_blank=True), required=False, **options)


class BriefWriteSerializer(StrictSerializer):
    """What a brief can hold. Every field is optional; a PATCH changes only what it names."""

    title = serializers.CharField(required=False, allow_blank=True)
    campaign = serializers.CharField(required=False, allow_blank=True, help_text="By name; made when it is new.")
    ad_type = serializers.ChoiceField(AdType.choices, required=False)
    script = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, help_text=EXAMPLE_SCRIPT)
    key_messages = texts()
    call_to_action = serializers.CharField(required=False, allow_blank=True)
    brand_kit = serializers.UUIDField(required=False, allow_null=True)
    audience = serializers.CharField(required=False, allow_blank=True)
    channel = serializers.ChoiceField(sorted(CHANNELS), required=False)
    language = serializers.CharField(required=False, help_text="en, es, pt-BR, …")
    alternate_languages = texts()
    alternate_scripts = serializers.DictField(child=serializers.CharField(), required=False)
    tone = texts()
    required_elements = texts()
    forbidden_elements = texts()
    compliance_flags = serializers.MultipleChoiceField(choices=sorted(FLAGS), required=False)
    length_ms = serializers.IntegerField(required=False)
    ratios = serializers.ListField(child=serializers.ChoiceField(sorted(RATIO_SIZES)), required=False)
    variants = serializers.IntegerField(required=False)
    quality_profile = serializers.ChoiceField(QualityProfile.choices, required=False)
    engine_policy = serializers.ChoiceField(
        EngineChoice.choices, required=False, help_text="Where it is rendered; empty leaves it to the workspace."
    )
    captions = serializers.ChoiceField(["burned", "sidecar"], required=False)
    cap_micro = serializers.IntegerField(required=False, help_text="What the job may cost at most, in millionths.")
    deadline_at = serializers.DateTimeField(required=False, allow_null=True)
    music = serializers.UUIDField(required=False, allow_null=True, help_text="An audio asset.")
    voiceovers = serializers.DictField(
        child=serializers.UUIDField(), required=False, help_text="An audio asset by language."
    )
    restricted = serializers.BooleanField(required=False)


class BriefCreateSerializer(BriefWriteSerializer):
    """A new brief, from a starter template when one is named."""

    template = serializers.ChoiceField(sorted(STARTERS), required=False)


class UseSerializer(serializers.Serializer):
    """A file as a brief uses it."""

    id = serializers.UUIDField(help_text="Of this use; the asset has its own id.")
    asset = AssetSerializer()
    role = serializers.ChoiceField(BriefAssetRole.choices)
    note = serializers.CharField()
    position = serializers.IntegerField()


class AttachSerializer(StrictSerializer):
    """Use a file in the brief."""

    asset = serializers.UUIDField()
    role = serializers.ChoiceField(BriefAssetRole.choices, default=BriefAssetRole.PRODUCT)
    note = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Words that match it to a scene."
    )


class MissingSerializer(serializers.Serializer):
    """What the brief still needs; `blocks` says whether planning waits for it."""

    field = serializers.CharField()
    message = serializers.CharField()
    next_step = serializers.CharField()
    blocks = serializers.BooleanField()


class BriefSummarySerializer(serializers.Serializer):
    """A brief in a list."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.ChoiceField(BriefState.choices)
    version = serializers.IntegerField(help_text="How often it has been launched and frozen.")
    ad_type = serializers.ChoiceField(AdType.choices)
    campaign = serializers.CharField(source="campaign.name", default=None, allow_null=True)
    channel = serializers.CharField()
    language = serializers.CharField()
    length_ms = serializers.IntegerField()
    ratios: Any = serializers.ListField(child=serializers.CharField())
    variants = serializers.IntegerField()
    quality_profile = serializers.ChoiceField(QualityProfile.choices)
    engine_policy = serializers.ChoiceField(EngineChoice.choices)
    cap = MoneyField(source="cap_micro")
    deadline_at = serializers.DateTimeField(allow_null=True)
    restricted = serializers.BooleanField()
    author = serializers.UUIDField(source="author_id", allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class BriefSerializer(BriefSummarySerializer):
    """A brief with everything it says, the files it uses and what is missing."""

    script = serializers.CharField()
    key_messages: Any = serializers.ListField(child=serializers.CharField())
    call_to_action = serializers.CharField()
    brand_kit = serializers.UUIDField(source="brand_kit_id", allow_null=True)
    audience = serializers.CharField()
    alternate_languages: Any = serializers.ListField(child=serializers.CharField())
    alternate_scripts: Any = serializers.DictField(child=serializers.CharField())
    tone: Any = serializers.ListField(child=serializers.CharField())
    required_elements: Any = serializers.ListField(child=serializers.CharField())
    forbidden_elements: Any = serializers.ListField(child=serializers.CharField())
    compliance_flags: Any = serializers.ListField(child=serializers.CharField())
    captions = serializers.CharField()
    music = serializers.UUIDField(source="music_id", allow_null=True)
    voiceovers: Any = serializers.DictField(child=serializers.CharField())
    assets = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()

    def get_assets(self, brief: Brief) -> list[dict[str, Any]]:
        return UseSerializer(assets_of(brief=brief), many=True, context=self.context).data  # type: ignore[return-value]

    def get_missing(self, brief: Brief) -> list[dict[str, Any]]:
        return MissingSerializer(readiness(brief), many=True).data  # type: ignore[return-value]


class BrandKitSerializer(serializers.Serializer):
    """A brand kit to choose."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    colours: Any = serializers.DictField(child=serializers.CharField())
    logo = serializers.UUIDField(source="logo_id", allow_null=True)
    other_logo = serializers.UUIDField(source="other_logo_id", allow_null=True)
    watermark = serializers.BooleanField()
    forbidden_words: Any = serializers.ListField(child=serializers.CharField())
