"""The verdicts of an attempt and what follows for its clip. Every end is settled in the ledger exactly once."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.ledger import services as ledger
from billing.ledger.models import ReservationState
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import FallbackPolicy
from jobs.execution.models import Attempt, Clip, Job
from jobs.execution.queue import COLLECT, MEDIA, enqueue
from jobs.execution.retry import Decision, Next, decide, failure, stay
from jobs.execution.services.dispatching import (
    LOCAL,
    LOCAL_MODEL,
    QUEUE_GRACE,
    create_attempt,
    make_fresh,
    planned_clip,
    queue_attempt,
)
from jobs.execution.services.folding import lock_clip, lock_job, touch
from jobs.execution.services.rerouting import is_urgent, move_clips
from jobs.execution.states import ATTEMPT, CLIP, AttemptState, ClipState
from jobs.plan import ClipPlan
from providers.catalogue import remote_class

PAID = "you: the vendor accepted it"
FREE = "nobody: the vendor did not accept it"
LATE_LOOK = timedelta(minutes=15)  # after the window, a vendor that can be asked is asked once more
_ACCEPTS = {AttemptState.UNKNOWN: "find", AttemptState.PRESUMED_SPENT: "surface"}


@retry_conflicts
def accept_attempt(
    *, attempt_id: UUID, remote_id: str, details: dict[str, Any], poll_after: timedelta, now: datetime
) -> None:
    """The vendor took the task: its id and the commitment of the money are stored before the first poll."""
    with unit_of_work():
        attempt, job, _ = lock_attempt(attempt_id)
        action = _ACCEPTS.get(AttemptState(attempt.state), "accept")
        ATTEMPT.apply(
            attempt,
            action,
            actor=SYSTEM,
            now=now,
            remote_id=remote_id,
            details=details,
            submitted_at=now,
            next_poll_at=now + poll_after,
            unknown_until=None,
            finished_at=None,
            lease_owner="",
            lease_until=None,
        )
        if action == "accept":
            ledger.commit(reservation=attempt.reservation, attempt_id=attempt.pk, now=now)
        touch(job, now=now)


@retry_conflicts
def refuse_attempt(*, attempt_id: UUID, error: dict[str, Any], retry_after_s: float | None, now: datetime) -> None:
    """The vendor proved that it did not take the task: nothing is owed, and the clip goes on."""
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        ATTEMPT.apply(
            attempt, "refuse", actor=SYSTEM, now=now, reason=error["message"], error=error, finished_at=now,
            cost_micro=0, lease_owner="", lease_until=None,
        )  # fmt: skip
        _give_back(clip, attempt)
        _go_on(job, clip, attempt, error["kind"], retry_after_s, "submit", FREE, now)
        touch(job, now=now)


@retry_conflicts
def lose_attempt(*, attempt_id: UUID, window: timedelta, reason: str, now: datetime) -> None:
    """The answer to a submit was lost. It may be paid, so it counts as spent until the vendor says otherwise."""
    with unit_of_work():
        attempt, job, _ = lock_attempt(attempt_id)
        submitted = attempt.state == AttemptState.SUBMITTED
        ATTEMPT.apply(
            attempt, "lose", actor=SYSTEM, now=now, reason=reason, unknown_until=now + window, next_poll_at=now,
            lease_owner="", lease_until=None,
        )  # fmt: skip
        if not submitted:
            ledger.commit(reservation=attempt.reservation, attempt_id=attempt.pk, now=now, note="outcome unknown")
        touch(job, now=now)


@retry_conflicts
def find_nothing(*, attempt_id: UUID, now: datetime) -> None:
    """The vendor, asked by our key, surely has no such task: nothing is owed, and the clip is sent again."""
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        ATTEMPT.apply(
            attempt, "absent", actor=SYSTEM, now=now, reason="the vendor has no task under our key",
            finished_at=now, next_poll_at=None, cost_micro=0,
        )  # fmt: skip
        _settle(attempt, 0, now, note="never arrived")
        _go_on(job, clip, attempt, "transient", None, "submit", FREE, now)
        touch(job, now=now)


@retry_conflicts
def presume_spent(*, attempt_id: UUID, now: datetime) -> None:
    """The vendor's window is over and nothing was found: counted as spent, and said so.

    Should it surface later, by a callback or by a last look, its money is corrected and its result is an extra take.
    """
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        again = now + LATE_LOOK if remote_class(attempt.provider).can_find_by_key else None
        ATTEMPT.apply(
            attempt, "presume_spent", actor=SYSTEM, now=now, finished_at=now, presumed_at=now, next_poll_at=again,
            cost_micro=attempt.price_micro,
        )  # fmt: skip
        _settle(attempt, attempt.price_micro, now, note="presumed spent")
        _go_on(job, clip, attempt, "presumed_spent", None, "submit", PAID, now)
        touch(job, now=now)


@retry_conflicts
def succeed_attempt(
    *, attempt_id: UUID, cost_micro: int | None, vendor_amount: Decimal | None, vendor_currency: str, now: datetime
) -> None:
    """The vendor finished: the money is corrected to its figure and the result is to be fetched."""
    with unit_of_work():
        attempt, job, _ = lock_attempt(attempt_id)
        cost = attempt.price_micro if cost_micro is None else cost_micro
        ATTEMPT.apply(
            attempt, "succeed", actor=SYSTEM, now=now, data={"cost_micro": cost}, next_poll_at=None, progress=1.0,
            cost_micro=cost, vendor_amount=vendor_amount, vendor_currency=vendor_currency,
            lease_owner="", lease_until=now + QUEUE_GRACE,
        )  # fmt: skip
        _settle(attempt, cost, now, vendor_amount=vendor_amount, vendor_currency=vendor_currency)
        enqueue(COLLECT, attempt.pk, cluster=MEDIA)
        touch(job, now=now)


@retry_conflicts
def fail_attempt(*, attempt_id: UUID, error: dict[str, Any], stage: str, now: datetime, cost_micro: int = 0) -> None:
    """The vendor ended it without a result, or its result could not be used (then it stays paid)."""
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        paid = attempt.state != AttemptState.SUBMITTED  # it had succeeded: only the result is of no use
        ATTEMPT.apply(
            attempt, "fail", actor=SYSTEM, now=now, reason=error["message"], error=error, finished_at=now,
            next_poll_at=None, lease_owner="", lease_until=None,
            cost_micro=attempt.cost_micro if paid else cost_micro,
        )  # fmt: skip
        if not paid:
            _settle(attempt, cost_micro, now, note="failed at the vendor")
        who = "you: paid but unusable" if paid or cost_micro else "nobody: the vendor does not charge for this"
        _go_on(job, clip, attempt, error["kind"], None, stage, who, now)
        touch(job, now=now)


@retry_conflicts
def fail_render(*, attempt_id: UUID, owner: str, error: dict[str, Any], now: datetime) -> None:
    """The local engine could not make it; free of charge."""
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        if attempt.lease_owner != owner:
            return
        ATTEMPT.apply(
            attempt, "refuse", actor=SYSTEM, now=now, reason=error["message"], error=error, finished_at=now,
            cost_micro=0, lease_owner="", lease_until=None,
        )  # fmt: skip
        _give_back(clip, attempt)
        if attempt.reuses and clip.state == ClipState.GENERATING:
            _make_after_all(clip, attempt, error["message"], now)
        else:
            _go_on(job, clip, attempt, error["kind"], None, "render", "nobody: the local engine is free", now)
        touch(job, now=now)


def lock_attempt(attempt_id: UUID) -> tuple[Attempt, Job, Clip]:
    """Lock an attempt's job and clip, in that order, and read the attempt again."""
    ids = Attempt.objects.values("job_id", "clip_id").get(pk=attempt_id)
    job = lock_job(ids["job_id"])
    clip = lock_clip(ids["clip_id"])
    return Attempt.objects.select_related("reservation").get(pk=attempt_id), job, clip


