"""Apply one change to a plan. Pure: a plan and a change in, the next plan out, or a named refusal.

What a change does not touch stays as it is, prices, seeds and prompts included. A scene whose words, length or
pictures change gets its clips written again for the same models; routing is asked only where there is none yet or
the model cannot make the scene any more. What a person wrote or chose is never replaced.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from campaigns.planning.assemble import KEYS
from campaigns.planning.clips import (
    MODEL_BY_PERSON,
    PROMPT_BY_PERSON,
    Desk,
    branch_plan,
    need_of,
    next_key,
    remade_clip,
)
from campaigns.planning.looks import BY_PERSON, with_looks
from campaigns.planning.rebuilding import with_clips
from campaigns.planning.scene_changes import (
    add_scene,
    delete_scene,
    edit_scene,
    lock_scene,
    reorder,
    require_open,
    scene_of,
)
from campaigns.planning.suggestions import off_peak_clips
from campaigns.planning.types import (
    AddBranch,
    AddScene,
    ChangeBranchModel,
    ChangeLook,
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
    StartOffPeak,
)
from genengine.workspaces.models import ReusePolicy
from jobs.looks import LOOKS, look_of
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from jobs.routing.choose import choose_models
from jobs.routing.offers import CannotMake
from jobs.routing.types import BranchNeed, Candidate
from providers.templatetags.provider_names import model_name

MOST_BRANCHES = 12
MOST_PROMPT = 10_000
REUSE_WORDS: dict[str, str] = {
    ReusePolicy.OFF: "Every clip made anew",
    ReusePolicy.SEEDED: "Earlier results with the same seed reused",
    ReusePolicy.ALL: "Earlier results reused, without a seed too",
}


def apply_change(plan: Plan, change: PlanChange, desk: Desk) -> Plan:
    """Return the plan after a change, or raise `ChangeRefused` or `SceneLocked` with a sentence."""
    return with_looks(_HOW[type(change)](plan, change, desk), desk.brief.colours)


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
            return f"Variant {key} led by {model_name(model)}"
        case ChangeLook(branch=key, look=look):
            return f"Variant {key} looks like {look_of(look).label}"
        case EditClip(scene=key, branch=branch):
            return f"Scene {_number(plan, key)} of variant {branch}: {'model' if change.model else 'prompt'}"
        case StartOffPeak():
            return "Clips wait for off-peak hours"
        case ReuseResults(policy=policy):
            return REUSE_WORDS.get(policy, policy)


def _add_branch(plan: Plan, change: AddBranch, desk: Desk) -> Plan:
    if len(plan.branches) >= MOST_BRANCHES:
        raise ChangeRefused(f"a plan has at most {MOST_BRANCHES} variants; take one out first")
    key = next_key([b.key for b in plan.branches])
    lead = change.model or _unused_lead(plan, desk)
    _usable(lead, desk)
    branch = branch_plan(key, lead, desk, KEYS.index(key), change.name.strip())
    return with_clips(plan.with_changes(branches=(*plan.branches, branch)), None, desk)


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


def _change_look(plan: Plan, change: ChangeLook, desk: Desk) -> Plan:
    branch = _branch(plan, change.branch)
    if change.look not in LOOKS:
        raise ChangeRefused(f"the looks are {', '.join(LOOKS)}")
    changed = replace(branch, look=change.look, look_reason=BY_PERSON)
    return plan.with_changes(branches=tuple(changed if b is branch else b for b in plan.branches))


def _change_branch_model(plan: Plan, change: ChangeBranchModel, desk: Desk) -> Plan:
    branch = _branch(plan, change.branch)
    _usable(change.model, desk)
    place = KEYS.index(branch.key)
    was_default = branch.name == branch_plan(branch.key, branch.model, desk, place).name
    led = branch_plan(branch.key, change.model, desk, place, "" if was_default else branch.name)
    led = replace(led, look=branch.look, look_reason=branch.look_reason)
    kept = {
        (c.scene, c.branch): c
        for c in plan.clips
        if c.branch != branch.key or MODEL_BY_PERSON in c.notes or plan.scene(c.scene).locked
    }
    branches = tuple(led if b is branch else b for b in plan.branches)
    return with_clips(plan.with_changes(branches=branches), kept, desk, by_person=frozenset({branch.key}))


def _edit_clip(plan: Plan, change: EditClip, desk: Desk) -> Plan:
    scene, branch = scene_of(plan, change.scene), _branch(plan, change.branch)
    require_open(scene)
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
    EditScene: edit_scene,
    ReorderScenes: reorder,
    AddScene: add_scene,
    DeleteScene: delete_scene,
    LockScene: lock_scene,
    AddBranch: _add_branch,
    RemoveBranch: _remove_branch,
    RenameBranch: _rename_branch,
    ChangeBranchModel: _change_branch_model,
    ChangeLook: _change_look,
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


def _branch(plan: Plan, key: str) -> BranchPlan:
    for branch in plan.branches:
        if branch.key == key:
            return branch
    raise ChangeRefused("this variant is not in the plan any more; reload")


def _number(plan: Plan, key: str) -> int:
    return next((place for place, scene in enumerate(plan.scenes, 1) if scene.key == key), 0)
