"""Clips go to another provider, as a new plan revision under the caps: after failures, out of a long line, in an
outage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.caps.queries import spend_of_job
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan
from jobs.execution.services.sharing import stop_sharing
from jobs.plan import ClipInput, ClipPlan, Plan, ScenePlan
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.queries import candidates
from jobs.routing.types import Candidate, Limits, Offer, Profile, SceneNeed
from providers.traffic.queries import passages
from providers.values import Task

URGENT_FACTOR = 2.0  # less time left than this many times the clip's expected seconds: speed before quality


@dataclass(frozen=True)
class Move:
    """A revision in which clips have other providers; `labels` names these by clip."""

    revision: JobPlan
    clips: tuple[Clip, ...]
    labels: tuple[str, ...]
    price_difference_micro: int


def is_urgent(job: Job, clip: Clip, now: datetime) -> bool:
    """Say whether the deadline leaves too little time for a second disappointment."""
    if job.deadline_at is None:
        return False
    planned = _planned(JobPlan.objects.filter(job=job).latest("number").plan, clip)
    return (job.deadline_at - now).total_seconds() < URGENT_FACTOR * planned.expected_s


def move_clips(*, job: Job, clips: Sequence[Clip], now: datetime, urgent: bool = False) -> Move | None:
    """Append one revision in which vendors that are well and have not tried these clips make them.

    The cheapest capable model is taken, the fastest at a lower resolution when it is urgent. What no other vendor can
    make, or what the job's cap has no room for, stays where it is; nothing when that is all of them. The caller holds
    the job and gives back what was held; the money passes the gate at the next dispatch like any other.
    """
    newest = JobPlan.objects.filter(job=job).latest("number")
    plan, room = newest.plan, _room(job)
    usable = _usable(job, now)
    changed: dict[tuple[str, str], ClipPlan] = {}
    moved: list[tuple[Clip, str]] = []
    difference = 0
    for clip in clips:
        planned = _planned(plan, clip)
        offer = _offer(job, clip, plan, planned, usable, urgent)
        if offer is None:
            continue
        dearer = offer.price_upper_micro - planned.price_upper_micro
        if difference + max(0, dearer) > room:
            continue
        difference += dearer
        scene = plan.scene(planned.scene)
        changed[planned.scene, planned.branch] = _with_offer(planned, scene, offer, urgent)
        moved.append((clip, offer.candidate.label))
    if not moved:
        return None
    values = plan.with_changes(clips=tuple(changed.get((c.scene, c.branch), c) for c in plan.clips))
    revision = _append(job, newest, values, moved, plan, now)
    for clip, _ in moved:
        planned = _planned(values, clip)
        clip.provider, clip.model, clip.plan_number = planned.provider, planned.model, revision.number
        Clip.objects.filter(pk=clip.pk).update(provider=clip.provider, model=clip.model, plan_number=clip.plan_number)
        stop_sharing(clip)  # what it makes now is not what others of its plan ask for
    return Move(
        revision, tuple(c for c, _ in moved), tuple(label for _, label in moved), revision.price_difference_micro
    )


def _append(
    job: Job, newest: JobPlan, values: Plan, moved: Sequence[tuple[Clip, str]], plan: Plan, now: datetime
) -> JobPlan:
    clip, label = moved[0]
    planned = _planned(plan, clip)
    reason = f"{label} instead of {planned.provider} for scene {planned.scene} of {planned.branch}"
    if len(moved) > 1:
        reason = f"{len(moved)} clips leave {planned.provider} for {', '.join(sorted({name for _, name in moved}))}"
    return JobPlan.objects.create(
        workspace_id=job.workspace_id,
        job=job,
        number=newest.number + 1,
        values=values.to_dict(),
        price_micro=values.price_micro,
        price_difference_micro=values.price_micro - newest.price_micro,
        reason=reason[:200],
        created_at=now,
    )


def _planned(plan: Plan, clip: Clip) -> ClipPlan:
    return plan.clip(clip.scene_key, Branch.objects.values_list("key", flat=True).get(pk=clip.branch_id))


def _room(job: Job) -> int:
    cap = spend_of_job(job_id=job.pk)
    return cap.available_micro if cap is not None else job.cap_micro


def _usable(job: Job, now: datetime) -> tuple[Candidate, ...]:
    """Vendors' models that this workspace may use and that nothing keeps from starting."""
    known = passages(workspaces=[job.workspace_id], now=now)
    shut = {key[2:] for key, passage in known.items() if passage.wait is not None and key[1] == job.mode}
    return tuple(
        c for c in candidates(job.workspace) if not (c.is_local or c.refusal or (c.card.provider, c.card.id) in shut)
    )


def _offer(
    job: Job, clip: Clip, plan: Plan, planned: ClipPlan, usable: Sequence[Candidate], urgent: bool
) -> Offer | None:
    tried = set(Attempt.objects.filter(clip=clip).values_list("provider", flat=True)) | {planned.provider}
    scene = plan.scene(clip.scene_key)
    need = SceneNeed(
        clip.scene_key,
        scene.duration_ms,
        complexity=5,
        has_image=bool(_shown(planned, scene)),
        reference_images=len(scene.reference_images),
    )
    profile = Profile.ECONOMY if urgent else Profile.BALANCED
    limits = Limits(profile, cap_micro=job.cap_micro, ratio=planned.native_ratio)
    offers = []
    for candidate in usable:
        if candidate.card.provider in tried:
            continue
        try:
            offers.append(offer_of(candidate, need, limits))
        except CannotMake:
            continue
    if urgent:
        return min(offers, key=lambda o: (o.expected_s, o.price_micro), default=None)
    return min(offers, key=lambda o: (o.price_micro, o.expected_s), default=None)


def _shown(planned: ClipPlan, scene: ScenePlan) -> tuple[ClipInput, ...]:
    """Return what a clip shows of its own scene; pictures that are references alone do not count."""
    only_followed = set(scene.reference_images) - set(scene.references)
    return tuple(i for i in planned.inputs if i.role != "reference" or i.asset_id not in only_followed)


def _inputs(planned: ClipPlan, scene: ScenePlan, offer: Offer) -> tuple[ClipInput, ...]:
    """Return the files for another model: a first frame, or references after the scene's own picture, or none."""
    own = _shown(planned, scene)[:1]
    if offer.references:
        named = (*(i.asset_id for i in own), *scene.reference_images[: offer.references])
        return tuple(ClipInput(pk, "reference") for pk in dict.fromkeys(named))
    if offer.task is not Task.IMAGE_TO_VIDEO:
        return ()
    return tuple(replace(i, role="first_frame") if i.role == "reference" else i for i in own)


def _with_offer(planned: ClipPlan, scene: ScenePlan, offer: Offer, urgent: bool) -> ClipPlan:
    card = offer.candidate.card
    why = "the fastest that can make this scene, at a lower resolution, because the deadline is near"
    reason = why if urgent else "the cheapest that can make this scene"
    return replace(
        planned,
        provider=card.provider,
        model=card.id,
        task=offer.task.value,
        native_ratio=offer.ratio,
        resolution=offer.resolution,
        duration_ms=offer.duration_ms,
        price_micro=offer.price_micro,
        price_upper_micro=offer.price_upper_micro,
        expected_s=offer.expected_s,
        inputs=_inputs(planned, scene, offer),
        options={},
        reason=f"{offer.candidate.label} takes over from {planned.provider}: {reason}.",
        rejected=(),
        notes=offer.notes,
        card_revision=offer.candidate.terms.number if offer.candidate.terms else 0,
        list_micro=offer.list_micro,
        reuse=None,
    )
