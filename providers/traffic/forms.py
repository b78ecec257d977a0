"""The operator's form for the next limits of a provider's account, or of one model at it."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from genengine.core import clock
from providers.base import RemoteAdapter
from providers.catalogue import adapters
from providers.limits import TrafficLimits
from providers.traffic.limits import Scope
from providers.traffic.models import LimitRevision
from providers.traffic.revisions import MOST_PARALLEL, MOST_PER_MINUTE, LimitInvalid, check_limits

FIGURES = ("per_minute", "burst", "parallel")


class LimitRevisionForm(forms.ModelForm):
    """What the form leaves empty is left to the settings, for a model to its account."""

    scope = forms.ChoiceField(
        label="Limits of",
        choices=lambda: scope_choices(),
        help_text="An account, or one model on top of its account's.",
    )
    per_minute = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_PER_MINUTE, label="Requests a minute",
        help_text="Empty: GE_PROVIDER_SUBMITS_PER_MINUTE for an account, no rate of its own for a model.",
    )  # fmt: skip
    burst = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_PER_MINUTE, label="Bucket size",
        help_text="How many may go at once. Empty: a tenth of a minute's requests.",
    )  # fmt: skip
    parallel = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_PARALLEL, label="Tasks side by side",
        help_text="Empty: GE_PROVIDER_PARALLEL for an account, none of its own for a model.",
    )  # fmt: skip

    class Meta:
        model = LimitRevision
        fields = ("workspace", *FIGURES, "effective_from", "reason")
        help_texts: ClassVar[dict[str, str]] = {
            "workspace": "Only for the tier or contract of one workspace's account.",
            "effective_from": "Now or later, UTC. It counts from the next request on; what is in flight goes on.",
            "reason": "The vendor's page with its date, a contract, the tier of the account.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:
            self.initial.setdefault("effective_from", clock.now().astimezone(UTC).replace(microsecond=0))

    def clean(self) -> dict[str, Any]:
        """Read the figures into limits, kept as `limits`."""
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        values["limits"] = TrafficLimits(**{name: values[name] or 0 for name in FIGURES})
        try:
            check_limits(values["limits"])
        except LimitInvalid as refusal:
            raise ValidationError(str(refusal)) from refusal
        return values


def scope_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every account and model, by provider; engines of this installation have no traffic."""
    return [
        (
            kind.label,
            [(name, f"{kind.label}: account")]
            + [(f"{name}/{card.id}", f"{card.label} ({card.id})") for card in kind.models],
        )
        for name, kind in sorted(adapters().items())
        if issubclass(kind, RemoteAdapter)
    ]


def read_scope(chosen: str) -> Scope:
    """Return the provider and model (or none) of a choice."""
    provider, _, model = chosen.partition("/")
    return provider, model


def initial_values(revision: LimitRevision) -> dict[str, Any]:
    """Return what a form for the next revision begins with: the limits of this one."""
    return {
        "scope": "/".join(filter(None, (revision.provider, revision.model))),
        "workspace": revision.workspace_id,
        **{name: getattr(revision, name) for name in FIGURES},
    }
