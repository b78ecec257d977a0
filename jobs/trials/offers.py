"""The cheapest real call that would prove a model, before it is made: what is asked, at which price, or why none is."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from genengine.core.money import UnknownRate, format_micro
from genengine.workspaces.models import Mode, Workspace
from jobs.routing.offers import RETRY_HEADROOM, in_ledger_currency
from providers.catalogue import UnknownModel, adapter_class
from providers.credentials.queries import usable_account
from providers.registry.queries import card_in_force
from providers.values import ModelCard, SecondsRange, Task, resolution_lines

DEAREST_MICRO = 2_000_000  # a test call that would cost more is refused


class TestRefused(Exception):
    """This test call is not made; the sentence says why and what helps."""

    __test__ = False


@dataclass(frozen=True)
class TestOffer:
    """The cheapest real call that proves a model, before it is made. Money in micro-units."""

    __test__ = False

    card: ModelCard
    duration_s: float
    ratio: str
    resolution: str
    price_micro: int
    price_upper_micro: int

    @property
    def sentence(self) -> str:
        """What would be asked, and its price."""
        size = f" at {self.resolution}" if self.resolution else ""
        return (
            f"One clip of {self.duration_s:g} s{size} from {self.card.label},"
            f" for {format_micro(self.price_micro)} (at most {format_micro(self.price_upper_micro)}) of live money."
        )


def offer_test(*, workspace: Workspace, model: str, now: datetime) -> TestOffer:
    """Return the cheapest call that proves a model, or raise `TestRefused`."""
    try:
        card = card_in_force(model, workspace=workspace, at=now).card
    except UnknownModel as unknown:
        raise TestRefused(str(unknown)) from unknown
    kind = adapter_class(card.provider)
    if workspace.mode != Mode.LIVE:
        raise TestRefused("this workspace is simulated, and the emulator proves nothing; make the call in a live one")
    if usable_account(workspace=workspace, provider=card.provider) is None:
        raise TestRefused(f"no working {kind.label} key in this workspace; add one under Providers first")
    if Task.TEXT_TO_VIDEO not in card.tasks:
        raise TestRefused(f"{card.label} needs a picture of yours; an operator can mark its facts as sure instead")
    seconds, size = _shortest(card), _smallest(card)
    amount = card.price.total(seconds=Decimal(str(seconds)), tier=size)
    try:
        price = in_ledger_currency(card, amount)
        upper = in_ledger_currency(card, amount, margin=RETRY_HEADROOM)
    except UnknownRate as unknown_rate:
        raise TestRefused(str(unknown_rate)) from unknown_rate
    if upper > DEAREST_MICRO:
        raise TestRefused(
            f"it would cost up to {format_micro(upper)}; test calls stay under {format_micro(DEAREST_MICRO)}"
        )
    ratio = "16:9" if "16:9" in card.ratios or not card.ratios else card.ratios[0]
    return TestOffer(card, seconds, ratio, size, price, upper)


def _shortest(card: ModelCard) -> float:
    if isinstance(card.durations, SecondsRange):
        return card.durations.low
    return float(min(card.durations, default=5.0))


def _smallest(card: ModelCard) -> str:
    return min(card.resolutions, key=resolution_lines, default="")
