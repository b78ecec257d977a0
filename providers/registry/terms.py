"""The terms of a model card as plain values: how prices, rates, volume tiers and off-peak hours are kept in a row.

Plain Python. Amounts are text in JSON so that no float touches money; whatever cannot be read is refused with the
form that would be accepted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from providers.prices import Free, PerCall, PerMillionTokens, PerSecond, PerThousandCharacters, Price, Rate
from providers.values import ModelCard, SecondsRange

SHAPES: dict[str, type[PerSecond] | type[PerCall] | type[PerThousandCharacters]] = {
    "per_second": PerSecond,
    "per_call": PerCall,
    "per_1000_characters": PerThousandCharacters,
}
ALL_SHAPES = (*SHAPES, "per_million_tokens", "free")
HUNDRED = Decimal(100)


class TermsInvalid(ValueError):
    """A price, rate, tier or hour cannot be used; the text says what is accepted."""


@dataclass(frozen=True, slots=True)
class VolumeTier:
    """From so many billed units in a calendar month on, this much less for every further one."""

    from_units: int
    percent_off: Decimal


@dataclass(frozen=True, slots=True)
class OffPeak:
    """Hours (UTC, may pass midnight) in which a vendor asks less."""

    start: time
    end: time
    percent_off: Decimal

    def holds_at(self, moment: datetime) -> bool:
        """Say whether a moment lies in these hours."""
        at = moment.astimezone(UTC).time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def next_start(self, moment: datetime) -> datetime:
        """Return when these hours begin next."""
        begins = datetime.combine(moment.astimezone(UTC).date(), self.start, UTC)
        return begins if begins > moment else begins + timedelta(days=1)


def price_values(price: Price) -> dict[str, Any]:
    """Return a price as JSON."""
    if isinstance(price, Free):
        return {"shape": "free", "currency": price.currency}
    if isinstance(price, PerMillionTokens):
        return {
            "shape": "per_million_tokens",
            "input": str(price.input),
            "output": str(price.output),
            "answer_tokens": price.answer_tokens,
            "currency": price.currency,
        }
    shape = next(name for name, kind in SHAPES.items() if isinstance(price, kind))
    tiers = {name: str(amount) for name, amount in price.tiers.items()}
    return {"shape": shape, "amount": str(price.amount), "currency": price.currency, "tiers": tiers}


def price_words(price: Price) -> str:
    """Return a price in one line for people."""
    if isinstance(price, Free):
        return "free"
    if isinstance(price, PerMillionTokens):
        return f"{price.input:f} in, {price.output:f} out {price.currency} a million tokens"
    unit = {"PerSecond": "a second", "PerCall": "a call", "PerThousandCharacters": "a thousand characters"}
    tiers = ", ".join(f"{name} {amount.normalize():f}" for name, amount in price.tiers.items())
    return f"{tiers or f'{price.amount.normalize():f}'} {price.currency} {unit[type(price).__name__]}"


def read_price(values: Mapping[str, Any]) -> Price:
    """Return the price of JSON, or refuse it."""
    shape, currency = values.get("shape"), str(values.get("currency", "USD")).strip()
    if not 1 <= len(currency) <= 8:
        raise TermsInvalid("name the currency or credit in at most 8 characters, such as USD")
    if shape == "free":
        return Free(currency)
    if shape == "per_million_tokens":
        return PerMillionTokens(
            read_amount(values.get("input")),
            read_amount(values.get("output")),
            currency,
            int(values.get("answer_tokens", 8_000)),
        )
    if shape not in SHAPES:
        raise TermsInvalid(f"a price is one of {', '.join(ALL_SHAPES)}")
    tiers = {str(name): read_amount(amount) for name, amount in dict(values.get("tiers") or {}).items()}
    return SHAPES[shape](read_amount(values.get("amount")), currency, tiers)


def read_amount(value: Any) -> Decimal:
    """Return a price of at least zero."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise TermsInvalid(f"{value!r} is not an amount; write it like 0.112") from error
    if not amount.is_finite() or amount < 0:
        raise TermsInvalid(f"{value!r} is not a price; it is zero or more, such as 0.112")
    return amount