def release_money(clip: Clip, now: datetime) -> None:
    """Give back what is held for a clip that will not be dispatched again."""
    held = clip.reservation
    if held is not None and held.state == ReservationState.HELD:
        ledger.release(reservation=held, now=now)
    Clip.objects.filter(pk=clip.pk).update(reservation=None)
    clip.reservation = None


def release_unsent(attempt: Attempt, clip: Clip, now: datetime) -> None:
    """Give the money of an attempt back that was never sent."""
    if attempt.reservation.state == ReservationState.HELD:
        ledger.release(reservation=attempt.reservation, now=now, note="never sent")
    Clip.objects.filter(pk=clip.pk, reservation=attempt.reservation).update(reservation=None)


def queue_again(attempt: Attempt, now: datetime) -> None:
    """Queue the task of an attempt again that nobody has begun."""
    Attempt.objects.filter(pk=attempt.pk).update(lease_owner="", lease_until=now + QUEUE_GRACE)
    queue_attempt(attempt)


def unknown_window(attempt: Attempt) -> timedelta:
    """Return how long a lost answer of this attempt's provider may still turn into a task."""
    return remote_class(attempt.provider).unknown_window


def _give_back(clip: Clip, attempt: Attempt) -> None:
    """Keep the unspent reservation for the clip's next attempt."""
    Clip.objects.filter(pk=clip.pk).update(reservation=attempt.reservation)
    clip.reservation = attempt.reservation


def _settle(attempt: Attempt, actual_micro: int, now: datetime, **vendor: Any) -> None:
    verdict = ledger.correct_late if attempt.reservation.state == ReservationState.SETTLED else ledger.settle
    verdict(reservation=attempt.reservation, attempt_id=attempt.pk, actual_micro=actual_micro, now=now, **vendor)


