"""Which model leads which variant: the ranking, turns between equals, and a share of exploration. Pure and repeatable.

Equally fit means a score within `EQUAL` of the best of them, enough for the same tier of scenes, and at most `DEARER`
above the cheapest of those: taking turns must not cost money. Between equals, one whose result of the same request is
here already comes first, since it costs nothing; then the provider that was given fewer clips lately, so that no
account is worn out while another idles.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from genengine.core.money import format_micro
from jobs.routing.complexity import quality_tier
from jobs.routing.types import NOTHING_AT_HAND, AtHand, BranchNeed, Candidate, Limits

EQUAL = 0.02
DEARER = 0.25
WORTH_A_TRY = 0.15  # a model this far behind the best is still tried on purpose


@dataclass(frozen=True)
class Standing:
    """A model over all scenes of the plan: its mean score, and its mean price in micro-units where it makes one."""

    model: str
    candidate: Candidate
    score: float
    price_micro: int = 0

    def is_near(self, other: "Standing") -> bool:
        """Say whether a model that scores less does as well."""
        if self.candidate.is_local or other.candidate.is_local:
            return self is other
        tiers = {quality_tier(standing.candidate.card.quality) for standing in (self, other)}
        return len(tiers) == 1 and self.score - other.score <= EQUAL


@dataclass(frozen=True)
class Lead:
    """The lead of one variant, its part in a sentence, and the models that are as fit."""

    model: str
    role: str = ""
    peers: tuple[str, ...] = ()


def give_leads(
    branches: Sequence[BranchNeed],
    standings: Sequence[Standing],
    limits: Limits,
    at_hand: AtHand = NOTHING_AT_HAND,
) -> dict[str, Lead]:
    """Give each branch a lead: what a person set, else the next of the ranking that no other branch leads with.

    `at_hand` is what earlier results would save by branch and model, in micro-units.
    """
    taken = [branch.lead_model for branch in branches if branch.lead_model]
    groups = equals(standings)
    ranking = _ranking(groups)
    waiting = [s for s in ranking if s.model not in taken] or ranking
    leads: dict[str, Lead] = {}
    for branch in branches:
        if branch.lead_model:
            leads[branch.key] = Lead(branch.lead_model)
            continue
        tried = _on_trial(waiting, branch.key, limits)
        chosen = tried or _next(waiting, groups, branch.key, at_hand)
        waiting = [s for s in waiting if s is not chosen] or ranking
        group = next(group for group in groups if chosen in group)
        saves = 0 if tried else at_hand.get((branch.key, chosen.model), 0)
        role = _trial_words(chosen, limits) if tried else _here_words(saves) if saves else _turn(chosen, group)
        leads[branch.key] = Lead(chosen.model, role, tuple(s.model for s in group))
    return leads


def _next(waiting: Sequence[Standing], groups: Sequence[Sequence[Standing]], branch: str, at_hand: AtHand) -> Standing:
    """The next of the ranking, or its equal whose earlier results save most."""
    first = waiting[0]
    equal = [s for s in next(group for group in groups if first in group) if s in waiting]
    best = max(equal, key=lambda s: at_hand.get((branch, s.model), 0))
    return best if at_hand.get((branch, best.model), 0) else first


def equals(standings: Sequence[Standing]) -> list[list[Standing]]:
    """Group the models into equals, best group first; inside a group the least busy provider comes first.

    What is as fit as the best left but much dearer than another that is comes in a later group.
    """
    groups: list[list[Standing]] = []
    left = sorted(standings, key=lambda s: (-s.score, s.model))
    while left:
        near = [s for s in left if left[0].is_near(s)]
        most = (1 + DEARER) * min(s.price_micro for s in near)
        group = [s for s in near if s.price_micro <= most]
        groups.append(sorted(group, key=lambda s: s.candidate.load))
        left = [s for s in left if s not in group]
    return groups


def _ranking(groups: Sequence[Sequence[Standing]]) -> list[Standing]:
    """Models in order, interleaved so that each provider comes once before any comes twice."""
    seen: dict[str, int] = {}
    rounds: list[tuple[int, int, Standing]] = []
    for place, standing in enumerate(s for group in groups for s in group):
        provider = standing.candidate.card.provider
        turn = seen.get(provider, 0)
        seen[provider] = turn + 1
        rounds.append((turn, place, standing))
    return _with_own_engine_early([standing for _, _, standing in sorted(rounds, key=lambda r: r[:2])])


def _with_own_engine_early(ranking: list[Standing]) -> list[Standing]:
    """The second variant at the latest is made here: free, and with the product's own pixels to compare with."""
    places = [place for place, standing in enumerate(ranking) if standing.candidate.is_local]
    if not places or places[0] <= 1:
        return ranking
    first = ranking[places[0]]
    others = [standing for standing in ranking if standing is not first]
    return [others[0], first, *others[1:]]


def _on_trial(waiting: Sequence[Standing], branch: str, limits: Limits) -> Standing | None:
    """Return the model to be tried on purpose, when this variant is one of the exploring share."""
    if not limits.exploration or _dice(limits.seed, branch) >= limits.exploration:
        return None
    best = max(standing.score for standing in waiting)
    open_ones = [s for s in waiting if s.candidate.lane.health == 1 and not s.candidate.is_local]
    worth = [s for s in open_ones if best - s.score <= WORTH_A_TRY]
    return min(worth, key=lambda s: (s.candidate.figures.tries, -s.score, s.model), default=None)


def _dice(seed: str, branch: str) -> float:
    digest = hashlib.sha256(f"{seed}\n{branch}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _trial_words(standing: Standing, limits: Limits) -> str:
    tries = standing.candidate.figures.tries
    return (
        f"is tried on purpose ({limits.exploration:.0%} of variants are, so that what is little known is measured;"
        f" {tries} live attempts so far)"
    )


def _here_words(saves_micro: int) -> str:
    return (
        "leads this variant: no other is fitter, and results of the same request are here already"
        f" (saves {format_micro(saves_micro)})"
    )


def _turn(standing: Standing, group: Sequence[Standing]) -> str:
    other = next((s for s in group if s.candidate.card.provider != standing.candidate.card.provider), None)
    if other is None or other.candidate.load <= standing.candidate.load:
        return ""
    return (
        f"leads this variant, being as fit as {other.candidate.card.label} and with less to do"
        f" ({standing.candidate.load} clips in a day against {other.candidate.load})"
    )
