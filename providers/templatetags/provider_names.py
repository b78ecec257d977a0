"""Providers and models by their own names."""

from collections.abc import Iterable

from django import template

from providers.catalogue import UnknownModel, adapters, get_card

register = template.Library()


@register.filter
def model_name(model_id: str) -> str:
    """Return a model's own name; one that left the catalogue keeps its id."""
    try:
        return get_card(model_id).label
    except UnknownModel:
        return model_id


@register.filter
def model_names(model_ids: Iterable[str]) -> str:
    """Return several models' names in one line."""
    return ", ".join(model_name(model_id) for model_id in model_ids)


@register.filter
def provider_name(name: str) -> str:
    """Return a provider's own spelling."""
    kind = adapters().get(name)
    return kind.label if kind else name
