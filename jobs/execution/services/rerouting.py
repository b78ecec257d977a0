"""The policy "another provider": a clip that one vendor could not make goes to the next, as a new plan revision."""

from dataclasses import replace
from datetime import datetime

from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan
from jobs.plan import ClipPlan, Plan
from jobs.routing.offers import CannotMake, offer_of
from jobs.routing.queries import candidates
from jobs.routing.types import Limits, Offer, Profile, SceneNeed


def next_provider(*, job: Job, clip: Clip, now: datetime) -> JobPlan | None:
    """Append a revision in which a vendor that has not tried this clip makes it; nothing when there is none.

    The cheapest capable model is taken. The money passes the gate at the next dispatch like any other.
    """
    newest = JobPlan.objects.filter(job=job).latest("number")
    key = Branch.objects.values_list("key", flat=True).get(pk=clip.branch_id)
    plan = newest.plan
    planned = plan.clip(clip.scene_key, key)
    offer = _cheapest(job, clip, plan, planned)
    if offer is None:
        return None
    other = _with_offer(planned, offer)
    values = plan.with_changes(clips=tuple(other if c == planned else c for c in plan.clips))
    return JobPlan.objects.create(
        workspace_id=job.workspace_id,
        job=job,
        number=newest.number + 1,
        values=values.to_dict(),
        price_micro=values.price_micro,
        price_difference_micro=values.price_micro - newest.price_micro,
        reason=f"{offer.candidate.label} instead of {planned.provider} for scene {clip.scene_key} of {key}"[:200],
        created_at=now,
    )


def _cheapest(job: Job, clip: Clip, plan: Plan, planned: ClipPlan) -> Offer | None:
    tried = set(Attempt.objects.filter(clip=clip).values_list("provider", flat=True)) | {planned.provider}
    scene = plan.scene(clip.scene_key)
    need = SceneNeed(clip.scene_key, scene.duration_ms, complexity=5, has_image=bool(planned.inputs))
    limits = Limits(Profile.BALANCED, cap_micro=job.cap_micro, ratio=planned.native_ratio)
    offers = []
    for candidate in candidates(job.workspace):
        if candidate.is_local or candidate.refusal or candidate.card.provider in tried:
            continue
        try:
            offers.append(offer_of(candidate, need, limits))
        except CannotMake:
            continue
    return min(offers, key=lambda o: (o.price_micro, o.expected_s), default=None)


def _with_offer(planned: ClipPlan, offer: Offer) -> ClipPlan:
    card = offer.candidate.card
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
        inputs=planned.inputs[:1] if offer.task.value == "image_to_video" else (),
        options={},
        reason=f"{offer.candidate.label} takes over from {planned.provider}: the cheapest that can make this scene.",
        rejected=(),
        notes=offer.notes,
    )
