"""Turn queued clips into attempts: the money is held, the intent committed, the submit queued, in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db.models import Max

from billing.ledger.models import Reservation, ReservationState
from billing.ledger.services import CapReached, release, reserve
from genengine.core.actors import SYSTEM
from genengine.core.correlation import correlated
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import ReusePolicy
from jobs.execution.line import open_attempts
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan, Take
from jobs.execution.queue import DEFAULT, MEDIA, RENDER, SUBMIT, enqueue
from jobs.execution.requests import content_digest, digest, request_values
from jobs.execution.retry import failure
from jobs.execution.reuse import earlier_takes
from jobs.execution.services.folding import lock_clip, lock_job, touch
from jobs.execution.services.sharing import take_the_lead
from jobs.execution.states import CLIP, ClipState
from jobs.plan import ClipPlan, Plan
from providers.traffic.limits import is_remote
from providers.traffic.models import Circuit
from providers.traffic.services import circuit_of, take_place

LOCAL = "local"
LOCAL_MODEL = "local"
QUEUE_GRACE = timedelta(seconds=20)  # how long a queued task may take to start before it is queued again


@retry_conflicts
def dispatch_clip(*, clip_id: UUID, now: datetime) -> Attempt | None:
    """Start one attempt of a queued clip; nothing when the clip has moved on, is paused, the provider has no place for
    it or the money is not there. Waiting holds no worker: the clip stays queued, and the rows say until when.
    """
    job_id = Clip.objects.values_list("job_id", flat=True).get(pk=clip_id)
    with unit_of_work():
        job = lock_job(job_id)
        clip = lock_clip(clip_id)
        if not _may_start(job, clip, now):
            return None
        with correlated(job.correlation_id):
            planned = planned_clip(clip)
            earlier = earlier_take_of(job, clip, planned)
            reason = "an earlier result of the same request is used" if earlier else _why_made(clip, planned)
            if earlier is None:
                planned = _to_make(clip, planned)
            circuit = None
            if earlier is None and is_remote(planned.provider):
                circuit = passed_circuit(job, clip, planned, now)
                if circuit is None:
                    return None
            try:
                reservation = _hold_money(job, clip, planned, now)
            except CapReached as reached:
                _put_on_hold(clip, reached, now)
                touch(job, now=now)
                return None
            attempt = create_attempt(
                clip=clip, job=job, planned=planned, reservation=reservation, circuit=circuit, now=now, earlier=earlier
            )
            CLIP.apply(
                clip,
                "dispatch",
                actor=SYSTEM,
                now=now,
                reason=reason,
                data={"provider": attempt.provider, "model": attempt.model, "attempt": str(attempt.pk)},
                reservation=None,
                tries=clip.tries + 1,
                started_at=clip.started_at or now,
                finished_at=None,
                failure=None,
                not_before=None,
            )
            touch(job, now=now)
    return attempt


def passed_circuit(job: Job, clip: Clip, planned: ClipPlan, now: datetime) -> Circuit | None:
    """Take a place at the provider for this clip; nothing when there is none now."""
    circuit = circuit_of(
        workspace=job.workspace, mode=job.mode, provider=planned.provider, model=planned.model, now=now
    )

    def counted(model: str) -> int:
        rows = open_attempts(now).filter(circuit__throttle_id=circuit.throttle_id)
        return (rows.filter(model=model) if model else rows).count()

    return circuit if take_place(circuit=circuit, holder=clip.pk, in_flight=counted, now=now) is None else None


def earlier_take_of(job: Job, clip: Clip, planned: ClipPlan) -> Take | None:
    """Return the take that the plan reuses for this clip, if it may still stand for it."""
    if planned.reuse is None or clip.fresh:
        return None
    found = earlier_takes(
        workspace=job.workspace_id, mode=job.mode, clips=[planned], policy=ReusePolicy.ALL, brief_id=job.brief_id
    )
    return found.get((planned.scene, planned.branch))


def _to_make(clip: Clip, planned: ClipPlan) -> ClipPlan:
    """Return the clip as it is made. One whose earlier result is gone, or whose companion was not made, changes to its
    model's line and price."""
    if planned.reuse is not None and not clip.fresh:
        take_the_lead(clip)
        make_fresh(clip, planned)
    return planned.as_made()


def _why_made(clip: Clip, planned: ClipPlan) -> str:
    """Say why a clip is made that was to cost nothing."""
    if planned.reuse is None or clip.tries:
        return ""
    return "no result of the same request is here; the clip is made at its own price"


