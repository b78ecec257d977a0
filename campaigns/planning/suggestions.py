"""What would make a plan cheaper, each with its amount and, where one click can do it, the change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.planning.clips import MODEL_BY_PERSON, Desk, need_of
from campaigns.planning.types import ChangeBranchModel, PlanChange, StartOffPeak
from genengine.core.money import format_micro
from jobs.plan import BranchPlan, ClipPlan, Plan
from jobs.routing.complexity import needed_quality
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.savings import next_tier_sentences
from jobs.routing.types import Candidate, Offer

WORTH_SAYING = 0.05  # of the variant's price


@dataclass(frozen=True)
class Suggestion:
    """One way to pay less: the amount in micro-units (0 when it depends on later work) and the change, if one click."""

    kind: str  # reuse | cheaper_model | off_peak | volume
    sentence: str
    saves_micro: int = 0
    change: PlanChange | None = None

    @property
    def key(self) -> str:
        """What names it in a form, as long as it is on offer."""
        return f"{self.kind}-{getattr(self.change, 'branch', '')}-{getattr(self.change, 'model', '')}"


def suggestions(plan: Plan, desk: Desk, *, expected_s: int) -> tuple[Suggestion, ...]:
    """Return the ways to pay less, the largest first."""
    found = [_cheaper_model(plan, branch, desk) for branch in plan.branches]
    found.append(_off_peak(plan, desk, expected_s))
    tiers = [Suggestion("volume", sentence) for sentence in next_tier_sentences(plan, desk.candidates)]
    return tuple(sorted((s for s in found if s is not None), key=lambda s: -s.saves_micro)) + tuple(tiers)


def _cheaper_model(plan: Plan, branch: BranchPlan, desk: Desk) -> Suggestion | None:
    """The cheapest model that is good enough for every scene of a variant; what a person chose is left alone."""
    clips = [c for c in plan.clips_of(branch.key) if c.model == branch.model and c.price_micro]
    if not clips or any(MODEL_BY_PERSON in c.notes or plan.scene(c.scene).locked for c in clips):
        return None
    if any((c.scene, c.branch) in _made_for_others(plan) for c in clips):
        return None  # the others would have to be made then, at a price of their own
    now_micro = sum(c.price_micro for c in clips)
    leads = {b.model for b in plan.branches}
    others = [c for c in desk.candidates if not (c.refusal or c.is_local or c.card.id in leads)]
    prices = {c.card.id: _price_of(c, plan, clips, desk) for c in others}
    able = [(price, c.card.label, c) for c in others if (price := prices[c.card.id]) is not None]
    if not able:
        return None
    price, _, best = min(able, key=lambda item: item[:2])
    saves = now_micro - price
    if saves < now_micro * WORTH_SAYING:
        return None
    return Suggestion(
        "cheaper_model",
        f"Lead variant {branch.key} with {best.card.label}: saves {format_micro(saves)} of {format_micro(now_micro)};"
        f" its declared quality, {best.card.quality} of 10, is enough for these scenes.",
        saves,
        ChangeBranchModel(branch.key, best.card.id),
    )


def _price_of(candidate: Candidate, plan: Plan, clips: Sequence[ClipPlan], desk: Desk) -> int | None:
    """What a model asks for these clips; nothing when it is not good enough for one, cannot make it, or follows fewer
    reference pictures."""
    total = 0
    for clip in clips:
        scene = plan.scene(clip.scene)
        need = need_of(scene, desk)
        if candidate.card.quality < needed_quality(need.complexity):
            return None
        try:
            offer = offer_of(candidate, need, desk.limits)
        except CannotMake:
            return None
        if offer.references < sum(i.asset_id in scene.reference_images for i in clip.inputs):
            return None
        total += offer.price_micro
    return total


def _made_for_others(plan: Plan) -> set[tuple[str, str]]:
    """Clips, by scene and branch, that equal clips of the plan wait for."""
    return {(c.reuse.scene, c.reuse.branch) for c in plan.clips if c.reuse and c.reuse.scene}


def _off_peak(plan: Plan, desk: Desk, expected_s: int) -> Suggestion | None:
    """Wait for a vendor's cheaper hours, when the deadline leaves the time."""
    moved = off_peak_clips(plan, desk)
    if not moved or desk.now is None:
        return None
    start = max(datetime.fromisoformat(clip.not_before) for clip in moved.values())
    left = desk.limits.seconds_left
    if left is not None and (start - desk.now).total_seconds() + expected_s > left:
        return None
    before = sum(c.price_micro for c in plan.clips if (c.scene, c.branch) in moved)
    saves = before - sum(c.price_micro for c in moved.values())
    return Suggestion(
        "off_peak", f"Start {len(moved)} clips at {start:%H:%M} UTC, off-peak: saves {format_micro(saves)}.", saves,
        StartOffPeak(),
    )  # fmt: skip


def off_peak_clips(plan: Plan, desk: Desk) -> dict[tuple[str, str], ClipPlan]:
    """Return the clips that a vendor makes cheaper later, as they would be then; locked scenes stay."""
    moved, shared = {}, _made_for_others(plan)
    for clip in plan.clips:
        candidate = desk.candidate(clip.model)
        if desk.now is None or candidate is None or clip.not_before or plan.scene(clip.scene).locked:
            continue
        if (clip.scene, clip.branch) in shared:
            continue
        offer = _later(candidate, plan, clip, desk, desk.now)
        if offer is not None and offer.price_micro < clip.price_micro:
            assert candidate.terms is not None
            assert candidate.terms.off_peak is not None
            moved[clip.scene, clip.branch] = replace(
                clip,
                price_micro=offer.price_micro,
                price_upper_micro=offer.price_upper_micro,
                not_before=candidate.terms.off_peak.next_start(desk.now).isoformat(),
            )
    return moved


def _later(candidate: Candidate, plan: Plan, clip: ClipPlan, desk: Desk, now: datetime) -> Offer | None:
    terms = candidate.terms
    if terms is None or terms.off_peak is None or terms.off_peak.holds_at(now):
        return None
    card = terms.priced(units=candidate.used_units, at=now, off_peak=True)
    try:
        return offer_of(replace(candidate, card=card), need_of(plan.scene(clip.scene), desk), desk.limits)
    except CannotMake:
        return None
