"""Choose a model for every scene and branch. A pure function: the same needs, cards and limits give the same choices.

Each branch has a lead model, so that variants differ visibly: the best model of each provider in the order of its
score, then the second best. Models that are equally fit take turns by what their providers had to do lately, and a
set share of variants is led by a model of which little is known (`leads.py`). A scene leaves its branch's lead only
where the lead cannot make it or does not fit it. When the budget does not hold the first choices, clips move to
cheaper models of the same provider, the least loss first; what still does not fit is said with the changes that would
make it fit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from genengine.core.money import UnknownRate
from jobs.routing.fixes import deadline_problem, over_cap_problem
from jobs.routing.leads import Lead, Standing, give_leads
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.scoring import score_offer
from jobs.routing.types import (
    NOTHING_AT_HAND,
    AtHand,
    BranchNeed,
    Candidate,
    Choice,
    Limits,
    NothingFits,
    Offer,
    Profile,
    Routing,
    SceneNeed,
    Score,
)
from jobs.routing.words import lane_notes, reason_for, rejection_of

LEAST_FIT = 0.3


@dataclass(frozen=True)
class Scored:
    """An offer with its score for one scene."""

    offer: Offer
    score: Score

    @property
    def model(self) -> str:
        """The id of the model card."""
        return self.offer.candidate.card.id


@dataclass(frozen=True)
class Market:
    """Everything on offer for one scene: scored offers, best first, and who cannot make it and why."""

    scene: SceneNeed
    offers: tuple[Scored, ...]
    refusals: tuple[str, ...]

    def of(self, model: str) -> Scored | None:
        """Return what a model offers for this scene."""
        return next((s for s in self.offers if s.model == model), None)


def choose_models(
    *,
    scenes: Sequence[SceneNeed],
    branches: Sequence[BranchNeed],
    candidates: Sequence[Candidate],
    limits: Limits,
    at_hand: AtHand = NOTHING_AT_HAND,
) -> Routing:
    """Return the choice for each scene × branch with its price, time and reasons, and what does not fit.

    `at_hand` is what earlier results would save by branch and model, in micro-units: it decides between equals.
    """
    markets = [_market(scene, candidates, scenes, len(branches), limits) for scene in scenes]
    given = give_leads(branches, _standings(markets), limits, at_hand)
    leads = {key: lead.model for key, lead in given.items()}
    picked = {
        (market.scene.key, branch.key): _pick(market, leads[branch.key], bool(branch.lead_model))
        for branch in branches
        for market in markets
    }
    free = {branch.key for branch in branches if not branch.lead_model}
    fitted = _fit_to_cap(picked, {m.scene.key: m for m in markets}, free, limits)
    choices = tuple(
        _explained(market, branch.key, fitted, picked, given[branch.key], limits.profile)
        for branch in branches
        for market in markets
    )
    return _routing(choices, given, branches, markets, limits)


def _market(
    scene: SceneNeed,
    candidates: Iterable[Candidate],
    scenes: Sequence[SceneNeed],
    branch_count: int,
    limits: Limits,
) -> Market:
    length = sum(s.duration_ms for s in scenes) or 1
    share = (limits.cap_micro - limits.reserved_micro) * scene.duration_ms // (length * max(1, branch_count))
    offers, refusals = _offers(scene, candidates, limits)
    if not offers:
        raise NothingFits(
            f"no model can make scene {scene.key}: connect a provider under Providers or add a picture to the scene"
        )
    dearest = max(offer.price_upper_micro for offer in offers)
    scored = [
        Scored(
            offer,
            score_offer(
                offer,
                scene,
                profile=limits.profile,
                share_micro=share,
                dearest_micro=dearest,
                wait_s=limits.seconds_left,
            ),
        )
        for offer in offers
    ]
    scored.sort(key=lambda s: (-s.score.total, s.offer.price_micro, s.model))
    return Market(scene, tuple(scored), tuple(refusals))


def _offers(scene: SceneNeed, candidates: Iterable[Candidate], limits: Limits) -> tuple[list[Offer], list[str]]:
    """Return what every model offers for a scene, and a sentence for each that cannot."""
    offers: list[Offer] = []
    refusals: list[str] = []
    for candidate in candidates:
        try:
            if candidate.refusal:
                raise CannotMake(candidate.refusal)
            offers.append(offer_of(candidate, scene, limits))
        except (CannotMake, UnknownRate) as error:
            refusals.append(f"{candidate.card.label}: {str(error).removesuffix('.')}.")
    return offers, refusals


def _standings(markets: Sequence[Market]) -> list[Standing]:
    """Return how every model stands over all scenes."""
    found: dict[str, list[Scored]] = {}
    for market in markets:
        for scored in market.offers:
            found.setdefault(scored.model, []).append(scored)
    return [
        Standing(
            model=model,
            candidate=rows[0].offer.candidate,
            score=sum(row.score.total for row in rows) / len(markets),
            price_micro=sum(row.offer.price_micro for row in rows) // len(rows),
        )
        for model, rows in found.items()
    ]


def _pick(market: Market, lead: str, by_person: bool) -> Scored:
    """Return the lead's offer; only where it does not fit the scene at all, the best of the others."""
    best, led = market.offers[0], market.of(lead)
    if led is not None and (by_person or led.score.fit >= LEAST_FIT):
        return led
    return best


