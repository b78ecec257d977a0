"""Plans as the API shows them, and the changes that it takes: one body shape for each kind of change."""

import re
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from campaigns.planning.types import CAMERAS, TRANSITIONS, PlanChange
from genengine.core.api.fields import MoneyField, StrictSerializer
from genengine.core.api.problems import Point
from genengine.workspaces.models import ReusePolicy
from jobs.looks import LOOKS
from jobs.preflight.types import Level


class SceneSerializer(serializers.Serializer):
    """A passage of the ad."""

    key = serializers.CharField()
    title = serializers.CharField()
    role = serializers.ChoiceField(["hook", "beat", "cta"])
    script = serializers.CharField()
    visual = serializers.CharField()
    camera = serializers.CharField()
    on_screen_text = serializers.CharField()
    duration_ms = serializers.IntegerField()
    transition = serializers.ChoiceField(TRANSITIONS)
    references: Any = serializers.ListField(child=serializers.CharField(), help_text="Ids of the assets it shows.")
    reference_images: Any = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of pictures that models follow and do not show."
    )
    locked = serializers.BooleanField()


class PlanBranchSerializer(serializers.Serializer):
    """One variant."""

    key = serializers.CharField()
    name = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    style = serializers.CharField()  # type: ignore[assignment]
    look = serializers.CharField(help_text="Archetype and preset; empty is the engine's usual manner.")
    look_reason = serializers.CharField()


class ClipInputSerializer(serializers.Serializer):
    """A file that a clip is made from."""

    asset_id = serializers.CharField()
    role = serializers.CharField()


class ReuseSerializer(serializers.Serializer):
    """What stands for a clip, and the price of making it: an earlier take of the same request, or the take that another
    clip of this plan will have."""

    take = serializers.CharField(help_text="Empty when the clip waits for another one of its plan.")
    job = serializers.CharField()
    scene = serializers.CharField(help_text="Of the clip that is made for both; empty for an earlier take.")
    branch = serializers.CharField()
    reason = serializers.CharField()
    price = MoneyField(source="price_micro")


class PlanClipSerializer(serializers.Serializer):
    """What is asked of which model for one scene of one variant, at which price, and why."""

    scene = serializers.CharField()
    branch = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField()
    task = serializers.CharField()
    prompt = serializers.CharField()
    negative_prompt = serializers.CharField()
    seed = serializers.IntegerField()
    native_ratio = serializers.CharField()
    resolution = serializers.CharField()
    duration_ms = serializers.IntegerField()
    price = MoneyField(source="price_micro")
    price_upper = MoneyField(source="price_upper_micro")
    card_revision = serializers.IntegerField(
        help_text="Of the model card that the price is from; 0: the adapter's own."
    )
    list_price = MoneyField(source="list_micro", help_text="Before volume tiers, off-peak hours and reuse.")
    naive_price = MoneyField(source="naive_micro", help_text="At the model of the highest declared quality.")
    naive_model = serializers.CharField()
    reuse = ReuseSerializer(allow_null=True)
    expected_s = serializers.IntegerField()
    inputs = ClipInputSerializer(many=True)
    reason = serializers.CharField()
    rejected: Any = serializers.ListField(child=serializers.CharField())
    notes: Any = serializers.ListField(child=serializers.CharField())


class PlanSerializer(serializers.Serializer):
    """Scenes, variants, and a clip for each pair of them."""

    title = serializers.CharField()
    channel = serializers.CharField()
    length_ms = serializers.IntegerField()
    ratios: Any = serializers.ListField(child=serializers.CharField())
    captions = serializers.CharField()
    engine_policy = serializers.CharField(help_text="Where its videos are rendered; empty leaves it to the workspace.")
    scenes = SceneSerializer(many=True)
    branches = PlanBranchSerializer(many=True)
    clips = PlanClipSerializer(many=True)
    reuse = serializers.ChoiceField(ReusePolicy.choices, help_text="Which earlier results may stand for a clip.")
    locales = serializers.SerializerMethodField()
    disclosures: Any = serializers.ListField(child=serializers.CharField())
    notes: Any = serializers.ListField(child=serializers.CharField())

    def get_locales(self, plan: Any) -> list[str]:
        return [locale.code for locale in plan.locales]


class RevisionSummarySerializer(serializers.Serializer):
    """A plan revision in a list."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    planner = serializers.CharField()
    reason = serializers.CharField()
    author = serializers.UUIDField(source="author_id", allow_null=True)
    price = MoneyField(source="price_micro")
    price_upper = MoneyField(source="price_upper_micro", help_text="What is reserved at launch.")
    price_difference = MoneyField(source="price_difference_micro")
    launched_job = serializers.UUIDField(source="launched_job_id", allow_null=True)
    created_at = serializers.DateTimeField()


class FixSerializer(serializers.Serializer):
    """A change of the brief that helps."""

    kind = serializers.CharField()
    sentence = serializers.CharField()
    variants = serializers.IntegerField(allow_null=True)
    profile = serializers.CharField(allow_null=True)
    cap = MoneyField(source="cap_micro")
    seconds = serializers.IntegerField(allow_null=True)


class PlanProblemSerializer(serializers.Serializer):
    """What of the brief's budget or deadline the plan cannot meet."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    fixes = FixSerializer(many=True)


