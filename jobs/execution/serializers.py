"""Jobs as the API shows them."""

from rest_framework import serializers

from genengine.core.api.fields import MoneyField, StrictSerializer
from genengine.workspaces.models import Mode
from jobs.execution.models import Branch, Clip, Job
from jobs.execution.words import people_state, seed_word


class StateSerializer(serializers.Serializer):
    """A state in three vocabularies."""

    state = serializers.CharField()
    people_state = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField(help_text="queued, processing, completed or failed.")

    def get_people_state(self, row: Job | Branch | Clip) -> str:
        return people_state(row.state)

    def get_status(self, row: Job | Branch | Clip) -> str:
        return seed_word(row.state)


class JobSerializer(StateSerializer):
    """A launched plan at work."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    brief = serializers.UUIDField(source="brief_id", allow_null=True)
    brief_version = serializers.IntegerField()
    restricted = serializers.BooleanField(help_text="To its brief's author and to admins.")
    mode = serializers.ChoiceField(Mode.choices)
    paused = serializers.BooleanField()
    cancelled = serializers.BooleanField()
    cap = MoneyField(source="cap_micro")
    deadline_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BranchStateSerializer(StateSerializer):
    """A variant."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    paused = serializers.BooleanField()
    cancelled = serializers.BooleanField()


class ClipStateSerializer(StateSerializer):
    """A clip: one scene of one variant."""

    id = serializers.UUIDField()
    branch = serializers.UUIDField(source="branch_id")
    scene = serializers.CharField(source="scene_key")
    clip_index = serializers.IntegerField(source="position")
    locked = serializers.BooleanField()
    selected_take = serializers.UUIDField(source="selected_take_id", allow_null=True)
    tries = serializers.IntegerField()
    failure = serializers.JSONField(allow_null=True, help_text="stage, cause, who_pays, next_step")


class ReasonSerializer(StrictSerializer):
    """Why, for the log."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class CapSerializer(ReasonSerializer):
    """Another limit for the job."""

    cap_micro = serializers.IntegerField(min_value=0, help_text="In millionths of the currency.")
