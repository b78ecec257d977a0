"""Exact money: integer micro-units of one currency (1 USD = 1,000,000 micro), one rounding rule.

Rows and events hold `*_micro` integers. `Decimal` appears only here and on model cards. Amounts that become
a charge are rounded up to the next micro-unit, so that a reservation is never short of the price.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, InvalidOperation

MICRO = 1_000_000


class UnknownRate(Exception):
    """No dated rate converts this currency: a refusal, never zero."""


@dataclass(frozen=True, order=True)
class Money:
    """An amount in micro-units of the workspace's ledger currency."""

    micro: int
    currency: str = "USD"

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.micro + other.micro, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.micro - other.micro, self.currency)

    def __str__(self) -> str:
        return format_micro(self.micro, self.currency)

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")


def to_micro(amount: Decimal | str | int) -> int:
    """Convert an exact amount in whole currency to micro-units, rounding up."""
    try:
        value = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError(f"'{amount}' is not an amount; write it like 12.50") from error
    if not value.is_finite():
        raise ValueError(f"'{amount}' is not an amount; write it like 12.50")
    return int((value * MICRO).to_integral_value(rounding=ROUND_CEILING))


def from_micro(micro: int) -> Decimal:
    """Return whole currency with six decimals."""
    return Decimal(micro) / MICRO


def convert(amount: Decimal, rate: Decimal, *, margin: Decimal = Decimal(0)) -> int:
    """Convert a vendor's amount with a dated rate and a reservation margin to micro-units, rounding up."""
    return to_micro(amount * rate * (1 + margin))


def format_micro(micro: int, currency: str = "USD") -> str:
    """Return `$12.34` for people; amounts under a cent keep four decimals so that nothing reads as free."""
    value = from_micro(micro)
    digits = Decimal("0.0001") if value and abs(value) < Decimal("0.01") else Decimal("0.01")
    text = f"{value.quantize(digits, rounding=ROUND_HALF_EVEN):,}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"
