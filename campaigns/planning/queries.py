"""Reads of planning: what the planner sees of a brief, what a plan would cost, what it cannot meet."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.models import QuerySet

from campaigns.briefs.models import Brief
from campaigns.briefs.queries import assets_of
from campaigns.briefs.types import FLAGS
from campaigns.planning.assemble import assemble
from campaigns.planning.builtin import BuiltinPlanner
from campaigns.planning.clips import Desk, need_of
from campaigns.planning.guides import Room, keep_reference_images, rooms
from campaigns.planning.looks import sways
from campaigns.planning.models import PlanRevision
from campaigns.planning.suggestions import Suggestion, suggestions
from campaigns.planning.types import AssetRef, BriefNotReady, BriefValues, Planner, ReuseResults, Storyboard
from genengine.assets.models import Asset, AssetKind
from genengine.core.ids import is_id
from genengine.core.money import format_micro
from genengine.workspaces.models import Mode, ReusePolicy, Workspace
from jobs.execution.models import Job, JobPlan
from jobs.execution.reuse import clips_made_before, with_reuse
from jobs.learning.queries import measured
from jobs.plan import Plan
from jobs.preflight.queries import check_plan
from jobs.preflight.types import PlanFinding
from jobs.routing.fixes import deadline_problem, over_cap_problem
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.queries import candidates
from jobs.routing.types import Limits, NothingFits, Problem, Profile

COMPOSE_SHARE = 1.2  # composing takes about as long as the ad runs, on one of the machine's workers
LOCAL_WORKERS = 2
MOST_PICTURES = 200  # to choose from in a form
SHOWN_KINDS = (AssetKind.IMAGE, AssetKind.VIDEO)


@dataclass(frozen=True)
class Estimate:
    """What a brief would cost and take as it stands; `missing` says why there is none yet."""

    price_micro: int = 0
    price_upper_micro: int = 0
    expected_s: int = 0
    scenes: int = 0
    variants: int = 0
    masters: int = 0
    models: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    missing: str = ""

    @property
    def sentence(self) -> str:
        """The estimate in one line."""
        if self.missing:
            return self.missing
        price = format_micro(self.price_micro) if self.price_micro else "nothing"
        return f"About {price} and {max(1, round(self.expected_s / 60))} min for {self.masters} finished videos."


def planner() -> Planner:
    """Return the planner in charge."""
    return BuiltinPlanner()


def newest_revision(brief: Brief) -> PlanRevision | None:
    """Return the newest plan of a brief."""
    return PlanRevision.objects.filter(brief=brief).order_by("-number").first()


def storyboard_of(brief: Brief, desk: Desk, director: Planner) -> Storyboard:
    """Return a new storyboard of a brief, with the reference pictures that people chose for scenes that live on."""
    drawn = director.plan(desk.brief)
    newest = newest_revision(brief)
    if newest is None:
        return drawn
    named = {pk for scene in newest.plan.scenes for pk in scene.reference_images}
    return keep_reference_images(drawn, newest.plan, usable_pictures(brief.workspace, named))


def newest_job(brief: Brief) -> Job | None:
    """Return the job that was launched last from a brief."""
    return Job.objects.of(brief.workspace_id).filter(brief_id=brief.pk).order_by("-created_at").first()


def is_in_job(revision: PlanRevision) -> bool:
    """Say whether the brief's newest job runs this very revision."""
    job = newest_job(revision.brief)
    if job is None:
        return False
    sources = JobPlan.objects.filter(job=job).exclude(source_revision_id=None).order_by("-number")
    return sources.values_list("source_revision_id", flat=True).first() == revision.pk


