"""What a model costs, as its vendor says it: a second, a call, characters, tokens, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

CENT_FRACTION = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in the vendor's own unit: ``USD``, ``CNY``, or a credit such as ``kl-unit``; at most 8 characters."""

    value: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Rate:
    """One vendor unit in US dollars on a date, for vendors that bill in credits or another currency."""

    unit: str
    usd: Decimal
    as_of: date


def _exact(value: Decimal) -> Decimal:
    return value.quantize(CENT_FRACTION, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class PerSecond:
    """Price a second of output; ``tiers`` refines it by ``resolution`` or ``resolution+audio``."""

    amount: Decimal
    currency: str = "USD"
    tiers: Mapping[str, Decimal] = field(default_factory=dict)

    def total(self, *, seconds: Decimal, tier: str = "", characters: int = 0) -> Decimal:
        return _exact(self.tiers.get(tier, self.amount) * seconds)


@dataclass(frozen=True, slots=True)
class PerCall:
    """One price for each accepted call; ``tiers`` refines it by resolution."""

    amount: Decimal
    currency: str = "USD"
    tiers: Mapping[str, Decimal] = field(default_factory=dict)

    def total(self, *, seconds: Decimal, tier: str = "", characters: int = 0) -> Decimal:
        return _exact(self.tiers.get(tier, self.amount))


@dataclass(frozen=True, slots=True)
class PerThousandCharacters:
    """Price of 1,000 characters of text: speech and language models."""

    amount: Decimal
    currency: str = "USD"
    tiers: Mapping[str, Decimal] = field(default_factory=dict)

    def total(self, *, seconds: Decimal, tier: str = "", characters: int = 0) -> Decimal:
        return _exact(self.tiers.get(tier, self.amount) * Decimal(characters) / 1000)


@dataclass(frozen=True, slots=True)
class PerMillionTokens:
    """Price of 1,000,000 tokens in and out. An estimate takes 3 characters a token and a full answer."""

    input: Decimal
    output: Decimal
    currency: str = "USD"
    answer_tokens: int = 8_000
    tiers: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """The dearer side, for those who compare cards."""
        return self.output

    def of_tokens(self, read: int, written: int) -> Decimal:
        """What these tokens cost exactly."""
        return _exact((self.input * read + self.output * written) / 1_000_000)

    def total(self, *, seconds: Decimal, tier: str = "", characters: int = 0) -> Decimal:
        return self.of_tokens(-(-characters // 3), self.answer_tokens)


@dataclass(frozen=True, slots=True)
class Free:
    """Costs nothing, whatever is asked."""

    currency: str = "USD"

    def total(self, *, seconds: Decimal, tier: str = "", characters: int = 0) -> Decimal:
        return Decimal(0)


Price = PerSecond | PerCall | PerThousandCharacters | PerMillionTokens | Free
