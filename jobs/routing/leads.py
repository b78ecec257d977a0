"""Which model leads which variant: the ranking, turns between equals, and a share of exploration. Pure and repeatable.

Equally fit means a score within `EQUAL` of the best of them; between equals the provider that was given fewer clips
lately comes first, so that no account is worn out while another idles.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.routing.types import BranchNeed, Candidate, Limits

EQUAL = 0.02
WORTH_A_TRY = 0.15  # a model this far behind the best is still tried on purpose


@dataclass(frozen=True)
class Standing:
    """A model over all scenes of the plan: its mean score."""

    model: str
    candidate: Candidate
    score: float


@dataclass(frozen=True)
class Lead:
    """The lead of one variant, its part in a sentence, and the models that are as fit."""

    model: str
    role: str = ""
    peers: tuple[str, ...] = ()


def give_leads(branches: Sequence[BranchNeed], standings: Sequence[Standing], limits: Limits) -> dict[str, Lead]:
    """Give each branch a lead: what a person set, else the next of the ranking that no other branch leads with."""
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
        chosen = tried or waiting[0]
        waiting = [s for s in waiting if s is not chosen] or ranking
        peers = next(tuple(s.model for s in group) for group in groups if chosen in group)
        leads[branch.key] = Lead(chosen.model, _trial_words(chosen, limits) if tried else _turn(chosen, groups), peers)
    return leads


def equals(standings: Sequence[Standing]) -> list[list[Standing]]:
    """Group the models into equals, best group first; inside a group the least busy provider comes first."""
    groups: list[list[Standing]] = []
    for standing in sorted(standings, key=lambda s: (-s.score, s.model)):
        head = groups[-1][0] if groups else None
        ours = standing.candidate.is_local or (head is not None and head.candidate.is_local)
        if head is not None and not ours and head.score - standing.score <= EQUAL:
            groups[-1].append(standing)
        else:
            groups.append([standing])
    return [sorted(group, key=lambda s: s.candidate.load) for group in groups]


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
    worth = [s for s in waiting if best - s.score <= WORTH_A_TRY and not s.candidate.is_local]
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


def _turn(standing: Standing, groups: Sequence[Sequence[Standing]]) -> str:
    group = next(group for group in groups if standing in group)
    other = next((s for s in group if s.candidate.card.provider != standing.candidate.card.provider), None)
    if other is None or other.candidate.load <= standing.candidate.load:
        return ""
    return (
        f"leads this variant, being as fit as {other.candidate.card.label} and with less to do"
        f" ({standing.candidate.load} clips in a day against {other.candidate.load})"
    )
