"""From a storyboard to a plan: variants, clips, languages, brand. Pure values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from campaigns.planning.clips import Desk, branch_names, clip_of, clips_with, need_of
from campaigns.planning.looks import with_looks
from campaigns.planning.types import Storyboard
from jobs.plan import BrandPlan, ClipPlan, Plan
from jobs.routing.choose import choose_models
from jobs.routing.types import BranchNeed, Limits, Problem, Routing

KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def assemble(storyboard: Storyboard, desk: Desk) -> tuple[Plan, tuple[Problem, ...]]:
    """Return the plan of a storyboard, and what of the brief's constraints it cannot meet."""
    brief = desk.brief
    needs = [need_of(scene, desk) for scene in storyboard.scenes]
    branches = [BranchNeed(key) for key in KEYS[: brief.variants]]
    routing = choose_models(scenes=needs, branches=branches, candidates=desk.candidates, limits=desk.limits)
    at_hand = _at_hand(storyboard, routing, desk)
    if at_hand:
        routing = choose_models(
            scenes=needs, branches=branches, candidates=desk.candidates, limits=desk.limits, at_hand=at_hand
        )
    plan = _with_branches(storyboard, routing, desk)
    return with_looks(plan, brief.colours), routing.problems


def _with_branches(storyboard: Storyboard, routing: Routing, desk: Desk) -> Plan:
    brief = desk.brief
    return Plan(
        title=brief.title or brief.brand_name or "Untitled ad",
        channel=brief.channel,
        length_ms=brief.length_ms,
        ratios=brief.ratios,
        scenes=storyboard.scenes,
        branches=tuple(
            replace(branch, peers=routing.peers.get(branch.key, ())) for branch in branch_names(routing.leads, desk)
        ),
        clips=_clips(storyboard, routing, desk),
        locales=storyboard.locales,
        captions=brief.captions,
        brand=BrandPlan(brief.brand_name, brief.colours, brief.logo_id, brief.font_ids, brief.other_logo_id),
        bed_asset_id=brief.music_id,
        engine_policy=brief.engine_policy,
        call_to_action=brief.call_to_action,
        disclosures=tuple(dict.fromkeys((*storyboard.disclosures, *brief.flag_disclosures))),
        notes=(*storyboard.notes, *routing.notes),
    )


def _at_hand(storyboard: Storyboard, routing: Routing, desk: Desk) -> dict[tuple[str, str], int]:
    """What the lead of each variant and its equals would save by earlier results of the very same requests."""
    clips = [
        clip
        for branch, key in enumerate(routing.leads)
        for model in routing.peers.get(key, ())
        for clip in clips_with(model, storyboard.scenes, desk, branch=branch, key=key)
        if len(routing.peers[key]) > 1
    ]
    here = desk.earlier([clip for clip in clips if clip.price_micro]) if clips else ()
    saves: Counter[tuple[str, str]] = Counter()
    for clip in clips:
        if (clip.scene, clip.branch, clip.model) in here:
            saves[clip.branch, clip.model] += clip.price_micro
    return saves


def _clips(storyboard: Storyboard, routing: Routing, desk: Desk) -> tuple[ClipPlan, ...]:
    return tuple(
        clip_of(routing.choice(scene.key, key), scene, desk, place=place, branch=branch)
        for branch, key in enumerate(routing.leads)
        for place, scene in enumerate(storyboard.scenes)
    )


def limits_with(limits: Limits, clips: Sequence[ClipPlan]) -> Limits:
    """Return the limits with the money of clips that stay as they are already taken."""
    return replace(limits, reserved_micro=sum(clip.price_upper_micro for clip in clips))
