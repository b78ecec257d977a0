"""What an archetype is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genengine.media.framing import Box, Framing

MIN_SECONDS = 1.5


class CannotAssemble(ValueError):
    """The request lacks something the layout needs; the message says what to add."""


@dataclass(frozen=True, slots=True)
class Material:
    """One picture or film. ``cutout`` means a picture with a transparent ground, ``card`` one that an overlay shows
    whole as a card; ``fit`` is how it fills a frame, ``words`` (top or bottom) where they keep off its subject,
    ``subject`` its place in the fitted picture, and ``plain_ground`` whether it may be shown smaller with its ground
    continued (all from ``prepare``)."""

    asset: str
    kind: str = "image"
    cutout: bool = False
    fit: Mapping[str, Any] = field(default_factory=dict)
    card: bool = False
    words: str = ""
    subject: Box | None = None
    plain_ground: bool = False

    @classmethod
    def framed(cls, asset: str, kind: str, framing: Framing) -> Material:
        """A picture or film as ``framing`` shows it."""
        return cls(
            asset,
            kind,
            fit=framing.to_fit(),
            words=framing.headline_place,
            subject=framing.subject,
            plain_ground=framing.plain_ground,
        )

    @property
    def stands_free(self) -> bool:
        """Whether an overlay sets it before a ground."""
        return self.cutout or self.card


@dataclass(frozen=True, slots=True)
class Copy:
    """The words: hook first, then beats, then the call to action."""

    hook: str
    beats: tuple[str, ...] = ()
    cta: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(line for line in (self.hook, *self.beats, self.cta) if line.strip())


@dataclass(frozen=True, slots=True)
class Look:
    """Brand colours (``#rrggbb``), and assets for logo and font where there are any."""

    ground: str = "#14213d"
    ground_to: str = "#2b4a7a"
    text: str = "#ffffff"
    accent: str = "#ff7a3c"
    logo: str | None = None
    font: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Everything for one video. ``output`` is a spec's output object; music and voice are asset ids."""

    materials: tuple[Material, ...]
    copy: Copy
    output: Mapping[str, Any]
    seconds: float
    look: Look = Look()
    music: str | None = None
    voice: str | None = None
    brand_safe: bool = True
    simulated: bool = False

    @property
    def fps(self) -> int:
        return int(self.output.get("fps", 30))

    @property
    def frames(self) -> int:
        return round(self.seconds * self.fps)
