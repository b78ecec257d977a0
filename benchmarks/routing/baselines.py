"""What the same clips would have cost without routing: allocations that look at neither price, health nor past work.

Each baseline prices a clip at list price, for the same length, ratio and resolution, without reuse. Only vendors'
models that can make the scene take part; the local engine, which is free, is nobody's baseline.

==================  ====================================================================================================
turns               providers in turn: the mean of the models of the chosen one's quality tier, one model a provider
first               the first provider of the catalogue with a model of the chosen one's quality tier: one contract
reputation          the model of the highest declared quality, the dearest of equals: what the plan page compares with
dearest             the dearest model that can make the scene
==================  ====================================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean

from campaigns.planning.clips import Desk, need_of
from genengine.core.money import UnknownRate
from jobs.plan import ClipPlan, Plan
from jobs.routing.complexity import quality_tier
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.types import Offer, SceneNeed
from providers.catalogue import get_card

NAMES = ("turns", "first", "reputation", "dearest")
HEADLINE = ("turns", "first")  # the same quality as routing bought: the smaller saving of the two is the headline


@dataclass
class Allocation:
    """What routing planned and what each baseline asks for the same clips, micro-units; `paid` leaves out free ones."""

    planned: int = 0
    clips: int = 0
    paid_clips: int = 0
    every: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)

    def saved(self, name: str) -> float:
        """Of a baseline's price, over the clips that a vendor makes."""
        return 1 - self.planned / self.paid[name] if self.paid[name] else 0.0

    def saved_with_free(self, name: str) -> float:
        """The same with the clips that the local engine makes for nothing."""
        return 1 - self.planned / self.every[name] if self.every[name] else 0.0

    @property
    def headline(self) -> float:
        """The smallest saving against an allocation of the same quality."""
        return min(self.saved(name) for name in HEADLINE)


def add_plan(found: Allocation, plan: Plan, desk: Desk) -> None:
    """Add a plan's clips and what the baselines ask for them."""
    for scene in plan.scenes:
        offers = _offers(need_of(scene, desk), desk)
        for clip in plan.clips:
            if clip.scene == scene.key and offers:
                _add_clip(found, clip, offers)


def _add_clip(found: Allocation, clip: ClipPlan, offers: list[Offer]) -> None:
    prices = _prices(clip, offers)
    found.planned += clip.made_micro
    found.clips += 1
    found.every.update(prices)
    if clip.made_micro:
        found.paid_clips += 1
        found.paid.update(prices)


def _prices(clip: ClipPlan, offers: list[Offer]) -> dict[str, int]:
    by_reputation = max(offers, key=lambda o: (o.candidate.card.quality, o.list_micro, o.candidate.card.id))
    same = _one_a_provider(_of_tier(clip, offers))
    return {
        "turns": round(fmean(o.list_micro for o in same)),
        "first": same[0].list_micro,
        "reputation": by_reputation.list_micro,
        "dearest": max(o.list_micro for o in offers),
    }


def _of_tier(clip: ClipPlan, offers: list[Offer]) -> list[Offer]:
    """Offers of the quality tier that routing bought; for a free clip of the least tier that a vendor sells."""
    wanted = quality_tier(get_card(clip.model).quality) if clip.made_micro else 0
    tiers = sorted({quality_tier(o.candidate.card.quality) for o in offers})
    tier = next((tier for tier in tiers if tier >= wanted), tiers[-1])
    return [o for o in offers if quality_tier(o.candidate.card.quality) == tier]


def _one_a_provider(offers: Iterable[Offer]) -> list[Offer]:
    """The model of the highest quality of each provider, the dearer of equals, in the catalogue's order."""
    best: dict[str, Offer] = {}
    for offer in offers:
        card, known = offer.candidate.card, best.get(offer.candidate.card.provider)
        if known is None or (card.quality, offer.list_micro) > (known.candidate.card.quality, known.list_micro):
            best[card.provider] = offer
    return list(best.values())


def _offers(need: SceneNeed, desk: Desk) -> list[Offer]:
    found = []
    for candidate in desk.candidates:
        with suppress(CannotMake, UnknownRate):
            if not candidate.refusal and not candidate.is_local:
                found.append(offer_of(candidate, need, desk.limits))
    return found
