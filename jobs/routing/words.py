"""The sentences of routing: why a model was taken, and why each other one was not."""

from collections.abc import Iterable

from genengine.core.money import format_micro
from jobs.plan import ClipPlan, Plan
from jobs.routing.types import Candidate, Offer, Profile, SceneNeed, Score

PROFILE_WORDS = {
    Profile.QUALITY: "quality first",
    Profile.BALANCED: "a balance of quality, price and time",
    Profile.ECONOMY: "price first",
}
PART_WORDS = {
    "quality": "lower quality for this scene",
    "fit": "a poorer fit to what the scene starts from",
    "price": "more of the budget",
    "speed": "a longer wait",
    "proven": "it has proved less reliable",
}


def reason_for(
    offer: Offer,
    score: Score,
    scene: SceneNeed,
    *,
    profile: Profile,
    leads: bool,
    saved_from: Offer | None,
    role: str = "",
) -> str:
    """Return why this model makes this clip, with the parts of its score."""
    role = role or "leads this variant"
    if not leads:
        role = "fits this scene, which the variant's lead model does not"
    if saved_from is not None:
        role = (
            f"keeps the plan inside the budget; {saved_from.candidate.card.label} would take {price_words(saved_from)}"
        )
    unwell = offer.candidate.lane.words
    asked = scene.reference_images
    follows = f" It takes {offer.references} of {asked} reference picture{'s' * (asked != 1)}." if asked else ""
    health = f"; health {score.health:.2f}: {unwell}" if unwell else ""
    return (
        f"{offer.candidate.card.label} {role}: with {PROFILE_WORDS[profile]} it scores {score.total:.2f}"
        f" (quality {score.quality:.2f}, fit {score.fit:.2f}, price {score.price:.2f}, speed {score.speed:.2f},"
        f" proven {score.proven:.2f}: {offer.candidate.figures.words}{health})."
        f" Complexity {scene.complexity} of 10: {scene.complexity_reason or 'nothing unusual'}.{follows}"
    )


def rejection_of(
    other: Offer, score: Score, chosen: Offer, chosen_score: Score, *, over_budget: bool, lead: str
) -> str:
    """Return why another model that could make the clip was not taken."""
    label = other.candidate.card.label
    if over_budget:
        return f"{label}: {price_words(other)} for this clip would take the plan past the budget."
    if score.total > chosen_score.total:
        why = "this variant stays with its lead model" if chosen.candidate.card.id == lead else "the budget"
        return f"{label}: scores {score.total:.2f} against {chosen_score.total:.2f}, but {why} decides here."
    if score.health < chosen_score.health:
        return f"{label}: scores {score.total:.2f} against {chosen_score.total:.2f}; {other.candidate.lane.words}."
    gaps = {part: getattr(chosen_score, part) - getattr(score, part) for part in PART_WORDS}
    worst = max(gaps, key=lambda part: gaps[part])
    why = PART_WORDS[worst]
    if other.references < chosen.references:
        fewer = f"it takes {other.references or 'no'} reference picture{'s' * (other.references != 1)}"
        why = fewer if worst == "fit" else f"{fewer}, and {why}"
    return (
        f"{label}: scores {score.total:.2f} against {chosen_score.total:.2f}; {why}"
        f" ({price_words(other)}, about {other.expected_s} s)."
    )


def lane_notes(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """Return a sentence for each provider whose way is not open now; its worst model speaks for it."""
    worst: dict[str, Candidate] = {}
    for candidate in candidates:
        provider = candidate.card.provider
        known = worst.get(provider)
        if candidate.lane.words and (known is None or candidate.lane.health < known.lane.health):
            worst[provider] = candidate
    return tuple(
        f"{one.card.label} and what else its account makes came behind when this plan was made: {one.lane.words}."
        for one in worst.values()
    )


def same_clip_reason(first: ClipPlan, plan: Plan) -> str:
    """Return why a clip costs nothing that asks the same of the same model as another clip of its plan."""
    return (
        f"The same clip as {place_words(first.scene, first.branch, plan)}: it is made once and used for both."
        " Should that one not be made, this one is made on its own, at its own price."
    )


def place_words(scene: str, branch: str, plan: Plan) -> str:
    """Name a clip as people find it on the board."""
    number = [s.key for s in plan.scenes].index(scene) + 1
    return f"scene {number} of variant {branch.upper()}"


def price_words(offer: Offer) -> str:
    """Return the price for people; what costs nothing is called free."""
    return format_micro(offer.price_micro) if offer.price_micro else "free"