def brief_values(brief: Brief) -> BriefValues:
    """Return everything that a planner reads of a brief."""
    kit = brief.brand_kit
    flags = [FLAGS[key] for key in brief.compliance_flags if key in FLAGS]
    avoid = [element for flag in flags for element in flag.avoid]
    return BriefValues(
        title=brief.title.strip(),
        ad_type=brief.ad_type,
        script=brief.script,
        length_ms=brief.length_ms,
        language=brief.language,
        key_messages=tuple(brief.key_messages),
        call_to_action=brief.call_to_action.strip(),
        tone=tuple(brief.tone),
        required=tuple(brief.required_elements),
        forbidden=tuple(dict.fromkeys([*brief.forbidden_elements, *avoid])),
        forbidden_words=tuple(kit.forbidden_words) if kit else (),
        brand_name=kit.name if kit else "",
        assets=_asset_refs(brief),
        captions=brief.captions,
        alternate_scripts=dict(brief.alternate_scripts),
        alternate_languages=tuple(brief.alternate_languages),
        voiceovers={code: str(asset) for code, asset in brief.voiceovers.items() if asset},
        channel=brief.channel,
        ratios=tuple(brief.ratios) or ("9:16",),
        variants=brief.variants,
        profile=brief.quality_profile,
        colours=dict(kit.colours) if kit else {},
        logo_id=str(kit.logo_id or "") if kit else "",
        font_ids=tuple(str(font.pk) for font in kit.fonts.order_by("name")) if kit else (),
        music_id=str(brief.music_id or ""),
        engine_policy=brief.engine_policy,
        audience=brief.audience,
        other_logo_id=str(kit.other_logo_id or "") if kit else "",
        flag_disclosures=tuple(flag.disclosure for flag in flags if flag.disclosure),
    )


def brief_digest(values: BriefValues) -> str:
    """Return the SHA-256 of what a plan depends on; budget and deadline may change without a new plan."""
    facts = asdict(values)
    if not values.engine_policy:
        del facts["engine_policy"]  # so that plans made before there was one are not stale
    if not values.other_logo_id:
        del facts["other_logo_id"]
    if not sways(values.audience):
        del facts["audience"]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def limits_of(brief: Brief, now: datetime) -> Limits:
    """Return the brief's constraints for routing."""
    values_ratios = brief.ratios or ["9:16"]
    left = int((brief.deadline_at - now).total_seconds()) if brief.deadline_at else None
    return Limits(
        profile=Profile(brief.quality_profile),
        cap_micro=brief.cap_micro,
        seconds_left=None if left is None else left - compose_seconds(brief.length_ms, _masters(brief)),
        ratio=values_ratios[0],
        local_workers=LOCAL_WORKERS,
        parallel_remote=brief.workspace.parallel_generations,
        exploration=_exploration(brief.workspace),
        seed=str(brief.pk),
    )


def _exploration(workspace: Workspace) -> float:
    """Only live work measures anything, so only live plans explore."""
    return settings.GE_ROUTING_EXPLORATION_PERCENT / 100 if workspace.mode == Mode.LIVE else 0.0


def reuse_policy_of(brief: Brief) -> str:
    """Return what a new plan of a brief reuses: as its newest plan was set, else as its workspace says."""
    newest = newest_revision(brief)
    return newest.plan.reuse if newest is not None else brief.workspace.reuse_policy


def with_earlier_results(plan: Plan, brief: Brief, *, policy: str = "") -> Plan:
    """Return a plan with the earlier results that stand for its clips, by its own policy or by another."""
    chosen = plan.with_changes(reuse=policy) if policy else plan
    return with_reuse(chosen, workspace=brief.workspace_id, mode=brief.workspace.mode, brief_id=brief.pk)


def desk_of(brief: Brief, now: datetime, values: BriefValues | None = None, *, pictures: Iterable[str] = ()) -> Desk:
    """Return what clip-making needs for a brief; `pictures` are ids that somebody names as reference pictures."""
    values = values or brief_values(brief)
    workspace = brief.workspace
    known = measured(workspace=workspace, at=now, genre=brief.ad_type)
    usable = candidates(workspace, at=now, measured=known)
    return Desk(
        values,
        usable,
        limits_of(brief, now),
        {ref.id: ref for ref in values.assets},
        now,
        partial(
            clips_made_before,
            workspace=workspace.pk,
            mode=workspace.mode,
            policy=reuse_policy_of(brief),
            brief_id=brief.pk,
        ),
        usable_pictures(workspace, pictures),
    )


