"""The paid call and the vendor's answers, as writes."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models

from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from jobs.execution.leases import LEASE
from jobs.execution.models import Attempt
from jobs.execution.pricing import attempt_cost_micro
from jobs.execution.queue import COLLECT, MEDIA, RENDER, SUBMIT, enqueue
from jobs.execution.retry import BACKOFF_BASE_S
from jobs.execution.services import settling
from jobs.execution.services.dispatching import QUEUE_GRACE
from jobs.execution.services.folding import touch
from jobs.execution.states import ATTEMPT, AttemptState, ClipState
from providers.values import TaskReport

ARRIVAL_GRACE = timedelta(seconds=20)  # by then a request that was sent shows at a vendor that can look it up
SUBMIT_LEASE = timedelta(seconds=45)  # longer than the adapter's own time-outs: then the sender is dead
SENDER = "sender"  # holds an attempt whose paid call is out
MAX_FETCHES = 4
PROGRESS_STEP = 0.05
PROGRESS_EVERY_S = 0.7


@retry_conflicts
def claim_submit(*, attempt_id: UUID, now: datetime) -> bool:
    """Mark, once and for good, that the paid call may have been sent. False: it is not ours to send any more."""
    with unit_of_work():
        attempt, job, clip = settling.lock_attempt(attempt_id)
        if attempt.state != AttemptState.INTENT or attempt.sent_at is not None:
            return False
        if clip.state != ClipState.GENERATING:
            _withdraw(attempt, now)
            settling.release_unsent(attempt, clip, now)
            touch(job, now=now)
            return False
        Attempt.objects.filter(pk=attempt_id).update(sent_at=now, lease_owner=SENDER, lease_until=now + SUBMIT_LEASE)
    return True


@retry_conflicts
def withdraw_render(*, attempt_id: UUID, owner: str, now: datetime) -> None:
    """End a local render whose clip was cancelled; one that only lost its lease is left to its new holder."""
    with unit_of_work():
        attempt, job, clip = settling.lock_attempt(attempt_id)
        wanted = clip.state in (ClipState.GENERATING, ClipState.NEEDS_ATTENTION)
        if wanted or attempt.lease_owner != owner or attempt.state != AttemptState.INTENT:
            return
        _withdraw(attempt, now)
        settling.release_unsent(attempt, clip, now)
        touch(job, now=now)


def _withdraw(attempt: Attempt, now: datetime) -> None:
    ATTEMPT.apply(
        attempt, "refuse", actor=SYSTEM, now=now, reason="the clip was cancelled before anything was sent",
        finished_at=now, cost_micro=0, lease_owner="", lease_until=None,
    )  # fmt: skip


def succeed(attempt: Attempt, report: TaskReport, *, now: datetime) -> None:
    """Take the vendor's success with its own figure for the cost."""
    settling.succeed_attempt(
        attempt_id=attempt.pk,
        cost_micro=attempt_cost_micro(attempt, report.cost),
        vendor_amount=report.cost.value if report.cost else None,
        vendor_currency=report.cost.currency if report.cost else "",
        now=now,
    )


def fail(attempt: Attempt, report: TaskReport, *, now: datetime) -> None:
    """Take the vendor's failure; a charge for it is the vendor's figure."""
    error: dict[str, Any] = {"kind": "transient", "message": f"{attempt.provider} ended the task without a result"}
    if report.error is not None:
        error = {
            "kind": report.error.kind.value,
            "message": report.error.message,
            "vendor_code": report.error.code,
        }
    charged = attempt_cost_micro(attempt, report.cost) or 0
    settling.fail_attempt(attempt_id=attempt.pk, error=error, stage="generate", now=now, cost_micro=charged)


@retry_conflicts
def fetch_failed(*, attempt_id: UUID, owner: str, cause: str, now: datetime) -> None:
    """Fetching is retried apart from generating: the result is paid."""
    with unit_of_work():
        attempt, job, _ = settling.lock_attempt(attempt_id)
        if attempt.lease_owner != owner:
            return
        if attempt.fetches + 1 >= MAX_FETCHES:
            error = {"kind": "fetch_failed", "message": cause[:500]}
            settling.fail_attempt(attempt_id=attempt_id, error=error, stage="fetch", now=now)
            return
        wait = timedelta(seconds=BACKOFF_BASE_S * 2**attempt.fetches)
        Attempt.objects.filter(pk=attempt_id).update(
            fetches=attempt.fetches + 1, lease_owner="", lease_until=now + wait
        )
        append_event(
            attempt.event_stream(), "attempt.fetch_failed", actor=SYSTEM, now=now, subject_kind="attempt",
            subject_id=attempt.pk, data={**attempt.event_facts(), "cause": cause[:300]},
        )  # fmt: skip
        touch(job, now=now)


