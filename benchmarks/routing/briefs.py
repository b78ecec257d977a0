"""Mixed briefs: kinds of ad, lengths, profiles, pictures, one or two variants; the same number gives the same brief."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from campaigns.briefs.models import Brief
from campaigns.briefs.services import attach_asset, create_brief
from genengine.assets.models import Asset
from genengine.assets.services import upload_asset
from genengine.core import clock
from genengine.workspaces.policy import Principal

PHOTOS = Path(__file__).resolve().parents[2] / "examples" / "media" / "photos"
PICTURES = ("product-flatlay-square.jpg", "product-can-hero-portrait.jpg", "outdoor-stream-portrait.jpg")
SCRIPTS = (
    "Cold brew, poured slow. One can, all morning. Taste the quiet.",
    "Two dogs, one trail, no signal. Pack light and follow the sun up.",
    "A lounge at dusk. The lamp warms up, the room breathes out. Stay in tonight.",
    "People dance in the rain, the street turns to glass. Dry in a minute with our coat.",
    "The brush moves, the colour spreads. Make something before breakfast.",
    "Our logo on a plain ground. Open from nine. Come in.",
    "A runner jumps the stream, water splashes, the ridge glows. Shoes that hold.",
    "A fig, a red bowl, a knife. Three things and a plate. Dinner is easy.",
)
KINDS = ("product_explainer", "cinematic_intro", "ugc_talking_head", "hero")
PROFILES = ("quality", "balanced", "economy")
LENGTHS_MS = (5_000, 6_000, 8_000)
CAP_MICRO = 60_000_000


def upload_pictures(principal: Principal) -> list[Asset]:
    """Bring the pictures in once."""
    return [
        upload_asset(
            workspace=principal.workspace,
            actor=principal.actor,
            user=principal.user,
            file=PHOTOS / name,
            name=name,
            now=clock.now(),
        )
        for name in PICTURES
    ]


def mixed_brief(number: int, principal: Principal, pictures: list[Asset]) -> Brief:
    """Create one of the mixed briefs."""
    dice = random.Random(number)
    brief = create_brief(principal=principal, now=clock.now(), values=_values(number, dice))
    for picture in dice.sample(pictures, dice.randrange(len(pictures))):
        attach_asset(brief=brief, asset=picture, principal=principal, now=clock.now())
    brief.refresh_from_db()
    return brief


def _values(number: int, dice: random.Random) -> dict[str, Any]:
    return {
        "title": f"Mixed brief {number}",
        "ad_type": dice.choice(KINDS),
        "script": dice.choice(SCRIPTS),
        "channel": "generic",
        "length_ms": dice.choice(LENGTHS_MS),
        "ratios": ["9:16"],
        "variants": dice.choice((1, 1, 1, 2)),
        "quality_profile": dice.choice(PROFILES),
        "cap_micro": CAP_MICRO,
    }
