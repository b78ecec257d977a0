"""A vendor's own figure in micro-units of the ledger currency, by the terms that the work was planned by."""

from dataclasses import replace
from decimal import Decimal

from genengine.core.money import UnknownRate, convert, to_micro
from jobs.execution.models import Attempt
from providers.catalogue import get_card
from providers.registry.queries import card_at_revision
from providers.registry.terms import reduced
from providers.values import Amount, ModelCard, Rate

HUNDRED = Decimal(100)


def agreed_card(attempt: Attempt) -> ModelCard:
    """Return the card that an attempt is settled by: the revision its plan names, less the plan's own reductions.

    An operator who edits a rate or a price between plan and bill changes the next plan, not this bill.
    """
    card = card_at_revision(attempt.model, attempt.card_revision)
    if not 0 < attempt.price_micro < attempt.list_micro:
        return card
    percent_off = HUNDRED - HUNDRED * attempt.price_micro / attempt.list_micro
    return replace(card, price=reduced(card.price, percent_off))


def attempt_cost_micro(attempt: Attempt, cost: Amount | None) -> int | None:
    """Return what a report's cost is in micro-units, by the attempt's agreed card; nothing when none was named."""
    return None if cost is None else cost_micro(agreed_card(attempt), cost)


def cost_micro(card: ModelCard, cost: Amount | None, *, currency: str = "USD") -> int | None:
    """Return what a report's cost is, exactly; nothing when the vendor named none.

    A revision without a rate for the vendor's unit falls back to the rate its adapter ships; with neither it is a
    refusal, never zero.
    """
    if cost is None:
        return None
    if cost.currency == currency:
        return to_micro(cost.value)
    rate = _rate(card, cost.currency)
    if rate is not None and currency == "USD":
        return convert(cost.value, rate.usd)
    raise UnknownRate(f"{card.label} billed {cost.value} {cost.currency} and its card has no rate for that")


def _rate(card: ModelCard, unit: str) -> Rate | None:
    known = (card.rate, get_card(card.id).rate)
    return next((rate for rate in known if rate is not None and rate.unit == unit), None)
