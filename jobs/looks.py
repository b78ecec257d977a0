"""Looks: the presets of the media engine's archetypes as a plan names them, and what a film and a clip take from one.

A look says how words are set and how a picture that this machine films behaves. Empty is the engine's usual manner,
the same as `hero_calm`. Lively looks are outside brand-safe work: people choose them, the planner does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

USUAL = "hero_calm"


@dataclass(frozen=True)
class LookCard:
    """One look. `words` is how on-screen text is set in a film, `captions` how spoken words are; `rests` holds
    pictures still and `cut_out` sets the product before a ground, both in clips that are made here."""

    key: str
    archetype: str
    label: str
    says: str
    words: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"style": "headline"}))
    captions: str = "plate"
    rests: bool = False
    cut_out: bool = False


_LABEL = MappingProxyType({"style": "label", "place": "bottom_left"})
_MEME = MappingProxyType({"style": "meme", "place": "top", "fade_frames": 0})
_BAR = MappingProxyType(
    {"style": "headline", "place": "top", "fade_frames": 0, "color": "#111111", "plate": "#ffffff", "size": 0.046}
)
_ALL = (
    LookCard(USUAL, "hero", "Hero, calm", "full pictures in slow moves, headlines over them"),
    LookCard("hero_editorial", "hero", "Hero, editorial", "full pictures, small labels as in a magazine", words=_LABEL),
    LookCard(
        "overlay_spotlight", "overlay", "Overlay, spotlight", "the product cut out before the brand's colour",
        rests=True, cut_out=True,
    ),
    LookCard(
        "overlay_backdrop", "overlay", "Overlay, backdrop", "the product cut out before its own blurred picture",
        rests=True, cut_out=True,
    ),
    LookCard(
        "meme_classic", "meme", "Meme, classic", "still pictures, outlined capitals at the top", words=_MEME,
        captions="meme", rests=True,
    ),
    LookCard("meme_bars", "meme", "Meme, bar", "still pictures, dark words on a white bar", words=_BAR, rests=True),
)  # fmt: skip
LOOKS: Mapping[str, LookCard] = MappingProxyType({look.key: look for look in _ALL})


def look_of(key: str) -> LookCard:
    """Return a look by its key; the usual one for an empty key or one that this release does not have."""
    return LOOKS.get(key, LOOKS[USUAL])
