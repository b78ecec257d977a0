"""Make the clips of a plan: what each asks of its model. Pure values; a person's own words and models are kept."""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from campaigns.planning.looks import choose_look
from campaigns.planning.prompts import style_of, write_prompt
from campaigns.planning.types import AssetRef, BriefValues
from genengine.core.money import UnknownRate
from jobs.execution.colours import ink_on
from jobs.plan import BranchPlan, ClipInput, ClipPlan, ScenePlan
from jobs.routing.complexity import complexity_of
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.types import Candidate, Choice, Limits, Offer, SceneNeed
from providers.values import Task

PROMPT_BY_PERSON = "Prompt written by a person."
MODEL_BY_PERSON = "Model chosen by a person."
BARE = re.compile(r"\blogo\b|\btitle card\b|\bend card\b|\bplain ground\b", re.IGNORECASE)
LONGEST_HEADLINE = 80
MOST_NAMED = 2


EarlierResults = Callable[[Sequence[ClipPlan]], Collection[tuple[str, str, str]]]


def no_earlier_results(clips: Sequence[ClipPlan]) -> Collection[tuple[str, str, str]]:
    """Of these clips none was made before; else those that were, by scene, branch and model."""
    return ()


@dataclass(frozen=True)
class Desk:
    """What clip-making looks things up in."""

    brief: BriefValues
    candidates: tuple[Candidate, ...]
    limits: Limits
    assets: Mapping[str, AssetRef]
    now: datetime | None = None  # off-peak hours are reckoned from here
    earlier: EarlierResults = no_earlier_results
    pictures: frozenset[str] = frozenset()  # of the library, those that the plan or a change names

    def candidate(self, model: str) -> Candidate | None:
        """Return the candidate of a model that may be used here."""
        return next((c for c in self.candidates if c.card.id == model and not c.refusal), None)


def need_of(scene: ScenePlan, desk: Desk) -> SceneNeed:
    """Return what a scene asks of a model."""
    kinds = [desk.assets[ref].kind for ref in scene.references if ref in desk.assets]
    complexity = complexity_of(
        visual=scene.visual, camera=scene.camera, duration_ms=scene.duration_ms, subjects=max(1, len(kinds))
    )
    return SceneNeed(
        key=scene.key,
        duration_ms=scene.duration_ms,
        complexity=complexity.value,
        complexity_reason=complexity.reason,
        has_image="image" in kinds,
        has_footage="video" in kinds,
        reference_images=len(scene.reference_images),
        exact_lettering=not kinds and bool(BARE.search(scene.visual)),
    )


def clip_of(choice: Choice, scene: ScenePlan, desk: Desk, *, place: int, branch: int) -> ClipPlan:
    """Return the clip that routing chose, with prompt, seed, inputs and price."""
    clip = _clip(choice.offer, scene, desk, place=place, branch=branch, branch_key=choice.branch)
    naive = choice.naive
    return replace(
        clip,
        reason=choice.reason,
        rejected=choice.rejected,
        naive_micro=naive.list_micro if naive else 0,
        naive_model=naive.candidate.card.id if naive else "",
    )


def clips_with(model: str, scenes: Sequence[ScenePlan], desk: Desk, *, branch: int, key: str) -> list[ClipPlan]:
    """Return the clips of a branch as this model would make them; scenes that it cannot make are missing."""
    candidate = desk.candidate(model)
    clips = []
    for place, scene in enumerate(scenes if candidate else ()):
        assert candidate is not None
        with suppress(CannotMake, UnknownRate):
            offer = offer_of(candidate, need_of(scene, desk), desk.limits)
            clips.append(_clip(offer, scene, desk, place=place, branch=branch, branch_key=key))
    return clips


def remade_clip(old: ClipPlan, scene: ScenePlan, desk: Desk, *, place: int, branch: int) -> ClipPlan | None:
    """Return the clip for a changed scene with the same model; nothing when that model may not be used any more.

    Raises `CannotMake` when the model is not able to make the scene as it is now.
    """
    candidate = desk.candidate(old.model)
    if candidate is None:
        return None
    offer = offer_of(candidate, need_of(scene, desk), desk.limits)
    made = _clip(offer, scene, desk, place=place, branch=branch, branch_key=old.branch)
    kept = tuple(note for note in old.notes if note in (PROMPT_BY_PERSON, MODEL_BY_PERSON))
    made = replace(
        made,
        reason=old.reason,
        rejected=old.rejected,
        seed=old.seed,
        notes=made.notes + kept,
        naive_micro=old.naive_micro,
        naive_model=old.naive_model,
    )
    if PROMPT_BY_PERSON in kept:
        made = replace(made, prompt=old.prompt, negative_prompt=old.negative_prompt)
    return made


