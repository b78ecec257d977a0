"""A vendor's own figure in micro-units of the ledger currency, by the dated rate on the model card."""

from genengine.core.money import UnknownRate, convert, to_micro
from providers.values import Amount, ModelCard


def cost_micro(card: ModelCard, cost: Amount | None, *, currency: str = "USD") -> int | None:
    """Return what a report's cost is, exactly; nothing when the vendor named none."""
    if cost is None:
        return None
    if cost.currency == currency:
        return to_micro(cost.value)
    if card.rate is not None and cost.currency == card.rate.unit and currency == "USD":
        return convert(cost.value, card.rate.usd)
    raise UnknownRate(f"{card.label} billed {cost.value} {cost.currency} and its card has no rate for that")