def usable_pictures(workspace: Workspace, named: Iterable[str]) -> frozenset[str]:
    """Return which of the named ids are pictures in the workspace's library."""
    ids = [pk for pk in named if is_id(pk)]
    rows = library_pictures(workspace).filter(pk__in=ids) if ids else ()
    return frozenset(str(row.pk) for row in rows)


def pictures_to_choose(workspace: Workspace, chosen: Iterable[str]) -> list[Asset]:
    """Return the pictures that are chosen, in their order, then the newest others of the library."""
    rows = library_pictures(workspace)
    named = [pk for pk in chosen if is_id(pk)]
    first = {str(row.pk): row for row in rows.filter(pk__in=named)}
    return [first[pk] for pk in named if pk in first] + list(rows.exclude(pk__in=first)[:MOST_PICTURES])


def reference_rooms(*, revision: PlanRevision, scene: str, now: datetime) -> tuple[Room, ...]:
    """Return how many reference pictures each model of a scene follows."""
    plan = revision.plan
    return rooms(plan, plan.scene(scene), desk_of(revision.brief, now))


def library_pictures(workspace: Workspace) -> QuerySet[Asset]:
    """Return the pictures of a workspace that are not put away, newest first."""
    rows = Asset.objects.of(workspace).filter(kind=AssetKind.IMAGE, archived_at=None)
    return rows.select_related("working", "original").order_by("-created_at")


def estimate(brief: Brief, now: datetime) -> Estimate:
    """Return the live estimate of a brief: it is planned as it stands, and nothing is stored."""
    try:
        desk = desk_of(brief, now)
        plan, problems = assemble(storyboard_of(brief, desk, planner()), desk)
    except (BriefNotReady, NothingFits) as missing:
        return Estimate(missing=str(missing))
    plan = with_earlier_results(plan, brief, policy=reuse_policy_of(brief))
    return Estimate(
        price_micro=plan.price_micro,
        price_upper_micro=plan.price_upper_micro,
        expected_s=plan_seconds(plan),
        scenes=len(plan.scenes),
        variants=len(plan.branches),
        masters=masters_of(plan),
        models=tuple(dict.fromkeys(clip.model for clip in plan.clips)),
        problems=problems,
    )


def is_stale(*, revision: PlanRevision) -> bool:
    """Say whether the brief was edited after this plan was made."""
    return revision.brief_digest != brief_digest(brief_values(revision.brief))


def model_choices(*, workspace: Workspace, also: str = "") -> list[tuple[str, str]]:
    """Return the models that may be used here with their labels; `also` keeps one that may not be any more."""
    usable = [(c.card.id, c.card.label) for c in candidates(workspace) if not c.refusal or c.card.id == also]
    return sorted(usable, key=lambda choice: choice[1])


def plan_problems(*, revision: PlanRevision, now: datetime) -> tuple[Problem, ...]:
    """Return what of the brief's budget and deadline a plan cannot meet, with the changes that help."""
    plan, brief = revision.plan, revision.brief
    desk = desk_of(brief, now)
    by_branch = [sum(c.price_upper_micro for c in plan.clips_of(branch.key)) for branch in plan.branches]
    left = int((brief.deadline_at - now).total_seconds()) if brief.deadline_at else None
    found = (
        over_cap_problem(by_branch=by_branch, least_micro=_least_price(plan, desk), cap_micro=brief.cap_micro),
        deadline_problem(expected_s=plan_seconds(plan), seconds_left=left, variants=len(plan.branches)),
    )
    return tuple(problem for problem in found if problem is not None)


