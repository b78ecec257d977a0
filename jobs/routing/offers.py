"""What a model would make of a scene, at which exact price and in what time. Pure: cards in, values out."""

from decimal import Decimal

from genengine.core.money import UnknownRate, convert
from jobs.routing.types import Candidate, Limits, Offer, Profile, SceneNeed
from providers.errors import InvalidRequest
from providers.values import Feature, ModelCard, Task, allowed_duration, by_references, ratio_value, resolution_lines

RATE_MARGIN = Decimal("0.05")  # a vendor's unit may cost more on the day it is billed
RETRY_HEADROOM = Decimal("0.10")  # some takes are paid for and made again
TAIL_MS = 500  # the scene runs on under the transition that follows it
WANTED_LINES = {Profile.QUALITY: "1080p", Profile.BALANCED: "1080p", Profile.ECONOMY: "720p"}
LEAST_EXPECTED_S = 2
TASKS_BY_REFERENCES = (Task.REFERENCES_TO_VIDEO, Task.TEXT_TO_VIDEO)


class CannotMake(Exception):
    """This model cannot make this scene; the text is the sentence for the plan."""


def offer_of(candidate: Candidate, scene: SceneNeed, limits: Limits) -> Offer:
    """Return what the model would be asked for, or raise `CannotMake` with the reason."""
    card = candidate.card
    taken = _references_taken(candidate, scene)
    task = _task_for(candidate, scene, taken)
    notes = _reference_notes(candidate, scene, taken)
    duration = _duration(candidate, scene, notes, _card_by_references(card) if taken else card)
    ratio = _ratio(card, limits.ratio, notes)
    resolution = _resolution(card, WANTED_LINES[limits.profile])
    amount = card.price.total(seconds=duration, tier=resolution)
    return Offer(
        candidate=candidate,
        task=task,
        duration_ms=int(duration * 1000),
        ratio=ratio,
        resolution=resolution,
        price_micro=in_ledger_currency(card, amount),
        price_upper_micro=in_ledger_currency(card, amount, margin=_margin(card)),
        expected_s=max(LEAST_EXPECTED_S, round(candidate.figures.pace_or(card.speed_s_per_s) * float(duration))),
        notes=tuple(notes),
        list_micro=in_ledger_currency(card, candidate.list_card.price.total(seconds=duration, tier=resolution)),
        references=taken,
    )


def in_ledger_currency(card: ModelCard, amount: Decimal, *, margin: Decimal = Decimal(0)) -> int:
    """Convert a vendor's amount to micro-units of US dollars; an unknown rate is a refusal."""
    if not amount:
        return 0
    if card.price.currency == "USD":
        return convert(amount, Decimal(1), margin=margin)
    if card.rate is None or card.rate.unit != card.price.currency:
        raise UnknownRate(f"no rate for {card.price.currency}: set one on the model card of {card.label}")
    return convert(amount, card.rate.usd, margin=margin)


def _margin(card: ModelCard) -> Decimal:
    return RETRY_HEADROOM if card.price.currency == "USD" else RETRY_HEADROOM + RATE_MARGIN


def _references_taken(candidate: Candidate, scene: SceneNeed) -> int:
    """How many of a scene's reference pictures the model would take.

    A first frame and references are not taken together by every vendor: the scene's own picture goes before them as
    one more.
    """
    card = candidate.card
    only_footage = scene.has_footage and not scene.has_image
    if candidate.is_local or only_footage or Feature.REFERENCE_IMAGES not in card.supports:
        return 0
    if not card.tasks.intersection(TASKS_BY_REFERENCES):
        return 0
    return max(0, min(scene.reference_images, card.max_references - scene.has_image))


def _card_by_references(card: ModelCard) -> ModelCard:
    try:
        return by_references(card)
    except InvalidRequest:
        fixed = " or ".join(f"{seconds:g}" for seconds in card.reference_durations)
        raise CannotMake(
            f"follows reference pictures in {fixed} s only, and an operator allows it shorter clips only"
        ) from None


def _reference_notes(candidate: Candidate, scene: SceneNeed, taken: int) -> list[str]:
    """Say what becomes of a scene's reference pictures."""
    asked, label = scene.reference_images, candidate.card.label
    if not asked:
        return []
    if candidate.is_local:
        return [f"{label} does not use reference pictures: it films what it is given."]
    if not taken:
        return [f"{label} takes no reference pictures; this clip is made without them."]
    notes = []
    if taken < asked:
        beside = " beside the scene's own picture" if scene.has_image else ""
        only = "the first of them is used" if taken == 1 else f"the first {taken} are used"
        notes.append(f"{label} takes {taken} of {asked} reference pictures{beside}: {only}.")
    if scene.has_image:
        notes.append(f"{label} follows the scene's own picture as a reference too and does not start from it.")
    return notes


def _task_for(candidate: Candidate, scene: SceneNeed, references: int) -> Task:
    """Choose the task: pictures and footage of the product are never replaced by an imagined product."""
    if references:
        return next(task for task in TASKS_BY_REFERENCES if task in candidate.card.tasks)
    if candidate.card.tasks == {Task.REFERENCES_TO_VIDEO}:
        raise CannotMake("makes clips by reference pictures only, and the scene has none")
    wanted = [Task.IMAGE_TO_VIDEO] if scene.has_image else []
    if candidate.is_local and scene.has_footage:
        wanted = [Task.VIDEO_TO_VIDEO, Task.IMAGE_TO_VIDEO]
    elif not scene.has_image and not scene.has_footage:
        wanted = [Task.TEXT_TO_VIDEO]
    for task in wanted:
        if task in candidate.card.tasks:
            return task
    if scene.has_footage and not scene.has_image:
        raise CannotMake("cannot start from your footage, and an imagined product would not be yours")
    if scene.has_image:
        raise CannotMake("does not start from a picture, so the product would be an imagined one")
    raise CannotMake("makes no video from words alone")


def _duration(candidate: Candidate, scene: SceneNeed, notes: list[str], card: ModelCard) -> Decimal:
    wanted = Decimal(scene.duration_ms) / 1000
    if candidate.is_local:
        wanted += Decimal(TAIL_MS) / 1000
    if not card.durations:
        return wanted
    allowed = Decimal(str(allowed_duration(card, float(wanted))))
    if allowed * 1000 < scene.duration_ms:
        raise CannotMake(f"makes at most {allowed:g} s and the scene lasts {scene.duration_ms / 1000:g} s")
    if allowed * 1000 > scene.duration_ms + TAIL_MS:
        notes.append(f"{card.label} makes {allowed:g} s; what the scene does not need is trimmed.")
    return allowed


def _ratio(card: ModelCard, asked: str, notes: list[str]) -> str:
    if not card.ratios or asked in card.ratios:
        return asked
    nearest = min(card.ratios, key=lambda ratio: abs(ratio_value(ratio) / ratio_value(asked) - 1))
    notes.append(f"{card.label} does not make {asked}; it makes {nearest}, which is reframed.")
    return nearest


def _resolution(card: ModelCard, asked: str) -> str:
    """The smallest resolution that reaches the asked one, else the largest there is."""
    if not card.resolutions or asked in card.resolutions:
        return asked
    ordered = sorted(card.resolutions, key=resolution_lines)
    reaching = [item for item in ordered if resolution_lines(item) >= resolution_lines(asked)]
    return reaching[0] if reaching else ordered[-1]
