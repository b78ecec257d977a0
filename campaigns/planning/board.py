"""The plan board as rows and cells: scenes down, variants across, money and time summed once."""

from dataclasses import dataclass

from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import plan_seconds
from genengine.assets.models import Asset
from genengine.core.ids import is_id
from genengine.workspaces.models import EnginePolicy
from jobs.looks import look_of
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from providers.engines import policy_and_reason


@dataclass(frozen=True)
class Cell:
    """One clip of the board."""

    branch: BranchPlan
    clip: ClipPlan
    inputs: tuple[Asset, ...]


@dataclass(frozen=True)
class Row:
    """One scene with its clips; `start_ms` is where it begins in the ad."""

    number: int
    scene: ScenePlan
    start_ms: int
    cells: tuple[Cell, ...]
    first: bool
    last: bool
    reference_images: tuple[Asset, ...] = ()


@dataclass(frozen=True)
class Column:
    """One variant with its own sums."""

    branch: BranchPlan
    price_micro: int
    models: tuple[str, ...]
    look: str


@dataclass(frozen=True)
class Board:
    """Everything the page shows of one revision."""

    revision: PlanRevision
    plan: Plan
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    expected_s: int
    cap_micro: int
    over_cap: bool
    clips: int
    rendered: str  # where, and who said so
    reused: int  # clips that an earlier result stands for


def board(*, revision: PlanRevision, cap_micro: int) -> Board:
    """Lay a revision out under what the brief may cost."""
    plan = revision.plan
    assets = _assets(plan, revision)
    return Board(
        revision=revision,
        plan=plan,
        rows=tuple(_rows(plan, assets)),
        columns=tuple(_column(plan, branch) for branch in plan.branches),
        expected_s=plan_seconds(plan),
        cap_micro=cap_micro,
        over_cap=revision.price_upper_micro > cap_micro,
        clips=len(plan.clips),
        rendered=_rendered(plan, revision),
        reused=sum(clip.reuse is not None for clip in plan.clips),
    )


def history(*, revision: PlanRevision) -> list[PlanRevision]:
    """Return the revisions of the same brief, newest first."""
    return list(
        PlanRevision.objects.of(revision.workspace_id)
        .filter(brief_id=revision.brief_id)
        .select_related("author")
        .defer("values")
        .order_by("-number")
    )


def _rows(plan: Plan, assets: dict[str, Asset]) -> list[Row]:
    rows, start = [], 0
    for index, scene in enumerate(plan.scenes):
        cells = tuple(_cell(plan, scene, branch, assets) for branch in plan.branches)
        guides = tuple(assets[pk] for pk in scene.reference_images if pk in assets)
        rows.append(Row(index + 1, scene, start, cells, index == 0, index == len(plan.scenes) - 1, guides))
        start += scene.duration_ms
    return rows


def _cell(plan: Plan, scene: ScenePlan, branch: BranchPlan, assets: dict[str, Asset]) -> Cell:
    clip = plan.clip(scene.key, branch.key)
    found = tuple(assets[i.asset_id] for i in clip.inputs if i.asset_id in assets)
    return Cell(branch, clip, found)


def _column(plan: Plan, branch: BranchPlan) -> Column:
    clips = plan.clips_of(branch.key)
    return Column(
        branch,
        sum(c.price_micro for c in clips),
        tuple(dict.fromkeys(c.model for c in clips)),
        look_of(branch.look).label,
    )


def _assets(plan: Plan, revision: PlanRevision) -> dict[str, Asset]:
    named = {i.asset_id for clip in plan.clips for i in clip.inputs}
    ids = {pk for pk in named.union(*(scene.reference_images for scene in plan.scenes)) if is_id(pk)}
    rows = Asset.objects.of(revision.workspace_id).filter(pk__in=ids).select_related("working", "original")
    return {str(asset.pk): asset for asset in rows}


def _rendered(plan: Plan, revision: PlanRevision) -> str:
    policy, reason = policy_and_reason(revision.brief.workspace, plan.engine_policy)
    return f"{EnginePolicy(policy).label}: {reason}."