def plan_findings(*, revision: PlanRevision) -> tuple[PlanFinding, ...]:
    """Return what the finished films of a plan would have wrong, errors first; nothing is made for it."""
    return check_plan(plan=revision.plan, workspace=revision.brief.workspace)


def plan_suggestions(*, revision: PlanRevision, now: datetime) -> tuple[Suggestion, ...]:
    """Return what would make a plan cheaper, the largest amount first."""
    plan = revision.plan
    found = suggestions(plan, desk_of(revision.brief, now), expected_s=plan_seconds(plan))
    return _reuse_suggestions(plan, revision.brief) + found


def _reuse_suggestions(plan: Plan, brief: Brief) -> tuple[Suggestion, ...]:
    """Earlier results that would stand for clips if the plan let them."""
    wider = {ReusePolicy.OFF: ReusePolicy.SEEDED, ReusePolicy.SEEDED: ReusePolicy.ALL}.get(ReusePolicy(plan.reuse))
    if wider is None:
        return ()
    other = with_earlier_results(plan, brief, policy=wider)
    saves = plan.price_micro - other.price_micro
    clips = sum(c.reuse is not None for c in other.clips) - sum(c.reuse is not None for c in plan.clips)
    seeds = "" if wider is ReusePolicy.SEEDED else " Their models take no seed, so a new one would look different."
    sentence = (
        f"Reuse {clips} earlier result{'s' * (clips != 1)} of the same request: saves {format_micro(saves)}.{seeds}"
    )
    return (Suggestion("reuse", sentence, saves, ReuseResults(wider)),) if saves > 0 else ()


def plan_seconds(plan: Plan) -> int:
    """Return how long a plan is expected to take: vendors side by side, this machine's workers, composing."""
    remote = [c.expected_s for c in plan.clips if c.provider != "local"]
    local = sum(c.expected_s for c in plan.clips if c.provider == "local")
    making = max(max(remote, default=0), -(-local // LOCAL_WORKERS))
    return making + compose_seconds(plan.length_ms, masters_of(plan))


def masters_of(plan: Plan) -> int:
    """Return how many finished videos a plan makes."""
    return len(plan.branches) * len(plan.locales) * len(plan.ratios)


def compose_seconds(length_ms: int, masters: int) -> int:
    """Return how long composing takes."""
    return round(length_ms / 1000 * COMPOSE_SHARE * masters / LOCAL_WORKERS)


def frozen_values(brief: Brief) -> Mapping[str, object]:
    """Return a brief as values for a version: what the planner reads, the constraints, the assets by hash."""
    uses = assets_of(brief=brief)
    return {
        **asdict(brief_values(brief)),
        "compliance_flags": list(brief.compliance_flags),
        "cap_micro": brief.cap_micro,
        "deadline_at": brief.deadline_at.isoformat() if brief.deadline_at else None,
        "asset_hashes": {str(use.asset_id): use.asset.original.sha256 for use in uses},
    }


def _asset_refs(brief: Brief) -> tuple[AssetRef, ...]:
    return tuple(
        AssetRef(str(use.asset_id), use.asset.kind, use.role, use.asset.name, use.note)
        for use in assets_of(brief=brief)
        if use.asset.kind in SHOWN_KINDS
    )


def _masters(brief: Brief) -> int:
    languages = 1 + sum(1 for code in brief.alternate_languages if brief.alternate_scripts.get(code))
    return max(1, brief.variants) * max(1, len(brief.ratios)) * languages


def _least_price(plan: Plan, desk: Desk) -> int:
    total = 0
    for scene in plan.scenes:
        prices = []
        for candidate in desk.candidates:
            try:
                if not candidate.refusal:
                    prices.append(offer_of(candidate, need_of(scene, desk), desk.limits).price_upper_micro)
            except CannotMake:
                continue
        total += min(prices, default=0)
    return total
