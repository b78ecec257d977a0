"""Which card of a model is in force for a workspace at a moment: one indexed query over all models, no cache.

A cache would need an invalidation in every process; the query reads one row a model (some forty) in about a
millisecond, so an operator's edit counts from the next plan on, everywhere. A model without a row counts as its
adapter ships it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet

from genengine.workspaces.models import Workspace
from providers.catalogue import cards, get_card
from providers.registry.models import CardRevision, CardStatus, ModelTest, ModelTestState
from providers.registry.terms import (
    OffPeak,
    VolumeTier,
    facts_digest,
    price_words,
    read_off_peak,
    read_price,
    read_rate,
    read_volume_tiers,
    reduced,
)
from providers.values import ModelCard, SecondsRange, resolution_lines


@dataclass(frozen=True, slots=True)
class CardInForce:
    """A model card with the terms that hold: revision 0 is the adapter's own, without a row."""

    card: ModelCard
    number: int = 0
    status: str = CardStatus.ACTIVE
    volume: tuple[VolumeTier, ...] = ()
    off_peak: OffPeak | None = None
    is_contract: bool = False

    @property
    def price_words(self) -> str:
        """The list price in one line, with what reduces it."""
        parts = [price_words(self.card.price)]
        parts += [f"{tier.percent_off.normalize():f} % off from {tier.from_units} a month" for tier in self.volume]
        if self.off_peak:
            hours = self.off_peak
            parts.append(f"{hours.percent_off.normalize():f} % off {hours.start:%H:%M} to {hours.end:%H:%M} UTC")
        return "; ".join(parts)

    def tier_at(self, units: Decimal) -> VolumeTier | None:
        """Return the volume tier reached by what was used this month."""
        reached = [tier for tier in self.volume if units >= tier.from_units]
        return reached[-1] if reached else None

    def next_tier(self, units: Decimal) -> VolumeTier | None:
        """Return the next volume tier above what was used this month."""
        return next((tier for tier in self.volume if units < tier.from_units), None)

    def priced(self, *, units: Decimal, at: datetime, off_peak: bool | None = None) -> ModelCard:
        """Return the card with the price of this month's volume and of the hour; `off_peak` asks for one of both."""
        tier = self.tier_at(units)
        price = reduced(self.card.price, tier.percent_off) if tier else self.card.price
        hours = self.off_peak
        if hours and (hours.holds_at(at) if off_peak is None else off_peak):
            price = reduced(price, hours.percent_off)
        return replace(self.card, price=price)


def cards_in_force(*, workspace: Workspace | UUID | None, at: datetime) -> Mapping[str, CardInForce]:
    """Return every model's card by its id, as it holds for a workspace (none: the installation) at a moment."""
    rows = {row.model: row for row in _rows(workspace, at)}
    proved = proved_models()
    return {card.id: _in_force(card, rows.get(card.id), proved) for card in cards()}


def card_in_force(model: str, *, workspace: Workspace | UUID | None, at: datetime) -> CardInForce:
    """Return one model's card. Raises `UnknownModel`."""
    card = get_card(model)
    return _in_force(card, _rows(workspace, at).filter(model=model).first(), proved_models())


def card_at_revision(model: str, number: int) -> ModelCard:
    """Return a model's card by the terms of one revision, in force or not; 0 is the adapter's own.

    What was planned at a revision's price is settled by it, whatever an operator has written since.
    """
    card = get_card(model)
    row = CardRevision.objects.filter(model=model, number=number).first() if number else None
    return card if row is None else _in_force(card, row, frozenset()).card


def proved_models() -> frozenset[tuple[str, str]]:
    """Return the models, with the digest of their facts, that a test call proved in this installation."""
    rows = ModelTest.objects.filter(state=ModelTestState.PASSED).values_list("model", "facts_digest")
    return frozenset(rows.distinct())


def _rows(workspace: Workspace | UUID | None, at: datetime) -> QuerySet[CardRevision]:
    own = Q(workspace__isnull=True)
    if workspace is not None:
        own |= Q(workspace_id=getattr(workspace, "pk", workspace))
    rows = CardRevision.objects.filter(own, effective_from__lte=at)
    return rows.order_by("model", F("workspace").asc(nulls_last=True), "-effective_from", "-number").distinct("model")


def _in_force(card: ModelCard, row: CardRevision | None, proved: frozenset[tuple[str, str]]) -> CardInForce:
    is_proved = (card.id, facts_digest(card)) in proved
    if row is None:
        return CardInForce(replace(card, unverified=card.unverified and not is_proved))
    return CardInForce(
        card=replace(
            card,
            price=read_price(row.price),
            rate=read_rate(row.rate),
            quality=row.quality,
            speed_s_per_s=row.speed_s_per_s,
            prices_as_of=row.effective_from.date(),
            durations=_shortened(card, row.longest_s),
            resolutions=_allowed(card, row.resolutions),
            unverified=card.unverified and not (row.facts_sure or is_proved),
        ),
        number=row.number,
        status=row.status,
        volume=read_volume_tiers(row.volume_tiers),
        off_peak=read_off_peak(row.off_peak),
        is_contract=row.workspace_id is not None,
    )


def _shortened(card: ModelCard, longest_s: int | None) -> tuple[float, ...] | SecondsRange:
    if longest_s is None:
        return card.durations
    if isinstance(card.durations, SecondsRange):
        return replace(card.durations, high=min(card.durations.high, float(longest_s)))
    return tuple(value for value in card.durations if value <= longest_s) or card.durations


def _allowed(card: ModelCard, resolutions: list[str]) -> tuple[str, ...]:
    kept = tuple(item for item in card.resolutions if item in resolutions)
    return tuple(sorted(kept, key=resolution_lines)) if kept else card.resolutions
