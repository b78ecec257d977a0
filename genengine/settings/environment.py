"""Typed reading of the environment: every setting is declared once, with a default that works and a sentence
that says what it does.

The declarations feed the generated page `docs/reference/settings.md`; a value that cannot be read stops the
start and names itself.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
N = TypeVar("N", int, float)

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Declared:
    """One documented setting, as the reference page shows it."""

    name: str
    kind: str
    default: str
    doc: str
    secret: bool = False


DECLARED: dict[str, Declared] = {}


def text(name: str, default: str, doc: str, *, secret: bool = False, shown_default: str | None = None) -> str:
    """A string; an empty value counts as unset."""
    return _read(name, "text", default, doc, str, secret=secret, shown_default=shown_default)


def choice(name: str, default: str, allowed: tuple[str, ...], doc: str) -> str:
    """One of a few words."""

    def parse(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return _read(name, " \\| ".join(allowed), default, doc, parse)


def flag(name: str, default: bool, doc: str) -> bool:
    """true or false (also 1/0, yes/no, on/off)."""

    def parse(raw: str) -> bool:
        word = raw.strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise ValueError("must be true or false")

    return _read(name, "true \\| false", default, doc, parse)


def integer(name: str, default: int, doc: str, *, at_least: int = 0, at_most: int | None = None) -> int:
    """A whole number within bounds."""
    return _read(name, "whole number", default, doc, _bounded(int, at_least, at_most))


def decimal_number(name: str, default: float, doc: str, *, at_least: float = 0.0) -> float:
    """A number with a fraction, never for money."""
    return _read(name, "number", default, doc, _bounded(float, at_least, None))


def words(name: str, default: tuple[str, ...], doc: str, *, secret: bool = False) -> tuple[str, ...]:
    """A comma-separated list."""

    def parse(raw: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in raw.split(",") if part.strip())

    return _read(name, "comma-separated list", default, doc, parse, secret=secret, shown_default=",".join(default))


def path(name: str, default: Path, doc: str, *, shown_default: str) -> Path:
    """A file-system path; `~` and relative paths are resolved."""
    return _read(name, "path", default, doc, lambda raw: Path(raw).expanduser().resolve(), shown_default=shown_default)


def url(name: str, default: str, schemes: tuple[str, ...], doc: str, *, secret: bool = False) -> str:
    """An address that begins with one of `schemes`, or empty when it is not used."""

    def parse(raw: str) -> str:
        if not raw.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
        return raw

    return _read(name, f"URL ({', '.join(schemes)})", default, doc, parse, secret=secret)


def _bounded(kind: Callable[[str], N], low: float, high: float | None) -> Callable[[str], N]:
    def parse(raw: str) -> N:
        value = kind(raw)
        if value < low or (high is not None and value > high):
            raise ValueError(f"must be at least {low}" + (f" and at most {high}" if high is not None else ""))
        return value

    return parse


def _read(
    name: str,
    kind: str,
    default: T,
    doc: str,
    parse: Callable[[str], T],
    *,
    secret: bool = False,
    shown_default: str | None = None,
) -> T:
    shown = shown_default if shown_default is not None else _shown(default)
    DECLARED[name] = Declared(name, kind, shown, " ".join(doc.split()), secret)
    raw = os.environ.get(name, "")
    if raw == "":
        return default
    try:
        return parse(raw)
    except (TypeError, ValueError) as reason:
        value = "(a secret)" if secret else repr(raw)
        raise ImproperlyConfigured(f"{name}={value} cannot be used: {reason}. {' '.join(doc.split())}") from reason


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return str(default)
