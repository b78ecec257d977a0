"""Changes of scenes: their words, order, number and locks. Pure: the next plan, or a named refusal."""

from dataclasses import replace
from typing import Any

from campaigns.planning.clips import Desk, next_key
from campaigns.planning.durations import fit_durations
from campaigns.planning.guides import MOST_REFERENCE_IMAGES
from campaigns.planning.rebuilding import with_scenes
from campaigns.planning.text import cut_at_word
from campaigns.planning.types import (
    CAMERAS,
    SHORTEST_SCENE_MS,
    TRANSITIONS,
    AddScene,
    ChangeRefused,
    DeleteScene,
    EditScene,
    LockScene,
    ReorderScenes,
    SceneLocked,
)
from jobs.plan import Plan, ScenePlan

MOST_TEXT = 2_000


def edit_scene(plan: Plan, change: EditScene, desk: Desk) -> Plan:
    """Change what a scene says, shows or does."""
    scene = scene_of(plan, change.scene)
    require_open(scene)
    values = {n: v for n, v in vars(change).items() if n not in ("scene", "duration_ms") and v is not None}
    _check_scene(values, desk)
    edited = replace(scene, **values)
    scenes = tuple(edited if s.key == scene.key else s for s in plan.scenes)
    if change.duration_ms is not None:
        scenes = _refit(scenes, plan.length_ms, {scene.key: change.duration_ms})
    return with_scenes(plan, scenes, desk)


def reorder(plan: Plan, change: ReorderScenes, desk: Desk) -> Plan:
    """Put the scenes into another order."""
    if sorted(change.order) != sorted(s.key for s in plan.scenes):
        raise ChangeRefused("the new order must name every scene once; reload and move it again")
    places = {scene.key: place for place, scene in enumerate(plan.scenes)}
    for place, key in enumerate(change.order):
        if places[key] != place:
            _open_for_move(plan.scene(key))
    return with_scenes(plan, _roles(tuple(plan.scene(key) for key in change.order)), desk)


def add_scene(plan: Plan, change: AddScene, desk: Desk) -> Plan:
    """Insert a scene; the others make room."""
    values = {"visual": change.visual, "script": change.script, "on_screen_text": change.on_screen_text}
    _check_scene(values, desk)
    if not (change.visual.strip() or change.script.strip()):
        raise ChangeRefused("say what the new scene shows or says")
    keys = [s.key for s in plan.scenes]
    if change.after and change.after not in keys:
        raise ChangeRefused("the scene to insert after is not in the plan any more; reload")
    place = keys.index(change.after) + 1 if change.after else 0
    scene = ScenePlan(
        key=next_key(keys, "s"),
        title=cut_at_word(change.visual or change.script, 40),
        script=change.script,
        visual=change.visual or change.script,
        camera="push-in",
        on_screen_text=change.on_screen_text,
        duration_ms=change.duration_ms,
        transition="crossfade" if place else "cut",
        references=_fresh_reference(plan, desk),
    )
    scenes = _roles((*plan.scenes[:place], scene, *plan.scenes[place:]))
    return with_scenes(plan, _refit(scenes, plan.length_ms, {scene.key: change.duration_ms}), desk)


def delete_scene(plan: Plan, change: DeleteScene, desk: Desk) -> Plan:
    """Take a scene out; the others fill its time."""
    require_open(scene_of(plan, change.scene))
    rest = tuple(s for s in plan.scenes if s.key != change.scene)
    if not rest:
        raise ChangeRefused("the last scene cannot be taken out; edit it instead")
    return with_scenes(plan, _refit(_roles(rest), plan.length_ms, {}), desk)


def lock_scene(plan: Plan, change: LockScene, desk: Desk) -> Plan:
    """Lock or unlock a scene."""
    scene = scene_of(plan, change.scene)
    locked = tuple(replace(s, locked=change.locked) if s is scene else s for s in plan.scenes)
    return plan.with_changes(scenes=locked)


