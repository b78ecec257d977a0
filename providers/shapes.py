"""Reading vendors' JSON without trusting its shape: the wrong type reads as empty, never as a crash."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


def as_dict(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list field; anything else in it is left out."""
    value = data.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """A string, or a list's strings."""
    if isinstance(value, str):
        return [value] if value else []
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else []


def as_decimal(value: Any) -> Decimal | None:
    """A number or numeric text, exactly; ``None`` when it is neither."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def as_fraction(value: Any) -> float | None:
    """A progress value between 0 and 1, however the vendor rounds it."""
    number = as_decimal(value)
    return None if number is None else float(min(Decimal(1), max(Decimal(0), number)))


def has_word(text: str, words: tuple[str, ...]) -> bool:
    """True when any of the lower-case words occurs in the text."""
    lower = text.lower()
    return any(word in lower for word in words)