def _clip(offer: Offer, scene: ScenePlan, desk: Desk, *, place: int, branch: int, branch_key: str) -> ClipPlan:
    card = offer.candidate.card
    text = write_prompt(scene, brief=desk.brief, card=card, place=place, branch=branch)
    return ClipPlan(
        scene=scene.key,
        branch=branch_key,
        provider=card.provider,
        model=card.id,
        task=offer.task.value,
        prompt=text.prompt,
        negative_prompt=text.negative,
        seed=_seed(desk.brief, scene.key, branch_key),
        native_ratio=offer.ratio,
        resolution=offer.resolution,
        duration_ms=offer.duration_ms,
        price_micro=offer.price_micro,
        price_upper_micro=offer.price_upper_micro,
        expected_s=offer.expected_s,
        card_revision=offer.candidate.terms.number if offer.candidate.terms else 0,
        list_micro=offer.list_micro,
        inputs=_inputs(offer, scene, desk, branch),
        notes=offer.notes + _who_follows(offer, scene, desk),
        options=_card_options(scene, desk.brief) if _is_text_card(offer) else {},
    )


def _who_follows(offer: Offer, scene: ScenePlan, desk: Desk) -> tuple[str, ...]:
    """Say which of the best models would follow the scene's reference pictures, where the chosen one follows none."""
    if offer.references or not scene.reference_images:
        return ()
    able = []
    for candidate in desk.candidates:
        with suppress(CannotMake, UnknownRate):
            if not candidate.refusal and offer_of(candidate, need_of(scene, desk), desk.limits).references:
                able.append(candidate.card)
    if not able:
        return ("No model that is connected here would follow them for this scene.",)
    best = sorted(able, key=lambda card: (-card.quality, card.id))[:MOST_NAMED]
    return (f"{' or '.join(card.label for card in best)} would follow them: choose it under Prompt and model.",)


def _is_text_card(offer: Offer) -> bool:
    return offer.candidate.is_local and offer.task is Task.TEXT_TO_VIDEO


def _card_options(scene: ScenePlan, brief: BriefValues) -> dict[str, Any]:
    """A card in the brand's colours. Its words are the scene's on-screen text, else the brand's name."""
    headline = scene.on_screen_text.strip() or brief.brand_name or brief.title or scene.title
    options: dict[str, Any] = {"headline": headline[:LONGEST_HEADLINE]}
    ground = brief.colours.get("background") or brief.colours.get("primary")
    if ground:
        options |= {"background_from": ground, "background_to": ground, "color": ink_on(ground)}
    return options


def _inputs(offer: Offer, scene: ScenePlan, desk: Desk, branch: int) -> tuple[ClipInput, ...]:
    """The files of a clip: footage for the local engine, else the picture it starts from; variants start elsewhere.

    A model that follows reference pictures gets that picture as the first of them.
    """
    known = [desk.assets[ref] for ref in scene.references if ref in desk.assets]
    if offer.task is Task.TEXT_TO_VIDEO and not offer.references:
        return ()
    if offer.task is Task.VIDEO_TO_VIDEO:
        footage = next(a for a in known if a.kind == "video")
        return (ClipInput(footage.id, "source_clip"),)
    images = [a for a in known if a.kind == "image"]
    turn = branch % max(1, len(images))
    ordered = images[turn:] + images[:turn]
    if offer.references:
        guides = scene.reference_images[: offer.references]
        return tuple(ClipInput(pk, "reference") for pk in dict.fromkeys((*(a.id for a in ordered[:1]), *guides)))
    first = ClipInput(ordered[0].id, "first_frame")
    if not offer.candidate.is_local:
        return (first,)
    more = ordered[1 : 1 + offer.candidate.card.max_references]
    return (first, *(ClipInput(a.id, "reference") for a in more))


def _seed(brief: BriefValues, scene: str, branch: str) -> int:
    """A figure that stays the same for the same words, so that a repeated plan asks for the same picture."""
    text = f"{brief.title}\n{brief.script}\n{scene}\n{branch}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def branch_names(leads: Mapping[str, str], desk: Desk) -> tuple[BranchPlan, ...]:
    """Return the variants with a name people can tell apart: letter and lead model."""
    return tuple(branch_plan(key, model, desk, place) for place, (key, model) in enumerate(leads.items()))


def branch_plan(key: str, model: str, desk: Desk, place: int, name: str = "") -> BranchPlan:
    """Return one variant led by a model."""
    card = next(c.card for c in desk.candidates if c.card.id == model)
    look, why = choose_look(desk.brief, place)
    return BranchPlan(
        key=key,
        name=name or f"{key} · {card.label}",
        provider=card.provider,
        model=model,
        style=style_of(desk.brief, place),
        look=look,
        look_reason=why,
    )


def next_key(used: Sequence[str], prefix: str = "") -> str:
    """Return a key that was never used: A, B, … for variants, s1, s2, … for scenes."""
    if prefix:
        return f"{prefix}{max((int(k.removeprefix(prefix)) for k in used), default=0) + 1}"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return next(letter for letter in letters if letter not in used)
