"""Turn queued clips into attempts: the money is held, the intent committed, the submit queued, in one transaction."""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Max

from billing.ledger.models import Reservation, ReservationState
from billing.ledger.services import CapReached, reserve
from genengine.assets.models import Asset
from genengine.core.actors import SYSTEM
from genengine.core.correlation import correlated
from genengine.core.db import retry_conflicts, unit_of_work
from jobs.execution.line import open_attempts
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan
from jobs.execution.queue import DEFAULT, MEDIA, enqueue
from jobs.execution.retry import failure
from jobs.execution.services.folding import lock_clip, lock_job, touch
from jobs.execution.states import CLIP, ClipState
from jobs.plan import ClipPlan, Plan
from providers.catalogue import get_card
from providers.traffic.models import Circuit
from providers.traffic.queries import is_remote
from providers.traffic.services import circuit_of, take_place
from providers.values import GenerationRequest, InputAsset, InputRole, Task, snap_request

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
            circuit = None
            if is_remote(planned.provider):
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
                clip=clip, job=job, planned=planned, reservation=reservation, circuit=circuit, now=now
            )
            CLIP.apply(
                clip,
                "dispatch",
                actor=SYSTEM,
                now=now,
                data={"provider": planned.provider, "model": planned.model, "attempt": str(attempt.pk)},
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

    def counted() -> int:
        return open_attempts(now).filter(circuit__throttle_id=circuit.throttle_id).count()

    return circuit if take_place(circuit=circuit, holder=clip.pk, in_flight=counted, now=now) is None else None


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
) -> Attempt:
    """Commit the intent: idempotency key, exact request and its digest exist before any call is made."""
    request = request_values(planned)
    last = Attempt.objects.filter(clip=clip).aggregate(last=Max("number"))["last"] or 0
    attempt = Attempt.objects.create(
        workspace_id=clip.workspace_id,
        job=job,
        clip=clip,
        number=last + 1,
        plan_number=clip.plan_number,
        provider=planned.provider,
        model=planned.model,
        state_changed_at=now,
        idempotency_key=f"ge-{uuid4().hex}",
        request=request,
        request_digest=digest(request),
        reservation=reservation,
        circuit=circuit,
        price_micro=planned.price_micro,
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
    if attempt.provider == LOCAL:
        enqueue("render_attempt", attempt.pk, cluster=MEDIA)
    else:
        enqueue("submit_attempt", attempt.pk, cluster=DEFAULT)


def request_values(planned: ClipPlan) -> dict[str, Any]:
    """Return the exact request as values, fitted to its model's limits; inputs are named by content, so that a
    rerun is the same request."""
    inputs = [_input_values(i.asset_id, i.role) for i in planned.inputs]
    fitted, notes = snap_request(get_card(planned.model), _request(planned, inputs))
    return {
        "task": fitted.task.value,
        "model": fitted.model,
        "prompt": fitted.prompt,
        "negative_prompt": fitted.negative_prompt,
        "duration_s": fitted.duration_s,
        "ratio": fitted.ratio,
        "resolution": fitted.resolution,
        "seed": fitted.seed,
        "inputs": inputs,
        "options": dict(fitted.options),
        "notes": list(notes),
    }


def _request(planned: ClipPlan, inputs: list[dict[str, str]]) -> GenerationRequest:
    return GenerationRequest(
        task=Task(planned.task),
        model=planned.model,
        prompt=planned.prompt,
        negative_prompt=planned.negative_prompt,
        duration_s=planned.duration_ms / 1000,
        ratio=planned.native_ratio,
        resolution=planned.resolution,
        seed=planned.seed,
        inputs=tuple(InputAsset(input_role(i["role"]), Path(), i["media_type"], i["sha256"]) for i in inputs),
        options=planned.options,
    )


def input_role(role: str) -> InputRole:
    """Return a plan's word for an input as the adapters' word."""
    return InputRole.VIDEO if role == "source_clip" else InputRole(role)


def digest(request: dict[str, Any]) -> str:
    """Return the SHA-256 of a request's canonical JSON."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _input_values(asset_id: str, role: str) -> dict[str, str]:
    asset = Asset.objects.select_related("working").get(pk=asset_id)
    return {
        "asset": asset_id,
        "role": role,
        "blob": str(asset.working_id),
        "sha256": asset.working.sha256,
        "media_type": asset.working.media_type,
    }


def _may_start(job: Job, clip: Clip, now: datetime) -> bool:
    if clip.state != ClipState.QUEUED or job.paused or job.cancelled:
        return False
    if Branch.objects.filter(pk=clip.branch_id, paused=True).exists():
        return False
    return clip.not_before is None or clip.not_before <= now


def _hold_money(job: Job, clip: Clip, planned: ClipPlan, now: datetime) -> Reservation:
    """Use what is already held for this clip, or pass the gate again."""
    held = clip.reservation
    if held is not None and held.state == ReservationState.HELD and held.amount_micro >= planned.price_micro:
        return held
    return reserve(
        workspace=job.workspace,
        book=job.mode,
        job_id=job.pk,
        subject_id=clip.pk,
        provider=planned.provider,
        model=planned.model,
        amount_micro=planned.price_upper_micro,
        now=now,
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
            next_step="raise the budget or cancel this clip",
        ),
    )