class RevisionSerializer(RevisionSummarySerializer):
    """A plan revision with its plan."""

    stale = serializers.BooleanField(source="is_stale", help_text="The brief was edited after this plan was made.")
    expected_s = serializers.IntegerField()
    problems = PlanProblemSerializer(many=True)
    plan = PlanSerializer()


class EstimateSerializer(serializers.Serializer):
    """What the brief would cost and take as it stands; nothing is stored."""

    price = MoneyField(source="price_micro")
    price_upper = MoneyField(source="price_upper_micro")
    expected_s = serializers.IntegerField()
    scenes = serializers.IntegerField()
    variants = serializers.IntegerField()
    masters = serializers.IntegerField()
    models: Any = serializers.ListField(child=serializers.CharField())
    problems = PlanProblemSerializer(many=True)
    missing = serializers.CharField()
    sentence = serializers.CharField()


class LaunchSerializer(StrictSerializer):
    """Launch a revision. Name the one you saw; without a number the newest is meant."""

    revision = serializers.IntegerField(required=False, min_value=1)


class RefusalSerializer(serializers.Serializer):
    """Why a launch would be refused, as a problem's code, sentence and points."""

    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]


class PlanFindingSerializer(serializers.Serializer):
    """Something that the finished films would have wrong, told before anything is made."""

    code = serializers.CharField()
    level = serializers.ChoiceField([str(level) for level in Level], help_text="An error holds the launch back.")
    scene = serializers.CharField(help_text="The scene's key; empty for the whole ad.")
    number = serializers.IntegerField(help_text="The scene's place from 1; 0 for the whole ad.")
    subject = serializers.CharField()
    cause = serializers.CharField()
    fix = serializers.CharField()
    films: Any = serializers.ListField(child=serializers.CharField(), help_text="Ratio and language of each.")


class DryRunSerializer(serializers.Serializer):
    """What a launch would do now. It was tried in full and undone; nothing was stored, held or sent."""

    would_launch = serializers.BooleanField()
    revision = serializers.IntegerField()
    price = MoneyField(source="price_micro")
    price_upper = MoneyField(source="price_upper_micro")
    expected_s = serializers.IntegerField()
    mode = serializers.CharField()
    refusals = RefusalSerializer(many=True)
    findings = PlanFindingSerializer(many=True)


def _kind_of(change: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", change.__name__).lower()


def _field_of(hint: Any, name: str, required: bool) -> serializers.Field:
    """A serializer field for a dataclass field; `None` there means "leave it as it is"."""
    hint = next((a for a in get_args(hint) if a is not type(None)), hint) if isinstance(hint, UnionType) else hint
    if get_origin(hint) is tuple:
        return serializers.ListField(child=serializers.CharField(), required=required)
    if hint is int:
        return serializers.IntegerField(required=required)
    if hint is bool:
        return serializers.BooleanField(required=required)
    if name == "policy":
        return serializers.ChoiceField(ReusePolicy.choices, required=required)
    if name == "look":
        return serializers.ChoiceField(list(LOOKS), required=required)
    if name in ("camera", "transition"):
        return serializers.ChoiceField(CAMERAS if name == "camera" else TRANSITIONS, required=required)
    return serializers.CharField(required=required, allow_blank=True, trim_whitespace=False)


def _serializer_of(change: type) -> type[StrictSerializer]:
    hints = get_type_hints(change)
    body: dict[str, Any] = {
        field.name: _field_of(hints[field.name], field.name, field.default is MISSING) for field in fields(change)
    }
    body["kind"] = serializers.ChoiceField([_kind_of(change)])
    body["__doc__"] = change.__doc__
    return type(f"{change.__name__}Change", (StrictSerializer,), body)


CHANGES: dict[str, type] = {_kind_of(change): change for change in get_args(PlanChange)}
SERIALIZERS = {name: _serializer_of(change) for name, change in CHANGES.items()}
AnyChange = PolymorphicProxySerializer(
    component_name="PlanChange",
    serializers=dict(SERIALIZERS),
    resource_type_field_name="kind",
)


class ChangeSerializer(StrictSerializer):
    """One change, made on the revision that was seen."""

    revision = serializers.IntegerField(min_value=1)
    change = serializers.DictField()

    def validate_change(self, value: dict[str, Any]) -> PlanChange:
        """Read the change by its kind."""
        name = str(value.get("kind", ""))
        if name not in SERIALIZERS:
            raise serializers.ValidationError({"kind": f"Use one of: {', '.join(SERIALIZERS)}."})
        form = SERIALIZERS[name](data=value)
        form.is_valid(raise_exception=True)
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in form.validated_data.items() if k != "kind"}
        made: PlanChange = CHANGES[name](**values)
        return made


class ChangeBodySerializer(ChangeSerializer):
    """The same for the description: the change by its kind."""

    change = AnyChange  # type: ignore[assignment]


def points_of_findings(error: Any) -> list[Point]:
    """Return what the finished films would have wrong."""
    return [
        Point(f"scenes[{found.number - 1}]" if found.number else "", f"{found.subject}: {found.cause}", found.fix)
        for found in error.findings
    ]


def points_of_problems(error: Any) -> list[Point]:
    """Return the offered fixes of a launch that is too dear."""
    return [
        Point("cap_micro" if problem.code == "over_cap" else "deadline_at", problem.sentence, fix.sentence)
        for problem in error.problems
        for fix in problem.fixes
    ]