def make_fresh(clip: Clip, planned: ClipPlan) -> None:
    """Put a clip that was to reuse a result where it is made; its money passes the gate at its dispatch."""
    clip.fresh, clip.provider, clip.model = True, planned.provider, planned.model
    clip.save(update_fields=["fresh", "provider", "model"])


def line_of(planned: ClipPlan) -> tuple[str, str]:
    """Return the provider and model before which a clip waits: what is reused is brought by this machine."""
    return (LOCAL, LOCAL_MODEL) if planned.reuse else (planned.provider, planned.model)


def planned_clip(clip: Clip) -> ClipPlan:
    """Return the clip's values in the plan revision that it runs."""
    plan = plan_of(clip.job_id, clip.plan_number)
    return plan.clip(clip.scene_key, Branch.objects.values_list("key", flat=True).get(pk=clip.branch_id))


def plan_of(job_id: UUID, number: int) -> Plan:
    """Return one plan revision of a job."""
    return JobPlan.objects.get(job_id=job_id, number=number).plan


def create_attempt(
    *,
    clip: Clip,
    job: Job,
    planned: ClipPlan,
    reservation: Reservation,
    now: datetime,
    circuit: Circuit | None = None,
    fallback: bool = False,
    earlier: Take | None = None,
) -> Attempt:
    """Commit the intent: idempotency key, exact request and its digest exist before any call is made.

    With an earlier take nobody is asked: this machine brings its bytes, which are checked like any result.
    """
    request = request_values(planned)
    provider, model = line_of(planned) if earlier else (planned.provider, planned.model)
    if earlier is not None and planned.reuse is not None:
        saves = planned.reuse.price_micro
        request |= {"reuses": {"take": str(earlier.pk), "job": str(earlier.job_id), "saves_micro": saves}}
    last = Attempt.objects.filter(clip=clip).aggregate(last=Max("number"))["last"] or 0
    attempt = Attempt.objects.create(
        workspace_id=clip.workspace_id,
        job=job,
        clip=clip,
        number=last + 1,
        plan_number=clip.plan_number,
        provider=provider,
        model=model,
        state_changed_at=now,
        idempotency_key=f"ge-{uuid4().hex}",
        request=request,
        request_digest=digest(request),
        content_digest=content_digest(request) if is_remote(provider) else "",
        reservation=reservation,
        circuit=circuit,
        price_micro=planned.price_micro,
        list_micro=planned.list_micro,
        card_revision=0 if earlier else planned.card_revision,
        lease_owner="",
        lease_until=now + QUEUE_GRACE,
        fallback=fallback,
        created_at=now,
        correlation_id=job.correlation_id,
    )
    queue_attempt(attempt)
    return attempt


def queue_attempt(attempt: Attempt) -> None:
    """Queue the task that carries the attempt out."""
    task, cluster = (RENDER, MEDIA) if attempt.provider == LOCAL else (SUBMIT, DEFAULT)
    enqueue(task, attempt.pk, cluster=cluster)


def _may_start(job: Job, clip: Clip, now: datetime) -> bool:
    if clip.state != ClipState.QUEUED or job.paused or job.cancelled:
        return False
    if Branch.objects.filter(pk=clip.branch_id, paused=True).exists():
        return False
    if clip.is_waiting_for_another:
        return False
    return clip.not_before is None or clip.not_before <= now


def _hold_money(job: Job, clip: Clip, planned: ClipPlan, now: datetime) -> Reservation:
    """Use what is already held for this clip, or pass the gate again."""
    held = clip.reservation
    if held is not None and held.state == ReservationState.HELD:
        if held.amount_micro >= planned.price_micro:
            return held
        release(reservation=held, now=now)
    return reserve(
        workspace=job.workspace,
        book=job.mode,
        job_id=job.pk,
        subject_id=clip.pk,
        provider=planned.provider,
        model=planned.model,
        amount_micro=planned.price_upper_micro,
        now=now,
        owners=job.owners,
    )


def _put_on_hold(clip: Clip, reached: CapReached, now: datetime) -> None:
    CLIP.apply(
        clip,
        "hold",
        actor=SYSTEM,
        now=now,
        reason=str(reached),
        failure=failure(
            stage="budget",
            cause=str(reached),
            who_pays="nobody: nothing was sent",
            next_step="let the budget be raised, as the cause says, or cancel this clip",
        ),
    )