def _fit_to_cap(
    picked: Mapping[tuple[str, str], Scored], markets: Mapping[str, Market], free: set[str], limits: Limits
) -> dict[tuple[str, str], Scored]:
    """Move clips to cheaper models of the same provider; with price first, to any provider when that is not enough."""
    fitted = dict(picked)
    available = limits.cap_micro - limits.reserved_micro
    while sum(s.offer.price_upper_micro for s in fitted.values()) > available:
        steps = _cheaper_steps(fitted, markets, free, anywhere=False)
        if not steps and limits.profile is Profile.ECONOMY:
            steps = _cheaper_steps(fitted, markets, free, anywhere=True)
        if not steps:
            break
        _, clip, other = min(steps, key=lambda step: (step[0], step[1], step[2].model))
        fitted[clip] = other
    return fitted


def _cheaper_steps(
    fitted: Mapping[tuple[str, str], Scored], markets: Mapping[str, Market], free: set[str], *, anywhere: bool
) -> list[tuple[float, tuple[str, str], Scored]]:
    """Return every move of a clip to a cheaper model with the score it loses for the money it saves."""
    steps = []
    for clip, now in fitted.items():
        for other in markets[clip[0]].offers if clip[1] in free else ():
            saved = now.offer.price_upper_micro - other.offer.price_upper_micro
            same = other.offer.candidate.card.provider == now.offer.candidate.card.provider
            if saved > 0 and (same or anywhere):
                steps.append(((now.score.total - other.score.total) / saved, clip, other))
    return steps


def _explained(
    market: Market,
    branch: str,
    fitted: Mapping[tuple[str, str], Scored],
    first: Mapping[tuple[str, str], Scored],
    lead: Lead,
    profile: Profile,
) -> Choice:
    clip = (market.scene.key, branch)
    chosen = fitted[clip]
    dearer = first[clip] if first[clip].model != chosen.model else None
    others = tuple(
        rejection_of(other.offer, other.score, chosen.offer, chosen.score, over_budget=other is dearer, lead=lead.model)
        for other in market.offers
        if other.model != chosen.model
    )
    return Choice(
        scene=market.scene.key,
        branch=branch,
        offer=chosen.offer,
        score=chosen.score,
        reason=reason_for(
            chosen.offer,
            chosen.score,
            market.scene,
            profile=profile,
            leads=chosen.model == lead.model,
            saved_from=dearer.offer if dearer else None,
            role=lead.role,
        ),
        rejected=others + market.refusals,
        naive=naive_offer(market),
    )


def naive_offer(market: Market) -> Offer:
    """Return what a choice by declared quality alone takes: the best vendor's model, the dearest of equals."""
    offers = [scored.offer for scored in market.offers if not scored.offer.candidate.is_local]
    ranked = offers or [scored.offer for scored in market.offers]
    return max(ranked, key=lambda o: (o.candidate.card.quality, o.list_micro, o.candidate.card.id))


def _routing(
    choices: tuple[Choice, ...],
    given: Mapping[str, Lead],
    branches: Sequence[BranchNeed],
    markets: Sequence[Market],
    limits: Limits,
) -> Routing:
    leads = {key: lead.model for key, lead in given.items()}
    routing = Routing(
        choices=choices,
        price_micro=sum(c.offer.price_micro for c in choices),
        price_upper_micro=sum(c.offer.price_upper_micro for c in choices),
        expected_s=expected_seconds(choices, limits),
        leads=leads,
        notes=(*_notes(leads), *lane_notes(offer.offer.candidate for market in markets for offer in market.offers)),
        peers={key: lead.peers for key, lead in given.items()},
    )
    by_branch = [sum(c.offer.price_upper_micro for c in choices if c.branch == branch.key) for branch in branches]
    problems = [
        over_cap_problem(
            by_branch=by_branch,
            least_micro=least_price(markets),
            cap_micro=limits.cap_micro - limits.reserved_micro,
        ),
        deadline_problem(expected_s=routing.expected_s, seconds_left=limits.seconds_left, variants=len(branches)),
    ]
    return replace(routing, problems=tuple(p for p in problems if p is not None))


def expected_seconds(choices: Iterable[Choice], limits: Limits) -> int:
    """Clips of vendors run beside each other, clips made here share this machine's workers."""
    remote = sorted((c.offer.expected_s for c in choices if not c.offer.candidate.is_local), reverse=True)
    local = sum(c.offer.expected_s for c in choices if c.offer.candidate.is_local)
    waves = sum(remote[:: limits.parallel_remote])  # the slowest of each wave
    return max(waves, -(-local // max(1, limits.local_workers)))


def least_price(markets: Sequence[Market]) -> int:
    """Return what one variant costs at most with the cheapest model for each scene."""
    return sum(min(s.offer.price_upper_micro for s in m.offers) for m in markets)


def _notes(leads: Mapping[str, str]) -> tuple[str, ...]:
    if len(leads) > len(set(leads.values())):
        return ("Some variants share a model because no other one is connected; they differ in style and pictures.",)
    return ()