def _go_on(
    job: Job, clip: Clip, attempt: Attempt, kind: str, retry_after_s: float | None, stage: str, who: str, now: datetime
) -> None:
    """Retry the clip or give it up, with the reason in words. A clip that was cancelled meanwhile, and an attempt that
    had been given up as spent, only settle."""
    if attempt.presumed_at is not None and attempt.state != AttemptState.PRESUMED_SPENT:
        return
    if clip.state not in (ClipState.GENERATING, ClipState.CHECKING):
        if clip.state in (ClipState.CANCELLED, ClipState.FAILED, ClipState.READY):
            release_money(clip, now)
        if attempt.fallback and clip.state == ClipState.NEEDS_ATTENTION:
            _fallback_failed(clip, attempt, stage, who, now)
        return
    decision = decide(
        kind=kind,
        tries=clip.tries,
        retry_after_s=retry_after_s,
        failed_here=_failures_here(clip, attempt),
        may_move=job.fallback_policy == FallbackPolicy.PROVIDER,
    )
    if decision.next is Next.MOVE:
        if _reroute(job, clip, attempt, decision, now):
            return
        decision = stay(kind=kind, tries=clip.tries, decision=decision)
    if decision.next is Next.RETRY:
        _requeue(clip, attempt, decision, now)
    else:
        give_up(job, clip, decision.reason, stage, who, now, provider=attempt.provider)


def _make_after_all(clip: Clip, attempt: Attempt, cause: str, now: datetime) -> None:
    """The earlier result cannot be used: the clip is made at its model's price, if the caps have room for it."""
    make_fresh(clip, planned_clip(clip))
    CLIP.apply(
        clip,
        "requeue",
        actor=SYSTEM,
        now=now,
        reason=f"the earlier result cannot be used ({cause}); the clip is made at its own price",
        data={"attempt": str(attempt.pk), "delay_s": 0},
        not_before=None,
        tries=max(0, clip.tries - 1),
    )


def _failures_here(clip: Clip, attempt: Attempt) -> int:
    """Count the failures at this attempt's provider among the clip's tries since a person last asked for it."""
    rows = Attempt.objects.filter(clip=clip, fallback=False).exclude(error__kind="rate_limited")
    newest = list(rows.order_by("-number").values_list("provider", flat=True)[: max(1, clip.tries)])
    return newest.count(attempt.provider)


def _requeue(clip: Clip, attempt: Attempt, decision: Decision, now: datetime) -> None:
    CLIP.apply(
        clip,
        "requeue",
        actor=SYSTEM,
        now=now,
        reason=decision.reason,
        data={"attempt": str(attempt.pk), "delay_s": round(decision.delay_s, 2)},
        not_before=now + timedelta(seconds=decision.delay_s),
        tries=clip.tries if decision.counts else max(0, clip.tries - 1),
    )


def _reroute(job: Job, clip: Clip, attempt: Attempt, decision: Decision, now: datetime) -> bool:
    """Send the clip to another provider under the caps; false when none is left that can make it."""
    moved = move_clips(job=job, clips=[clip], now=now, urgent=is_urgent(job, clip, now))
    if moved is None:
        return False
    revision = moved.revision
    release_money(clip, now)
    CLIP.apply(
        clip,
        "requeue",
        actor=SYSTEM,
        now=now,
        reason=f"{decision.reason}; {revision.reason}",
        data={"attempt": str(attempt.pk), "delay_s": 0, "price_difference_micro": revision.price_difference_micro},
        not_before=None,
    )
    return True


def give_up(job: Job, clip: Clip, reason: str, stage: str, who: str, now: datetime, *, provider: str) -> None:
    """Stop trying: by the workspace's policy the local engine steps in, or a person is asked."""
    local = job.fallback_policy != FallbackPolicy.ASK
    next_step = "a local take stands in; rerun to try again" if local else "rerun it or choose another model"
    CLIP.apply(
        clip,
        "give_up",
        actor=SYSTEM,
        now=now,
        reason=reason,
        failure=failure(stage=stage, cause=reason, who_pays=who, next_step=next_step),
        finished_at=now,
    )
    release_money(clip, now)
    if local:
        start_fallback(job=job, clip=clip, now=now)


def start_fallback(*, job: Job, clip: Clip, now: datetime) -> Attempt:
    """Ask the local engine for a take that stands in, marked as a fallback everywhere."""
    planned = local_version(planned_clip(clip))
    reservation = ledger.reserve(
        workspace=job.workspace,
        book=job.mode,
        job_id=job.pk,
        subject_id=clip.pk,
        provider=LOCAL,
        model=planned.model,
        amount_micro=0,
        now=now,
        owners=job.owners,
    )
    return create_attempt(clip=clip, job=job, planned=planned, reservation=reservation, now=now, fallback=True)


def local_version(planned: ClipPlan) -> ClipPlan:
    """Return the clip as the local engine makes it: same scene, inputs, length and ratio, no price."""
    from dataclasses import replace

    return replace(planned, provider=LOCAL, model=LOCAL_MODEL, price_micro=0, price_upper_micro=0, list_micro=0,
                   card_revision=0, reuse=None)  # fmt: skip


def _fallback_failed(clip: Clip, attempt: Attempt, stage: str, who: str, now: datetime) -> None:
    CLIP.apply(
        clip,
        "fail",
        actor=SYSTEM,
        now=now,
        reason="the local engine could not stand in either",
        failure=failure(
            stage=stage,
            cause=(attempt.error or {}).get("message", "the local engine could not stand in"),
            who_pays=who,
            next_step="change the scene or its assets and rerun it",
        ),
        finished_at=now,
    )
