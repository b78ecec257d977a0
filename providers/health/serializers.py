"""Provider health as the API shows it."""

from rest_framework import serializers

from genengine.workspaces.models import Mode
from providers.traffic.types import WaitReason


class WaitSerializer(serializers.Serializer):
    """What a request would wait for."""

    reason = serializers.ChoiceField([r.value for r in WaitReason])
    until = serializers.DateTimeField(allow_null=True)
    words = serializers.CharField()


class PassRateSerializer(serializers.Serializer):
    """How many results passed the first check of their file."""

    passed = serializers.IntegerField()
    checked = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="0 to 1; nothing where none was checked.")


class ModelHealthSerializer(serializers.Serializer):
    """One model at the account."""

    model = serializers.CharField()
    state = serializers.CharField(help_text="closed, half_open or open.")
    wait = WaitSerializer(allow_null=True)
    needs_person = serializers.BooleanField(help_text="Only a new test of the key, or credit, brings it back.")
    calls = serializers.IntegerField(help_text="Submits and tasks of the last 24 hours, without those refused as busy.")
    success = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    submit_s = serializers.FloatField(allow_null=True, help_text="Median seconds of a submit.")
    usual_s = serializers.FloatField(allow_null=True, help_text="Median seconds from submit to result.")
    p95_s = serializers.FloatField(allow_null=True, help_text="95th percentile of the same.")
    parallel = serializers.IntegerField(help_text="Clips that it may make at once.")
    per_minute = serializers.IntegerField(help_text="Submits a minute to it.")
    left = serializers.IntegerField(help_text="Submits that may be sent at once now.")
    waiting = serializers.IntegerField(help_text="Clips of this workspace that wait for it.")
    running = serializers.IntegerField(help_text="Clips of this workspace that it is making.")
    checks = PassRateSerializer(help_text="Of the last 30 days.")
    checks_before = PassRateSerializer(help_text="Of the 30 days before them.")


class TroubleSerializer(serializers.Serializer):
    """One call that did not go well."""

    at = serializers.DateTimeField()
    model = serializers.CharField()
    call = serializers.CharField()
    kind = serializers.CharField()
    message = serializers.CharField()


class TurnSerializer(serializers.Serializer):
    """One turn of a circuit."""

    at = serializers.DateTimeField()
    model = serializers.CharField()
    event = serializers.ChoiceField(["opened", "probed", "closed"])
    reason = serializers.CharField()
    wait_s = serializers.FloatField(allow_null=True)


class ProviderHealthSerializer(serializers.Serializer):
    """One provider at one account of the workspace."""

    provider = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a name that the base class has too
    mode = serializers.ChoiceField(Mode.choices)
    account = serializers.CharField(help_text="The account's name; empty in simulated mode.")
    state = serializers.CharField(help_text="closed, half_open or open: the worst of its models'.")
    parallel = serializers.IntegerField(help_text="Clips in flight at once.")
    per_minute = serializers.IntegerField(help_text="Submits a minute.")
    blocked_until = serializers.DateTimeField(allow_null=True, help_text="The vendor is busy until then.")
    checked_at = serializers.DateTimeField(allow_null=True)
    check_worked = serializers.BooleanField(allow_null=True)
    models = ModelHealthSerializer(many=True)
    troubles = TroubleSerializer(many=True)
    history = TurnSerializer(many=True)
