"""What routing saved against a naive allocation, and what more could be saved. Pure: a plan and candidates in.

Naive means: every clip by the vendor's model of the highest declared quality that can make it, at list price. That is
what choosing by reputation costs; each part says how much of the difference it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from genengine.core.money import format_micro
from jobs.plan import ClipPlan, Plan
from jobs.routing.offers import in_ledger_currency
from jobs.routing.types import Candidate
from providers.values import PerCall, PerSecond


@dataclass(frozen=True)
class Saving:
    """One reason why the plan costs less, with its amount in micro-units; negative when the choice costs more."""

    kind: str  # model | terms | reuse
    amount_micro: int
    sentence: str


@dataclass(frozen=True)
class SavingsReport:
    """The plan's price against the naive one, micro-units, and the parts of the difference."""

    naive_micro: int
    price_micro: int
    parts: tuple[Saving, ...]

    @property
    def saved_micro(self) -> int:
        """What is saved altogether."""
        return self.naive_micro - self.price_micro

    @property
    def share(self) -> float:
        """Of the naive price, 0 to 1."""
        return self.saved_micro / self.naive_micro if self.naive_micro else 0.0

    @property
    def sentence(self) -> str:
        """The whole in one line; empty when nothing is saved."""
        if self.saved_micro <= 0:
            return ""
        return (
            f"Saves {format_micro(self.saved_micro)} ({self.share:.0%}) against making every clip"
            f" with the model of the highest declared quality ({format_micro(self.naive_micro)})."
        )


def savings_of(plan: Plan) -> SavingsReport:
    """Measure a plan against the naive allocation of the same clips. Clips without a naive price count as they are."""
    by_model = sum(_naive(clip) - _list(clip) for clip in plan.clips)
    by_terms = sum(_list(clip) - clip.made_micro for clip in plan.clips)
    by_reuse = sum(clip.made_micro - clip.price_micro for clip in plan.clips)
    parts = (
        Saving("model", by_model, "a cheaper model that is good enough for its scene"),
        Saving("terms", by_terms, "volume tiers, contract rates and off-peak hours"),
        Saving("reuse", by_reuse, "results of the same request, made before or once in this plan"),
    )
    return SavingsReport(
        naive_micro=sum(_naive(clip) for clip in plan.clips),
        price_micro=plan.price_micro,
        parts=tuple(part for part in parts if part.amount_micro),
    )


def _list(clip: ClipPlan) -> int:
    return clip.list_micro or clip.made_micro


def _naive(clip: ClipPlan) -> int:
    return clip.naive_micro if clip.naive_model else _list(clip)


def next_tier_sentences(plan: Plan, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Say for each model of the plan how far its next volume tier is, this plan included."""
    found = []
    for candidate in candidates:
        clips = [clip for clip in plan.clips if clip.model == candidate.card.id and not clip.reuse]
        if clips and candidate.terms and candidate.terms.volume:
            found.append(_tier_sentence(candidate, clips))
    return tuple(filter(None, found))


def _tier_sentence(candidate: Candidate, clips: Sequence[ClipPlan]) -> str:
    assert candidate.terms is not None
    price = candidate.card.price
    if isinstance(price, PerSecond):
        planned = Decimal(sum(clip.duration_ms for clip in clips)) / 1000
    elif isinstance(price, PerCall):
        planned = Decimal(len(clips))
    else:
        return ""
    used = candidate.used_units + planned
    tier = candidate.terms.next_tier(used)
    if tier is None:
        return ""
    left = in_ledger_currency(candidate.card, (tier.from_units - used) * price.amount)
    return (
        f"{format_micro(left)} more with {candidate.card.label} this month, after this plan, and its price falls"
        f" by {tier.percent_off.normalize():f} %."
    )