def look_no_more(*, attempt_id: UUID) -> None:
    """The last look for an attempt that is presumed spent found nothing; only a callback can bring it back now."""
    Attempt.objects.filter(pk=attempt_id, state=AttemptState.PRESUMED_SPENT).update(next_poll_at=None)


def is_visible_step(was: float, progress: float | None) -> bool:
    """Whether a vendor's progress (0 to 1) has moved far enough to be told."""
    return progress is not None and min(1.0, max(0.0, progress)) >= was + PROGRESS_STEP


@retry_conflicts
def note_progress(*, attempt: Attempt, progress: float, now: datetime) -> None:
    """Store and tell a vendor's progress when it has moved by a visible step."""
    if not is_visible_step(attempt.progress or 0.0, progress):
        return
    bounded = min(1.0, max(0.0, progress))
    with unit_of_work():
        Attempt.objects.filter(pk=attempt.pk).update(progress=bounded)
        append_event(
            attempt.event_stream(), "attempt.progress", actor=SYSTEM, now=now, subject_kind="attempt",
            subject_id=attempt.pk, data={**attempt.event_facts(), "progress": round(bounded, 3)},
        )  # fmt: skip


@retry_conflicts
def note_cancel(*, attempt: Attempt, outcome: str, now: datetime) -> None:
    """Tell what became of a cancellation at the vendor."""
    with unit_of_work():
        append_event(
            attempt.event_stream(), "attempt.cancel_asked", actor=SYSTEM, now=now, subject_kind="attempt",
            subject_id=attempt.pk, data={**attempt.event_facts(), "outcome": outcome},
        )  # fmt: skip


def progress_writer(model: type[models.Model], pk: UUID, owner: str) -> Callable[[int, int], None]:
    """Return a callback for renderers that stores and tells progress at a bounded rate."""
    told_at, told = clock.now(), 0.0

    def write(done: int, total: int) -> None:
        nonlocal told_at, told
        share = done / total if total else 0.0
        moment = clock.now()
        if share - told < PROGRESS_STEP or (moment - told_at).total_seconds() < PROGRESS_EVERY_S:
            return
        told_at, told = moment, share
        _tell(model, pk, owner, share, moment)

    return write


@retry_conflicts
def _tell(model: type[models.Model], pk: UUID, owner: str, share: float, now: datetime) -> None:
    with unit_of_work():
        rows = model._base_manager.filter(pk=pk, lease_owner=owner)
        if not rows.update(progress=share, lease_until=now + LEASE):
            return
        row: Any = rows.get()
        kind = row._meta.model_name
        append_event(
            row.event_stream(), f"{kind}.progress", actor=SYSTEM, now=now, subject_kind=kind, subject_id=pk,
            data={**row.event_facts(), "progress": round(share, 3)},
        )  # fmt: skip


@retry_conflicts
def sweep_attempt(*, attempt_id: UUID, now: datetime, waiting: Collection[tuple[str, UUID]] = frozenset()) -> None:
    """Bring an attempt on whose holder stopped: queue it again, or ask the vendor when it may have been sent.

    One whose task stands in `waiting` is only late: the workers are busy, and a second task would find nothing to do.
    """
    with unit_of_work():
        attempt, job, _ = settling.lock_attempt(attempt_id)
        if attempt.lease_until is None or attempt.lease_until > now:
            return
        if attempt.state == AttemptState.INTENT and attempt.sent_at is not None:
            window = settling.unknown_window(attempt)
            settling.lose_attempt(
                attempt_id=attempt.pk, window=window, reason="the sender stopped before the answer was kept", now=now
            )
            return
        if any((task, attempt.pk) in waiting for task in (SUBMIT, RENDER, COLLECT)):
            Attempt.objects.filter(pk=attempt.pk).update(lease_owner="", lease_until=now + QUEUE_GRACE)
            return
        if attempt.state == AttemptState.INTENT:
            settling.queue_again(attempt, now)
        elif attempt.state == AttemptState.SUCCEEDED:
            Attempt.objects.filter(pk=attempt.pk).update(lease_owner="", lease_until=now + QUEUE_GRACE)
            enqueue(COLLECT, attempt.pk, cluster=MEDIA)
        else:
            Attempt.objects.filter(pk=attempt.pk).update(lease_owner="", lease_until=None)
        touch(job, now=now)
