"""Fields that every app's serializers share."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from genengine.core.money import format_micro

MONEY_SCHEMA = {
    "type": ["object", "null"],
    "description": "An exact amount: millionths of the currency as an integer, and the same as people read it.",
    "required": ["amount_micro", "currency", "display"],
    "properties": {
        "amount_micro": {"type": "integer", "examples": [1_250_000]},
        "currency": {"type": "string", "examples": ["USD"]},
        "display": {"type": "string", "examples": ["$1.25"]},
    },
}


def money(micro: int, currency: str) -> dict[str, Any]:
    """Return an amount as the API writes it."""
    return {"amount_micro": micro, "currency": currency, "display": format_micro(micro, currency)}


@extend_schema_field(MONEY_SCHEMA)
class MoneyField(serializers.Field):
    """Micro-units as money. The view's context names the currency and may hide costs (`null`)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: int) -> dict[str, Any] | None:
        if not self.context.get("shows_cost", True):
            return None
        return money(value, self.context.get("currency", "USD"))


@extend_schema_field(OpenApiTypes.URI)
class LinkField(serializers.Field):
    """An absolute address made from the row by a function that returns a path, or null."""

    def __init__(self, path_of: Callable[[Any], str | None], **options: Any) -> None:
        self.path_of = path_of
        super().__init__(read_only=True, source="*", **options)

    def to_representation(self, value: Any) -> str | None:
        path = self.path_of(value)
        request = self.context.get("request")
        return request.build_absolute_uri(path) if path and request else path


class StrictSerializer(serializers.Serializer):
    """Reads a body and refuses fields that it does not know, so that a misspelt one is not lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        known = {name for name, field in self.fields.items() if not field.read_only}
        if isinstance(data, dict) and (unknown := sorted(set(data) - known)):
            fields = ", ".join(sorted(known))
            raise serializers.ValidationError(
                {name: f"There is no field “{name}”. There are: {fields}." for name in unknown}
            )
        return super().to_internal_value(data)