def _refit(scenes: tuple[ScenePlan, ...], length_ms: int, asked: dict[str, int]) -> tuple[ScenePlan, ...]:
    """Re-fit the lengths: locked scenes and the edited one keep theirs, the others share what is left."""
    fixed = {i: s.duration_ms for i, s in enumerate(scenes) if s.locked}
    fixed |= {i: asked[s.key] for i, s in enumerate(scenes) if s.key in asked}
    free = len(scenes) - len(fixed)
    least = SHORTEST_SCENE_MS * free
    too_short = any(ms < 500 for ms in asked.values())
    if too_short or sum(fixed.values()) + min(least, length_ms // 10 * free) > length_ms:
        raise ChangeRefused(
            f"the ad lasts {length_ms / 1000:g} s and the other scenes need {least / 1000:g} s of it;"
            " choose a length between 0.5 s and what is left, or unlock or take out a scene"
        )
    if not free:
        raise ChangeRefused("every other scene is locked, so none can make room; unlock one")
    weights = [scene.duration_ms for scene in scenes]
    durations = fit_durations(weights, length_ms, fixed=fixed)
    return tuple(replace(s, duration_ms=ms) for s, ms in zip(scenes, durations, strict=True))


def _roles(scenes: tuple[ScenePlan, ...]) -> tuple[ScenePlan, ...]:
    last = len(scenes) - 1
    roles = ["hook" if i == 0 else "cta" if i == last else "beat" for i in range(len(scenes))]
    return tuple(replace(scene, role=role) for scene, role in zip(scenes, roles, strict=True))


def _check_scene(values: dict[str, Any], desk: Desk) -> None:
    for name in ("title", "script", "visual", "on_screen_text"):
        if len(values.get(name, "")) > MOST_TEXT:
            raise ChangeRefused(f"{name.replace('_', ' ')} is longer than {MOST_TEXT} characters; shorten it")
    if "visual" in values and not values["visual"].strip() and not values.get("script", "").strip():
        raise ChangeRefused("say what the scene shows")
    if values.get("camera", "static") not in CAMERAS:
        raise ChangeRefused(f"the camera moves are {', '.join(CAMERAS)}")
    if values.get("transition", "cut") not in TRANSITIONS:
        raise ChangeRefused(f"the transitions are {', '.join(TRANSITIONS)}")
    unknown = [ref for ref in values.get("references", ()) if ref not in desk.assets]
    if unknown:
        raise ChangeRefused("one of the pictures is not attached to the brief; attach it there first")
    _check_reference_images(values.get("reference_images", ()), desk)


def _check_reference_images(chosen: tuple[str, ...], desk: Desk) -> None:
    if len(set(chosen)) < len(chosen):
        raise ChangeRefused("a reference picture is named twice; name each once")
    if len(chosen) > MOST_REFERENCE_IMAGES:
        raise ChangeRefused(f"a scene has at most {MOST_REFERENCE_IMAGES} reference pictures; take some out")
    if not desk.pictures.issuperset(chosen):
        raise ChangeRefused("a reference picture is no picture of this workspace's library; upload it there first")


def _fresh_reference(plan: Plan, desk: Desk) -> tuple[str, ...]:
    """The least used picture of the brief."""
    shown = [a for a in desk.brief.assets if a.kind == "image" and a.role != "style_reference" and not a.overlay_only]
    uses = {a.id: sum(a.id in s.references for s in plan.scenes) for a in shown}
    return (min(shown, key=lambda a: uses[a.id]).id,) if shown else ()


def scene_of(plan: Plan, key: str) -> ScenePlan:
    """Return the scene of a key, or refuse."""
    for scene in plan.scenes:
        if scene.key == key:
            return scene
    raise ChangeRefused("this scene is not in the plan any more; reload")


def require_open(scene: ScenePlan) -> None:
    """Refuse to change a locked scene."""
    if scene.locked:
        raise SceneLocked(f"“{scene.title}” is locked; unlock it to change it")


def _open_for_move(scene: ScenePlan) -> None:
    if scene.locked:
        raise SceneLocked(f"“{scene.title}” is locked and keeps its place; unlock it to move it")
