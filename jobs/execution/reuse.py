"""Results that are here already: a clip whose request is the same as one that was answered before need not be made.

The same means: what the model sees, by content, its pinned version included. Only results of the same workspace and
the same mode count, of models that ask for money, and only while every file they were made from is still in use.

Two clips of one plan that ask the same are made once too: the first is made, the others wait for it and take it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Q

from genengine.assets.models import Asset
from genengine.workspaces.models import Mode, ReusePolicy
from jobs.execution.models import Take, TakeKind
from jobs.execution.requests import content_digest, request_values
from jobs.execution.states import AttemptState
from jobs.plan import ClipPlan, Plan, Reuse
from jobs.quality.models import Verdict
from jobs.routing.words import same_clip_reason
from providers.errors import ProviderError

BRING_S = 2  # seconds until bytes that are here are checked again
Place = tuple[str, str]  # scene, branch
Made = tuple[str, str, str]  # scene, branch, model


def with_reuse(plan: Plan, *, workspace: UUID, mode: str, brief_id: UUID | None = None) -> Plan:
    """Return the plan with each clip at no price for which an earlier result, or a clip before it in the same plan,
    can stand, as the plan's policy says."""
    made = [clip.as_made() for clip in plan.clips]
    paid = [clip for clip in made if clip.price_micro and not clip.not_before]
    wanted = _digests(paid, plan.reuse)
    newest = _newest(workspace, mode, set(wanted.values()), brief_id)
    firsts: dict[str, ClipPlan] = {}
    clips = []
    for clip in made:
        asked = wanted.get((clip.scene, clip.branch, clip.model), "")
        if asked in newest:
            clip = _standing(clip, newest[asked])
        elif asked and (first := firsts.setdefault(asked, clip)) is not clip:
            clip = _sharing(clip, first, plan)
        clips.append(clip)
    return plan.with_changes(clips=tuple(clips))


def earlier_takes(
    *, workspace: UUID, mode: str, clips: Sequence[ClipPlan], policy: str, brief_id: UUID | None = None
) -> dict[Place, Take]:
    """Return the newest usable take for each clip that has one, by scene and branch."""
    wanted = _digests(clips, policy)
    newest = _newest(workspace, mode, set(wanted.values()), brief_id)
    return {(scene, branch): newest[value] for (scene, branch, _), value in wanted.items() if value in newest}


def clips_made_before(
    clips: Sequence[ClipPlan], *, workspace: UUID, mode: str, policy: str, brief_id: UUID | None = None
) -> set[Made]:
    """Return which of these clips an earlier result can stand for, by scene, branch and model."""
    wanted = _digests(clips, policy)
    newest = _newest(workspace, mode, set(wanted.values()), brief_id)
    return {clip for clip, value in wanted.items() if value in newest}


def _newest(workspace: UUID, mode: str, digests: Collection[str], brief_id: UUID | None) -> dict[str, Take]:
    """Return the newest usable take of each request, by its digest; of restricted jobs only those of the brief."""
    if not digests:
        return {}
    takes = (
        Take.objects.of(workspace)
        .filter(
            Q(job__restricted=False) | Q(job__brief_id=brief_id, job__brief_id__isnull=False),
            attempt__workspace_id=workspace,
            attempt__content_digest__in=digests,
            attempt__state=AttemptState.COLLECTED,
            kind=TakeKind.GENERATED,
            job__mode=mode,
            simulated=mode == Mode.SIMULATED,
        )
        .exclude(quality__verdict=Verdict.FAIL)
        .select_related("attempt", "blob")
        .order_by("created_at", "pk")
    )
    return {take.attempt.content_digest: take for take in _with_their_files(workspace, takes) if take.attempt}


def _digests(clips: Sequence[ClipPlan], policy: str) -> dict[Made, str]:
    """What each clip would ask, as a digest; clips that nothing can stand for are missing."""
    if policy == ReusePolicy.OFF:
        return {}
    named = {used.asset_id for clip in clips for used in clip.inputs}
    files = {str(key): asset for key, asset in Asset.objects.select_related("working").in_bulk(named).items()}
    found = {}
    for clip in clips:
        try:
            request = request_values(clip, files)
        except (Asset.DoesNotExist, ProviderError):
            continue
        if policy != ReusePolicy.SEEDED or request["seed"] is not None:
            found[clip.scene, clip.branch, clip.model] = content_digest(request)
    return found


def _with_their_files(workspace: UUID, takes: Iterable[Take]) -> list[Take]:
    """Leave out takes made from files that were erased or put away since."""
    named = {take.pk: {i["asset"] for i in take.attempt.request["inputs"]} for take in takes if take.attempt}
    every = set().union(*named.values())
    rows = Asset.objects.of(workspace).filter(pk__in=every, archived_at__isnull=True)
    there = {str(pk) for pk in rows.values_list("pk", flat=True)} if every else set()
    return [take for take in takes if named.get(take.pk, set()) <= there]


def _standing(clip: ClipPlan, take: Take) -> ClipPlan:
    reuse = Reuse(str(take.pk), str(take.job_id), clip.price_micro, clip.price_upper_micro, clip.expected_s)
    return replace(clip, price_micro=0, price_upper_micro=0, expected_s=BRING_S, reuse=reuse)


def _sharing(clip: ClipPlan, first: ClipPlan, plan: Plan) -> ClipPlan:
    reuse = Reuse(
        take="",
        job="",
        price_micro=clip.price_micro,
        price_upper_micro=clip.price_upper_micro,
        expected_s=clip.expected_s,
        scene=first.scene,
        branch=first.branch,
        reason=same_clip_reason(first, plan),
    )
    return replace(clip, price_micro=0, price_upper_micro=0, expected_s=first.expected_s + BRING_S, reuse=reuse)
