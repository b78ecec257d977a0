"""Apply one change to a plan. Pure: a plan and a change in, the next plan out, or a named refusal.

What a change does not touch stays as it is, prices, seeds and prompts included. A scene whose words, length or
pictures change gets its clips written again for the same models; routing is asked only where there is none yet or
the model cannot make the scene any more. What a person wrote or chose is never replaced.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from campaigns.planning.assemble import KEYS, limits_with
from campaigns.planning.clips import (
    MODEL_BY_PERSON,
    PROMPT_BY_PERSON,
    Desk,
    branch_plan,
    clip_of,
    need_of,
    next_key,
    remade_clip,
)
from campaigns.planning.durations import fit_durations
from campaigns.planning.suggestions import off_peak_clips
from campaigns.planning.text import cut_at_word
from campaigns.planning.types import (
    CAMERAS,
    SHORTEST_SCENE_MS,
    TRANSITIONS,
    AddBranch,
    AddScene,
    ChangeBranchModel,
    ChangeRefused,
    DeleteScene,
    EditClip,
    EditScene,
    LockScene,
    PlanChange,
    RemoveBranch,
    RenameBranch,
    ReorderScenes,
    ReuseResults,
    SceneLocked,
    StartOffPeak,
)
from genengine.workspaces.models import ReusePolicy
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from jobs.routing.choose import choose_models
from jobs.routing.offers import CannotMake
from jobs.routing.types import BranchNeed, Candidate

MOST_BRANCHES = 12
MOST_TEXT = 2_000
MOST_PROMPT = 10_000
REUSE_WORDS: dict[str, str] = {
    ReusePolicy.OFF: "Every clip made anew",
    ReusePolicy.SEEDED: "Earlier results with the same seed reused",
    ReusePolicy.ALL: "Earlier results reused, without a seed too",
}


def apply_change(plan: Plan, change: PlanChange, desk: Desk) -> Plan:
    """Return the plan after a change, or raise `ChangeRefused` or `SceneLocked` with a sentence."""
    return _HOW[type(change)](plan, change, desk)


def describe(change: PlanChange, plan: Plan) -> str:
    """Return what a change does, for the history."""
    match change:
        case EditScene(scene=key):
            changed = [n for n, v in vars(change).items() if n != "scene" and v is not None]
            return f"Scene {_number(plan, key)}: {', '.join(n.replace('_ms', '').replace('_', ' ') for n in changed)}"
        case ReorderScenes():
            return "Scenes in another order"
        case AddScene():
            return "A scene added"
        case DeleteScene(scene=key):
            return f"Scene {_number(plan, key)} taken out"
        case LockScene(scene=key, locked=locked):
            return f"Scene {_number(plan, key)} {'locked' if locked else 'unlocked'}"
        case AddBranch():
            return "A variant added"
        case RemoveBranch(branch=key):
            return f"Variant {key} taken out"
        case RenameBranch(branch=key):
            return f"Variant {key} renamed"
        case ChangeBranchModel(branch=key, model=model):
            return f"Variant {key} led by {model}"
        case EditClip(scene=key, branch=branch):
            return f"Scene {_number(plan, key)} of variant {branch}: {'model' if change.model else 'prompt'}"
        case StartOffPeak():
            return "Clips wait for off-peak hours"
        case ReuseResults(policy=policy):
            return REUSE_WORDS.get(policy, policy)


def _edit_scene(plan: Plan, change: EditScene, desk: Desk) -> Plan:
    scene = _scene(plan, change.scene)
    _open(scene)
    values = {n: v for n, v in vars(change).items() if n not in ("scene", "duration_ms") and v is not None}
    _check_scene(values, desk)
    edited = replace(scene, **values)
    scenes = tuple(edited if s.key == scene.key else s for s in plan.scenes)
    if change.duration_ms is not None:
        scenes = _refit(scenes, plan.length_ms, {scene.key: change.duration_ms})
    return _with_scenes(plan, scenes, desk)


def _reorder(plan: Plan, change: ReorderScenes, desk: Desk) -> Plan:
    if sorted(change.order) != sorted(s.key for s in plan.scenes):
        raise ChangeRefused("the new order must name every scene once; reload and move it again")
    places = {scene.key: place for place, scene in enumerate(plan.scenes)}
    for place, key in enumerate(change.order):
        if places[key] != place:
            _open_for_move(plan.scene(key))
    return _with_scenes(plan, _roles(tuple(plan.scene(key) for key in change.order)), desk)


def _add_scene(plan: Plan, change: AddScene, desk: Desk) -> Plan:
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
    return _with_scenes(plan, _refit(scenes, plan.length_ms, {scene.key: change.duration_ms}), desk)


def _delete_scene(plan: Plan, change: DeleteScene, desk: Desk) -> Plan:
    _open(_scene(plan, change.scene))
    rest = tuple(s for s in plan.scenes if s.key != change.scene)
    if not rest:
        raise ChangeRefused("the last scene cannot be taken out; edit it instead")
    return _with_scenes(plan, _refit(_roles(rest), plan.length_ms, {}), desk)


def _lock_scene(plan: Plan, change: LockScene, desk: Desk) -> Plan:
    scene = _scene(plan, change.scene)
    locked = tuple(replace(s, locked=change.locked) if s is scene else s for s in plan.scenes)
    return plan.with_changes(scenes=locked)


def _add_branch(plan: Plan, change: AddBranch, desk: Desk) -> Plan:
    if len(plan.branches) >= MOST_BRANCHES:
        raise ChangeRefused(f"a plan has at most {MOST_BRANCHES} variants; take one out first")
    key = next_key([b.key for b in plan.branches])
    lead = change.model or _unused_lead(plan, desk)
    _usable(lead, desk)
    branch = branch_plan(key, lead, desk, KEYS.index(key), change.name.strip())
    return _with_clips(plan.with_changes(branches=(*plan.branches, branch)), None, desk)


def _remove_branch(plan: Plan, change: RemoveBranch, desk: Desk) -> Plan:
    _branch(plan, change.branch)
    if len(plan.branches) == 1:
        raise ChangeRefused("the last variant cannot be taken out")
    return plan.with_changes(
        branches=tuple(b for b in plan.branches if b.key != change.branch),
        clips=tuple(c for c in plan.clips if c.branch != change.branch),
    )


def _rename_branch(plan: Plan, change: RenameBranch, desk: Desk) -> Plan:
    branch, name = _branch(plan, change.branch), " ".join(change.name.split())[:120]
    if not name:
        raise ChangeRefused("give the variant a name")
    return plan.with_changes(branches=tuple(replace(b, name=name) if b is branch else b for b in plan.branches))


def _change_branch_model(plan: Plan, change: ChangeBranchModel, desk: Desk) -> Plan:
    branch = _branch(plan, change.branch)
    _usable(change.model, desk)
    place = KEYS.index(branch.key)
    was_default = branch.name == branch_plan(branch.key, branch.model, desk, place).name
    led = branch_plan(branch.key, change.model, desk, place, "" if was_default else branch.name)
    kept = {
        (c.scene, c.branch): c
        for c in plan.clips
        if c.branch != branch.key or MODEL_BY_PERSON in c.notes or plan.scene(c.scene).locked
    }
    branches = tuple(led if b is branch else b for b in plan.branches)
    return _with_clips(plan.with_changes(branches=branches), kept, desk, by_person=frozenset({branch.key}))


def _edit_clip(plan: Plan, change: EditClip, desk: Desk) -> Plan:
    scene, branch = _scene(plan, change.scene), _branch(plan, change.branch)
    _open(scene)
    clip = plan.clip(scene.key, branch.key)
    if change.model is not None and change.model != clip.model:
        clip = _on_model(clip, scene, change.model, desk, plan)
    if change.prompt is not None or change.negative_prompt is not None:
        clip = _reworded(clip, change, desk)
    clips = tuple(clip if (c.scene, c.branch) == (scene.key, branch.key) else c for c in plan.clips)
    return plan.with_changes(clips=clips)


def _start_off_peak(plan: Plan, change: StartOffPeak, desk: Desk) -> Plan:
    moved = off_peak_clips(plan, desk)
    if not moved:
        raise ChangeRefused("no clip of this plan is cheaper later; it stays as it is")
    return plan.with_changes(clips=tuple(moved.get((c.scene, c.branch), c) for c in plan.clips))


def _reuse_results(plan: Plan, change: ReuseResults, desk: Desk) -> Plan:
    if change.policy not in ReusePolicy.values:
        raise ChangeRefused(f"reuse is {', '.join(ReusePolicy.values)}")
    return plan.with_changes(reuse=str(change.policy))


_HOW: dict[type, Callable[[Plan, Any, Desk], Plan]] = {
    EditScene: _edit_scene,
    ReorderScenes: _reorder,
    AddScene: _add_scene,
    DeleteScene: _delete_scene,
    LockScene: _lock_scene,
    AddBranch: _add_branch,
    RemoveBranch: _remove_branch,
    RenameBranch: _rename_branch,
    ChangeBranchModel: _change_branch_model,
    EditClip: _edit_clip,
    StartOffPeak: _start_off_peak,
    ReuseResults: _reuse_results,
}


def _on_model(clip: ClipPlan, scene: ScenePlan, model: str, desk: Desk, plan: Plan) -> ClipPlan:
    card = _usable(model, desk).card
    place, branch = plan.scenes.index(scene), KEYS.index(clip.branch)
    try:
        made = remade_clip(replace(clip, model=model), scene, desk, place=place, branch=branch)
    except CannotMake as error:
        raise ChangeRefused(f"{card.label} {error}") from error
    if made is None:
        raise ChangeRefused(f"{card.label} cannot be used here")
    note = () if MODEL_BY_PERSON in made.notes else (MODEL_BY_PERSON,)
    return replace(made, reason=f"{card.label} was chosen by a person.", rejected=(), notes=made.notes + note)


def _reworded(clip: ClipPlan, change: EditClip, desk: Desk) -> ClipPlan:
    prompt = clip.prompt if change.prompt is None else change.prompt.strip()
    negative = clip.negative_prompt if change.negative_prompt is None else change.negative_prompt.strip()
    if not prompt:
        raise ChangeRefused("the prompt is empty; write what the clip should show")
    candidate = desk.candidate(clip.model)
    most = min(MOST_PROMPT, candidate.card.max_prompt_chars if candidate else MOST_PROMPT)
    if len(prompt) > most:
        raise ChangeRefused(f"the prompt has {len(prompt)} characters and {clip.model} takes {most}; shorten it")
    note = () if PROMPT_BY_PERSON in clip.notes else (PROMPT_BY_PERSON,)
    return replace(clip, prompt=prompt, negative_prompt=negative[:MOST_PROMPT], notes=clip.notes + note)


def _with_scenes(plan: Plan, scenes: tuple[ScenePlan, ...], desk: Desk) -> Plan:
    """Keep the clips of scenes that stay the same; write the others again for the same models."""
    before = {scene.key: scene for scene in plan.scenes}
    kept: dict[tuple[str, str], ClipPlan] = {}
    for clip in plan.clips:
        scene = next((s for s in scenes if s.key == clip.scene), None)
        if scene is None:
            continue
        same = _makes_same(before[scene.key], scene)
        place, branch = scenes.index(scene), KEYS.index(clip.branch)
        made = clip if same else _remade_or_none(clip, scene, desk, place, branch)
        if made is not None:
            kept[clip.scene, clip.branch] = made
    return _with_clips(plan.with_changes(scenes=scenes), kept, desk)


def _remade_or_none(clip: ClipPlan, scene: ScenePlan, desk: Desk, place: int, branch: int) -> ClipPlan | None:
    """A model that cannot make the changed scene makes room for routing."""
    try:
        return remade_clip(clip, scene, desk, place=place, branch=branch)
    except CannotMake:
        return None


def _makes_same(before: ScenePlan, after: ScenePlan) -> bool:
    """Say whether two states of a scene ask the same of a model; captions and texts are laid over later."""
    seen = ("visual", "camera", "duration_ms", "references", "title")
    return all(getattr(before, name) == getattr(after, name) for name in seen)


def _with_clips(
    plan: Plan,
    kept: dict[tuple[str, str], ClipPlan] | None,
    desk: Desk,
    *,
    by_person: frozenset[str] = frozenset(),
) -> Plan:
    """Complete the clips of a plan: what is kept, or the plan's own, and routing for what is missing."""
    known = kept if kept is not None else {(c.scene, c.branch): c for c in plan.clips}
    clips = []
    for branch in plan.branches:
        missing = [s for s in plan.scenes if (s.key, branch.key) not in known]
        made = _routed(plan, branch, missing, list(known.values()), desk) if missing else {}
        for scene in plan.scenes:
            clip = known.get((scene.key, branch.key)) or made[scene.key]
            if branch.key in by_person and scene.key in made and clip.model == branch.model:
                clip = replace(clip, reason=f"{clip.model} leads this variant by a person's choice. {clip.reason}")
            clips.append(clip)
    return plan.with_changes(clips=tuple(clips))


