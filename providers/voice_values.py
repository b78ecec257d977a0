"""A voice that an account may use, whichever vendor lists it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that the account may use. ``labels`` are the vendor's: accent, gender, age, use case. ``languages`` are
    its words for the languages it is known to speak: codes or names."""

    voice_id: str
    name: str
    category: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    preview_url: str = ""
    languages: tuple[str, ...] = ()