def read_percent(value: Any) -> Decimal:
    """Return a reduction above 0 and below 100."""
    percent = read_amount(value)
    if not 0 < percent < HUNDRED:
        raise TermsInvalid(f"{value!r} is not a reduction; it lies between 0 and 100 per cent")
    return percent


def rate_values(rate: Rate | None) -> dict[str, str] | None:
    """Return a rate as JSON."""
    return None if rate is None else {"unit": rate.unit, "usd": str(rate.usd), "as_of": rate.as_of.isoformat()}


def read_rate(values: Mapping[str, Any] | None) -> Rate | None:
    """Return the rate of JSON, or refuse it."""
    if not values:
        return None
    usd = read_amount(values.get("usd"))
    if not usd:
        raise TermsInvalid("a rate of zero would make everything free; write what one unit costs in US dollars")
    try:
        return Rate(str(values["unit"]), usd, date.fromisoformat(str(values["as_of"])))
    except (KeyError, ValueError) as error:
        raise TermsInvalid("a rate has a unit, an amount in US dollars and a date such as 2026-11-01") from error


def read_volume_tiers(values: Any) -> tuple[VolumeTier, ...]:
    """Return the tiers, the lowest volume first; both figures must rise."""
    tiers = tuple(VolumeTier(_units(item), read_percent(item.get("percent_off"))) for item in values or ())
    ordered = tuple(sorted(tiers, key=lambda tier: tier.from_units))
    for lower, upper in pairwise(ordered):
        if upper.from_units == lower.from_units or upper.percent_off <= lower.percent_off:
            raise TermsInvalid("volume tiers must rise: more units, more per cent off")
    return ordered


def _units(item: Mapping[str, Any]) -> int:
    units = read_amount(item.get("from_units"))
    if units < 1 or units != units.to_integral_value():
        raise TermsInvalid("a volume tier begins at a whole number of units, such as 1000")
    return int(units)


def volume_values(tiers: tuple[VolumeTier, ...]) -> list[dict[str, Any]]:
    """Return volume tiers as JSON."""
    return [{"from_units": tier.from_units, "percent_off": str(tier.percent_off)} for tier in tiers]


def read_off_peak(values: Mapping[str, Any] | None) -> OffPeak | None:
    """Return the off-peak hours of JSON, or refuse them."""
    if not values:
        return None
    try:
        start, end = time.fromisoformat(str(values["from"])), time.fromisoformat(str(values["to"]))
    except (KeyError, ValueError) as error:
        raise TermsInvalid("off-peak hours are written like 22:00 to 06:00, in UTC") from error
    if start == end:
        raise TermsInvalid("off-peak hours must begin and end at different times")
    return OffPeak(start, end, read_percent(values.get("percent_off")))


def off_peak_values(hours: OffPeak | None) -> dict[str, str] | None:
    """Return off-peak hours as JSON."""
    if hours is None:
        return None
    return {"from": f"{hours.start:%H:%M}", "to": f"{hours.end:%H:%M}", "percent_off": str(hours.percent_off)}


def reduced(price: Price, percent: Decimal) -> Price:
    """Return a price with so many per cent off."""
    if isinstance(price, Free) or not percent:
        return price
    share = (HUNDRED - percent) / HUNDRED
    if isinstance(price, PerMillionTokens):
        return replace(price, input=price.input * share, output=price.output * share)
    return replace(
        price, amount=price.amount * share, tiers={name: amount * share for name, amount in price.tiers.items()}
    )


def facts_digest(card: ModelCard) -> str:
    """SHA-256 of what the adapter says a model can do: what a test call proves. Prices are not part of it."""
    span = card.durations
    facts = {
        "id": card.id,
        "version": card.version,
        "tasks": sorted(card.tasks),
        "durations": [span.low, span.high, span.step] if isinstance(span, SecondsRange) else list(span),
        "ratios": list(card.ratios),
        "resolutions": list(card.resolutions),
        "supports": sorted(card.supports),
        "input_roles": sorted(card.input_roles),
    }
    return digest_of(facts)


def digest_of(values: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