def _routed(
    plan: Plan, branch: BranchPlan, missing: Sequence[ScenePlan], others: Sequence[ClipPlan], desk: Desk
) -> dict[str, ClipPlan]:
    routing = choose_models(
        scenes=[need_of(scene, desk) for scene in missing],
        branches=[BranchNeed(branch.key, branch.model)],
        candidates=desk.candidates,
        limits=limits_with(desk.limits, others),
    )
    number = KEYS.index(branch.key)
    return {
        scene.key: clip_of(
            routing.choice(scene.key, branch.key), scene, desk, place=plan.scenes.index(scene), branch=number
        )
        for scene in missing
    }


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


def _fresh_reference(plan: Plan, desk: Desk) -> tuple[str, ...]:
    """The least used picture of the brief."""
    shown = [a for a in desk.brief.assets if a.kind == "image" and a.role != "style_reference" and not a.overlay_only]
    uses = {a.id: sum(a.id in s.references for s in plan.scenes) for a in shown}
    return (min(shown, key=lambda a: uses[a.id]).id,) if shown else ()


def _unused_lead(plan: Plan, desk: Desk) -> str:
    """The lead that routing would give to one variant more."""
    routing = choose_models(
        scenes=[need_of(scene, desk) for scene in plan.scenes],
        branches=[*(BranchNeed(b.key, b.model) for b in plan.branches), BranchNeed("new")],
        candidates=desk.candidates,
        limits=desk.limits,
    )
    return routing.leads["new"]


def _usable(model: str, desk: Desk) -> Candidate:
    known = next((c for c in desk.candidates if c.card.id == model), None)
    if known is None:
        raise ChangeRefused(f"there is no model “{model}”; choose one of the list")
    if known.refusal:
        raise ChangeRefused(f"{known.card.label}: {known.refusal}")
    return known


def _scene(plan: Plan, key: str) -> ScenePlan:
    for scene in plan.scenes:
        if scene.key == key:
            return scene
    raise ChangeRefused("this scene is not in the plan any more; reload")


def _branch(plan: Plan, key: str) -> BranchPlan:
    for branch in plan.branches:
        if branch.key == key:
            return branch
    raise ChangeRefused("this variant is not in the plan any more; reload")


def _open(scene: ScenePlan) -> None:
    if scene.locked:
        raise SceneLocked(f"“{scene.title}” is locked; unlock it to change it")


def _open_for_move(scene: ScenePlan) -> None:
    if scene.locked:
        raise SceneLocked(f"“{scene.title}” is locked and keeps its place; unlock it to move it")


def _number(plan: Plan, key: str) -> int:
    return next((place for place, scene in enumerate(plan.scenes, 1) if scene.key == key), 0)
