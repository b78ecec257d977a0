"""The timeline and the events of a job as the API shows them."""

from typing import Any

from rest_framework import serializers

from genengine.assets.media_urls import signed_media_url
from genengine.core.api.fields import LinkField, MoneyField
from jobs.execution.serializers import JobSerializer
from jobs.execution.words import seed_word
from jobs.timeline.queries import BranchRow, ClipRow, MasterRow, TakeView


class SpanSerializer(serializers.Serializer):
    """A stretch of time: one attempt or one composition."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True)
    fallback = serializers.BooleanField()


class TakeSerializer(serializers.Serializer):
    """A result for a clip."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    kind = serializers.CharField()
    selected = serializers.BooleanField()
    simulated = serializers.BooleanField()
    verdict = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    url = LinkField(lambda take: signed_media_url(take.blob))
    poster_url = LinkField(lambda take: signed_media_url(take.poster) if take.poster else None)


class RowStateSerializer(serializers.Serializer):
    """A state in three vocabularies."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    people_state = serializers.CharField(source="people")
    status = serializers.SerializerMethodField()

    def get_status(self, row: BranchRow | ClipRow | MasterRow | TakeView) -> str:
        return seed_word(row.state)  # type: ignore[union-attr]


class ClipRowSerializer(RowStateSerializer):
    """A clip with its attempts in time and its takes."""

    scene = serializers.CharField()
    title = serializers.CharField()
    clip_index = serializers.IntegerField(source="position")
    locked = serializers.BooleanField()
    provider = serializers.CharField()
    model = serializers.CharField()
    prompt = serializers.CharField()
    reason = serializers.CharField()
    duration_ms = serializers.IntegerField()
    progress = serializers.FloatField(allow_null=True)
    tries = serializers.IntegerField()
    step = serializers.CharField()
    place = serializers.IntegerField(allow_null=True, help_text="In the line before its provider, 1 is next.")
    wait_s = serializers.FloatField(allow_null=True, help_text="About how many seconds until it starts.")
    failure = serializers.JSONField(allow_null=True)
    price = MoneyField(source="price_micro")
    cost = MoneyField(source="cost_micro")
    actions: Any = serializers.ListField(child=serializers.CharField(), help_text="What may be done to it now.")
    spans = SpanSerializer(many=True)
    takes = TakeSerializer(many=True)


class MasterRowSerializer(RowStateSerializer):
    """A finished video, or one in the making."""

    locale = serializers.CharField()
    ratio = serializers.CharField()
    progress = serializers.FloatField(allow_null=True)
    sha256 = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    has_fallback = serializers.BooleanField()
    partial = serializers.BooleanField()  # type: ignore[assignment]
    verdict = serializers.CharField()
    failure = serializers.JSONField(allow_null=True)
    spans = SpanSerializer(many=True)


class BranchRowSerializer(RowStateSerializer):
    """A variant with its clips and masters."""

    key = serializers.CharField()
    name = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    paused = serializers.BooleanField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    clips = ClipRowSerializer(many=True)
    masters = MasterRowSerializer(many=True)


class ProviderSpendSerializer(serializers.Serializer):
    """What one provider has cost the job."""

    provider = serializers.CharField(source="0")
    cost = MoneyField(source="1")


class SpendSerializer(serializers.Serializer):
    """The money of a job."""

    limit = MoneyField(source="limit_micro")
    held = MoneyField(source="held_micro")
    spent = MoneyField(source="spent_micro")
    forecast = MoneyField(source="forecast_micro")
    by_provider = serializers.SerializerMethodField()

    def get_by_provider(self, spend: Any) -> list[dict[str, Any]]:
        rows = [{"0": provider, "1": micro} for provider, micro in spend.by_provider]
        return ProviderSpendSerializer(rows, many=True, context=self.context).data  # type: ignore[return-value]


class ProgressSerializer(serializers.Serializer):
    """Where a job stands."""

    job = JobSerializer()
    percentage = serializers.SerializerMethodField()
    eta_at = serializers.DateTimeField(allow_null=True)
    spend = SpendSerializer()
    last_seq = serializers.IntegerField(help_text="Read events after this number to miss nothing.")

    def get_percentage(self, timeline: Any) -> float:
        return round(100 * timeline.progress, 1)


class TimelineSerializer(ProgressSerializer):
    """The whole timeline: variants, clips with their attempts in time, masters."""

    branches = BranchRowSerializer(many=True)


class ActorSerializer(serializers.Serializer):
    """Who did it, by id."""

    kind = serializers.ChoiceField(["person", "api_key", "system"])
    id = serializers.CharField()


class SubjectSerializer(serializers.Serializer):
    """What it happened to, by id."""

    kind = serializers.CharField()
    id = serializers.CharField()


class CostSerializer(serializers.Serializer):
    """An amount."""

    amount_micro = serializers.IntegerField()
    currency = serializers.CharField()
    display = serializers.CharField()


class MessageSerializer(serializers.Serializer):
    """An event of a job. The same values travel over the WebSocket."""

    id = serializers.UUIDField()
    seq = serializers.IntegerField(help_text="Counts up by one in the job's stream, without a gap.")
    type = serializers.CharField()
    at = serializers.DateTimeField()
    actor = ActorSerializer()
    subject = SubjectSerializer()
    schema_version = serializers.IntegerField()
    correlation_id = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
    stage = serializers.CharField()
    percentage = serializers.FloatField(help_text="Of the whole job, at the moment of reading.")
    message = serializers.CharField(help_text="The event as a sentence.")
    tone = serializers.ChoiceField(["plain", "good", "warn", "bad"])
    clip_index = serializers.IntegerField(allow_null=True)
    cost = CostSerializer(allow_null=True, help_text="Spent on the job so far, at the moment of reading.")


class EventsSerializer(serializers.Serializer):
    """Events after a number."""

    events = MessageSerializer(many=True)
    last_seq = serializers.IntegerField(help_text="The number of the newest event of the job.")


class TicketSerializer(serializers.Serializer):
    """A right to open the job's socket once."""

    ticket = serializers.CharField()
    url = serializers.CharField(help_text="The socket's address with the ticket in it.")
    expires_at = serializers.DateTimeField()
