"""Reference pictures of scenes: how many the models of a scene follow, and what of them a new plan keeps."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

from campaigns.planning.clips import Desk, need_of
from campaigns.planning.text import stems
from campaigns.planning.types import Storyboard
from genengine.core.money import UnknownRate
from jobs.plan import Plan, ScenePlan
from jobs.routing.offers import CannotMake, offer_of

MOST_REFERENCE_IMAGES = 8
# Half of the meaningful words of two scenes are the same: shortened or polished, it is still that scene.
SAME_SCENE = 0.5


@dataclass(frozen=True)
class Room:
    """How many reference pictures a model of a scene follows; `branches` are the keys of its variants."""

    label: str
    branches: tuple[str, ...]
    pictures: int

    @property
    def sentence(self) -> str:
        """What the model makes of them, for the drawer."""
        if not self.pictures:
            return f"{self.label} follows none"
        return f"{self.label} follows the first {self.pictures}" if self.pictures > 1 else f"{self.label} follows one"


def rooms(plan: Plan, scene: ScenePlan, desk: Desk) -> tuple[Room, ...]:
    """Return how many reference pictures each model of a scene follows, in the order of the variants."""
    need = replace(need_of(scene, desk), reference_images=MOST_REFERENCE_IMAGES)
    by_model: dict[str, tuple[str, ...]] = {}
    for clip in plan.clips:
        if clip.scene == scene.key:
            by_model[clip.model] = (*by_model.get(clip.model, ()), clip.branch)
    found = []
    for model, branches in by_model.items():
        candidate = next((c for c in desk.candidates if c.card.id == model), None)
        pictures = 0
        with suppress(CannotMake, UnknownRate):
            pictures = offer_of(candidate, need, desk.limits).references if candidate else 0
        found.append(Room(candidate.card.label if candidate else model, branches, pictures))
    return tuple(found)


def keep_reference_images(storyboard: Storyboard, before: Plan, usable: Collection[str]) -> Storyboard:
    """Give the scenes of a new plan the reference pictures that people chose for the same scenes of the one before.

    A scene is the same when it says the same words, or shares half of them; where nothing is said, when half of what
    it shows is the same. `usable` are the pictures that are still in the library. The notes say what is kept or lost.
    """
    guided = [scene for scene in before.scenes if scene.reference_images]
    if not guided:
        return storyboard
    heirs = _heirs(guided, storyboard.scenes)
    scenes = list(storyboard.scenes)
    for old, place in heirs.items():
        kept = tuple(pk for pk in before.scene(old).reference_images if pk in usable)
        scenes[place] = replace(scenes[place], reference_images=kept)
    return replace(storyboard, scenes=tuple(scenes), notes=(*storyboard.notes, *_notes(guided, heirs, scenes)))


def _heirs(guided: list[ScenePlan], scenes: tuple[ScenePlan, ...]) -> dict[str, int]:
    """Return the place of the new scene for the key of each old one; the likest pairs first, each scene once."""
    pairs = sorted(
        (
            (-_likeness(old, new), position, place)
            for position, old in enumerate(guided)
            for place, new in enumerate(scenes)
        )
    )
    heirs: dict[str, int] = {}
    for likeness, position, place in pairs:
        if -likeness >= SAME_SCENE and guided[position].key not in heirs and place not in heirs.values():
            heirs[guided[position].key] = place
    return heirs


def _likeness(old: ScenePlan, new: ScenePlan) -> float:
    """From 0 to 1, by what is said, else by what is seen; 2 for the very same words."""
    if old.script.split() and old.script.split() == new.script.split():
        return 2.0
    said = bool(old.script.strip() and new.script.strip())
    one, other = (stems(scene.script if said else f"{scene.visual} {scene.on_screen_text}") for scene in (old, new))
    return len(one & other) / len(one | other) if one and other else 0.0


def _notes(guided: list[ScenePlan], heirs: dict[str, int], scenes: list[ScenePlan]) -> list[str]:
    kept = sorted(place + 1 for place in heirs.values() if scenes[place].reference_images)
    notes = []
    if kept:
        numbers = ", ".join(str(number) for number in kept)
        notes.append(f"Scene{'s' * (len(kept) > 1)} {numbers}: the reference pictures of the plan before were kept.")
    for scene in guided:
        if scene.key not in heirs:
            notes.append(f"“{scene.title}” is not in the new plan; its reference pictures went with it.")
        elif len(scenes[heirs[scene.key]].reference_images) < len(scene.reference_images):
            notes.append(f"“{scene.title}”: reference pictures that were put away are not in the new plan.")
    return notes
