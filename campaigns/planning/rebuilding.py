"""Complete a changed plan: clips whose scene stays the same are kept, the others are written again for their models.

Routing is asked only where there is no clip yet, or where the model cannot make the scene any more.
"""

from collections.abc import Sequence
from dataclasses import replace

from campaigns.planning.assemble import KEYS, limits_with
from campaigns.planning.clips import Desk, clip_of, need_of, remade_clip
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from jobs.routing.choose import choose_models
from jobs.routing.offers import CannotMake
from jobs.routing.types import BranchNeed


def with_scenes(plan: Plan, scenes: tuple[ScenePlan, ...], desk: Desk) -> Plan:
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
    return with_clips(plan.with_changes(scenes=scenes), kept, desk)


def _remade_or_none(clip: ClipPlan, scene: ScenePlan, desk: Desk, place: int, branch: int) -> ClipPlan | None:
    """A model that cannot make the changed scene makes room for routing."""
    try:
        return remade_clip(clip, scene, desk, place=place, branch=branch)
    except CannotMake:
        return None


def _makes_same(before: ScenePlan, after: ScenePlan) -> bool:
    """Say whether two states of a scene ask the same of a model; captions and texts are laid over later."""
    seen = ("visual", "camera", "duration_ms", "references", "reference_images", "title")
    return all(getattr(before, name) == getattr(after, name) for name in seen)


def with_clips(
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
                label = next((c.card.label for c in desk.candidates if c.card.id == clip.model), clip.model)
                clip = replace(clip, reason=f"{label} leads this variant by a person's choice. {clip.reason}")
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
