"""Score an offer by named parts. Pure arithmetic; every figure is shown in the plan."""

from dataclasses import dataclass

from jobs.routing.complexity import needed_quality
from jobs.routing.types import Offer, Profile, SceneNeed, Score
from providers.values import Task


@dataclass(frozen=True)
class Weights:
    """How much each part counts; they add up to 1."""

    quality: float
    fit: float
    price: float
    speed: float
    proven: float


WEIGHTS = {
    Profile.QUALITY: Weights(quality=0.45, fit=0.19, price=0.04, speed=0.07, proven=0.25),
    Profile.BALANCED: Weights(quality=0.30, fit=0.19, price=0.15, speed=0.11, proven=0.25),
    Profile.ECONOMY: Weights(quality=0.11, fit=0.15, price=0.38, speed=0.11, proven=0.25),
}
CALM_WAIT_S = 300  # with no deadline, five minutes a clip is as slow as it gets
REFERENCES_WEIGH = 0.6  # of the fit, where a scene has reference pictures: half of them taken is half of it kept
SHUT_COSTS = 0.5  # of the score: behind every model that is nearly as fit, before none at all


def score_offer(
    offer: Offer, scene: SceneNeed, *, profile: Profile, share_micro: int, dearest_micro: int, wait_s: int | None
) -> Score:
    """Return the parts of the score.

    `share_micro` is what the budget leaves for this clip on average, `dearest_micro` the highest price on offer. A
    model that often fails costs more and takes longer than its card says: both are divided by its pass rate. One whose
    lane is shut now keeps half of its score.
    """
    weights = WEIGHTS[profile]
    quality = _quality(offer, scene)
    fit = _fit(offer, scene) * _followed(offer, scene)
    figures = offer.candidate.figures
    price = _price(round(offer.price_upper_micro / figures.effort), share_micro, dearest_micro)
    wait = offer.expected_s / figures.effort
    speed = max(0.0, 1.0 - wait / (min(wait_s, CALM_WAIT_S) if wait_s else CALM_WAIT_S))
    proven = figures.proven
    total = (
        weights.quality * quality
        + weights.fit * fit
        + weights.price * price
        + weights.speed * speed
        + weights.proven * proven
    )
    health = offer.candidate.lane.health
    total *= 1 - SHUT_COSTS * (1 - health)
    return Score(
        round(quality, 3),
        round(fit, 3),
        round(price, 3),
        round(speed, 3),
        round(total, 4),
        round(proven, 3),
        round(health, 3),
    )


def _quality(offer: Offer, scene: SceneNeed) -> float:
    """Mostly whether the model is good enough for the scene, partly how good it is at all."""
    declared = offer.candidate.card.quality
    return 0.6 * min(1.0, declared / needed_quality(scene.complexity)) + 0.4 * declared / 10


def _fit(offer: Offer, scene: SceneNeed) -> float:
    if scene.exact_lettering:
        return 1.0 if offer.candidate.is_local else 0.1
    if offer.candidate.is_local:
        if scene.has_footage:
            return 1.0
        return 0.8 if scene.has_image else 0.1  # without a picture it can only set the words on a card
    return 0.9 if offer.task is Task.IMAGE_TO_VIDEO or scene.has_image else 1.0


def _followed(offer: Offer, scene: SceneNeed) -> float:
    """1 where a model takes every reference picture of the scene, less by the share that it leaves out."""
    if not scene.reference_images:
        return 1.0
    return 1.0 - REFERENCES_WEIGH * (1 - offer.references / scene.reference_images)


def _price(upper_micro: int, share_micro: int, dearest_micro: int) -> float:
    """Half of it against the budget, half against the other offers."""
    if not upper_micro:
        return 1.0
    of_budget = max(0.0, 1.0 - upper_micro / (2 * share_micro)) if share_micro > 0 else 0.0
    return 0.5 * of_budget + 0.5 * max(0.0, 1.0 - upper_micro / max(1, dearest_micro))
