"""Looks: the presets of the media engine's archetypes as a plan names them, and what a film and a clip take from one.

A look says how words are set and how a picture that this machine films behaves. Empty is the engine's usual manner,
the same as `hero_calm`. A lively look keeps to brand-safe work all the same: what of its preset does not is made
calmer, and `calmer` says what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

USUAL = "hero_calm"


@dataclass(frozen=True)
class LookCard:
    """One look. `words` is how on-screen text is set in a film, `captions` how spoken words are; `cuts` lets scenes
    begin with a cut where the plan has a crossfade, and `bar` puts a film below a bar that bears the words.

    In clips that are made here `rests` holds pictures still, `cut_out` sets the product before a ground, and `lively`
    moves the camera more."""

    key: str
    archetype: str
    label: str
    says: str
    words: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"style": "headline"}))
    captions: str = "plate"
    rests: bool = False
    cut_out: bool = False
    lively: bool = False
    cuts: bool = False
    bar: bool = False
    calmer: str = ""

    @property
    def plain_ground(self) -> bool:
        """Whether it sets the product before a ground of plain colours."""
        return self.cut_out and self.key != "overlay_backdrop"

    @property
    def films_otherwise(self) -> bool:
        """Whether clips that are made here differ from the usual manner."""
        return self.rests or self.cut_out or self.lively


_LABEL = MappingProxyType({"style": "label", "place": "bottom_left"})
_MEME = MappingProxyType({"style": "meme", "place": "top", "fade_frames": 0})
_BAR = MappingProxyType(
    {"style": "headline", "place": "top", "fade_frames": 0, "color": "#111111", "plate": "#ffffff", "size": 0.046}
)
_NO_SLIDE = "Brand-safe work: cuts in place of slides, and no move faster than 6 % of the frame a second."
_NO_WIPE = "Brand-safe work: cuts in place of wipes."
_NO_PUNCH = "Brand-safe work: no move is faster than 6 % of the frame a second."
_ALL = (
    LookCard(USUAL, "hero", "Hero, calm", "full pictures in slow moves, headlines over them"),
    LookCard("hero_editorial", "hero", "Hero, editorial", "full pictures, small labels as in a magazine", words=_LABEL),
    LookCard(
        "hero_bold", "hero", "Hero, bold", "full pictures in strong moves, hard cuts, captions lit up word by word",
        captions="karaoke", lively=True, cuts=True, calmer=_NO_SLIDE,
    ),
    LookCard(
        "overlay_spotlight", "overlay", "Overlay, spotlight", "the product cut out before the brand's colour",
        rests=True, cut_out=True,
    ),
    LookCard(
        "overlay_backdrop", "overlay", "Overlay, backdrop", "the product cut out before its own blurred picture",
        rests=True, cut_out=True,
    ),
    LookCard(
        "overlay_split", "overlay", "Overlay, split", "the product cut out before two colours of the brand, hard cuts",
        rests=True, cut_out=True, lively=True, cuts=True, calmer=_NO_WIPE,
    ),
    LookCard(
        "meme_classic", "meme", "Meme, classic", "still pictures, outlined capitals at the top", words=_MEME,
        captions="meme", rests=True,
    ),
    LookCard(
        "meme_bars", "meme", "Meme, bar", "still pictures below a white bar with dark words", words=_BAR, rests=True,
        bar=True,
    ),
    LookCard(
        "meme_caption", "meme", "Meme, zoom", "pictures in strong moves, hard cuts, outlined capitals", words=_MEME,
        captions="meme", lively=True, cuts=True, calmer=_NO_PUNCH,
    ),
)  # fmt: skip
LOOKS: Mapping[str, LookCard] = MappingProxyType({look.key: look for look in _ALL})


def look_of(key: str) -> LookCard:
    """Return a look by its key; the usual one for an empty key or one that this release does not have."""
    return LOOKS.get(key, LOOKS[USUAL])
