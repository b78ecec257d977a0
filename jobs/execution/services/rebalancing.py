"""Clips that wait before a vendor that is down or has too long a line: by the workspace's policy they go elsewhere.

Whatever is decided is said in the job's log with the new expected end.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from genengine.core.actors import SYSTEM
from genengine.core.correlation import correlated
from genengine.core.db import LockRank, lock_rows, retry_conflicts, unit_of_work
from genengine.core.events.models import Event
from genengine.core.events.services import append_event
from genengine.workspaces.models import FallbackPolicy
from jobs.execution.expecting import expected_end
from jobs.execution.line import (
    Lane,
    Numbers,
    Waiting,
    estimate_s,
    fair_order,
    in_flight,
    queued,
    read_line,
    usual_seconds,
)
from jobs.execution.models import Clip, Job
from jobs.execution.services.folding import lock_job, touch
from jobs.execution.services.rerouting import Move, is_urgent, move_clips
from jobs.execution.services.settling import FREE, give_up, release_money
from jobs.execution.states import FINAL, ClipState
from providers.catalogue import adapter_class
from providers.traffic.limits import is_remote, limits_in_force
from providers.traffic.models import Circuit
from providers.traffic.queries import Passage, passages
from providers.traffic.states import CircuitState
from providers.traffic.types import WaitReason

DOWN = (WaitReason.CIRCUIT, WaitReason.ACCOUNT)
MOST_JOBS = 50  # of one round; the next comes a second later


@dataclass(frozen=True)
class Stuck:
    """A clip that waits where nothing moves, or where too many are before it."""

    clip: UUID
    lane: Lane
    circuit: Circuit
    down: bool
    reason: str
    wait_s: float


def rebalance(*, now: datetime) -> int:
    """Bring every waiting clip on that should not wait where it is; returns how many jobs were told something."""
    told = 0
    for job_id, stuck in list(_stuck_by_job(now).items())[:MOST_JOBS]:
        told += decide_job(job_id=job_id, stuck=stuck, now=now)
    return told


def _stuck_by_job(now: datetime) -> dict[UUID, list[Stuck]]:
    rows = queued(now)
    book = limits_in_force(at=now)
    known = passages(workspaces=rows.values_list("workspace_id", flat=True).distinct(), now=now, book=book)
    if not known:
        return {}
    flying, numbers, found = in_flight(now), Numbers(), defaultdict(list)
    for one in fair_order(read_line(rows, now=now), flying):
        passage = known.get(one.lane)
        number = numbers.next(one)
        if passage is None or not is_remote(one.provider):
            continue
        wait = estimate_s(one, number, flying, passage, book, now)
        if stuck := _stuck(one, passage, wait):
            found[one.job].append(stuck)
    return dict(found)


def _stuck(one: Waiting, passage: Passage, wait_s: float) -> Stuck | None:
    """Down is down at once; a busy vendor or a long line is one when its wait is longer than the setting."""
    label = adapter_class(one.provider).label
    shut = passage.circuit.state != CircuitState.CLOSED
    if shut and (passage.wait is None or passage.wait.reason in DOWN):
        return Stuck(one.clip, one.lane, passage.circuit, True, f"{label} is down: {passage.circuit.cause}", wait_s)
    if wait_s > settings.GE_SATURATED_WAIT_S:
        reason = f"{label} is busy: about {wait_s:.0f} s in its line"
        return Stuck(one.clip, one.lane, passage.circuit, False, reason, wait_s)
    return None


@retry_conflicts
def decide_job(*, job_id: UUID, stuck: Sequence[Stuck], now: datetime) -> bool:
    """Move, wait or give up the stuck clips of one job, and tell its log once."""
    with unit_of_work():
        job = lock_job(job_id)
        by_clip = {one.clip: one for one in stuck}
        rows = lock_rows(Clip.objects.filter(pk__in=by_clip, state=ClipState.QUEUED), LockRank.CLIP)
        clips = [clip for clip in rows if clip.provider == by_clip[clip.pk].lane[2]]  # moved on meanwhile?
        if not clips or job.paused or job.cancelled:
            return False
        with correlated(job.correlation_id):
            if job.fallback_policy == FallbackPolicy.PROVIDER and _move(job, clips, by_clip, now):
                return True
            return _wait_or_give_up(job, clips, by_clip, now)


def _move(job: Job, clips: list[Clip], by_clip: dict[UUID, Stuck], now: datetime) -> bool:
    was = {clip.pk: (clip.provider, clip.model) for clip in clips}
    moved = move_clips(job=job, clips=clips, now=now, urgent=any(is_urgent(job, c, now) for c in clips))
    if moved is None:
        return False
    for clip, label in zip(moved.clips, moved.labels, strict=True):
        release_money(clip, now)
        append_event(
            clip.event_stream(), "clip.rerouted", actor=SYSTEM, now=now, subject_kind="clip", subject_id=clip.pk,
            data={
                **clip.event_facts(), "provider": clip.provider, "model": clip.model, "label": label,
                "from_provider": was[clip.pk][0], "from_model": was[clip.pk][1], "reason": by_clip[clip.pk].reason,
            },
        )  # fmt: skip
    _tell_moved(job, moved, by_clip[moved.clips[0].pk], now)
    touch(job, now=now)
    return True


def _tell_moved(job: Job, moved: Move, one: Stuck, now: datetime) -> None:
    append_event(
        job.event_stream(), "job.rebalanced", actor=SYSTEM, now=now, subject_kind="job", subject_id=job.pk,
        data={
            "circuit": str(one.circuit.pk), "provider": one.lane[2], "clips": len(moved.clips),
            "to": sorted(set(moved.labels)), "price_difference_micro": moved.price_difference_micro,
            "eta_at": expected_end(job=job, now=now).isoformat(), "reason": one.reason,
        },
    )  # fmt: skip


def _wait_or_give_up(job: Job, clips: list[Clip], by_clip: dict[UUID, Stuck], now: datetime) -> bool:
    """Nobody else makes it: wait while there is time, then the local engine or a person."""
    ended = False
    for clip in clips:
        one = by_clip[clip.pk]
        if one.down and _out_of_patience(job, clip, one, now):
            give_up(job, clip, f"{one.reason}; it was waited for", "dispatch", FREE, now, provider=clip.provider)
            ended = True
    waiting = [c for c in clips if c.state == ClipState.QUEUED and by_clip[c.pk].down]
    told = bool(waiting) and _tell_delayed(job, waiting, by_clip[waiting[0].pk], now)
    if ended:
        touch(job, now=now)
    return ended or told


def _out_of_patience(job: Job, clip: Clip, one: Stuck, now: datetime) -> bool:
    """The setting is the longest wait; a deadline makes it shorter: the clip and its cut still have to be made."""
    patience = now - clip.state_changed_at >= timedelta(seconds=settings.GE_WAIT_PATIENCE_S)
    if job.deadline_at is None:
        return patience
    _, mode, _, model = one.lane
    needed = one.wait_s + usual_seconds(model, mode, None)
    return patience or job.deadline_at - now < timedelta(seconds=needed)


def _tell_delayed(job: Job, clips: list[Clip], one: Stuck, now: datetime) -> bool:
    """Say once in an outage that clips wait."""
    kinds = ("job.delayed", "job.provider_recovered")
    said = Event.objects.filter(stream__subject_id=job.pk, type__in=kinds, data__circuit=str(one.circuit.pk))
    newest = said.order_by("-seq").values_list("type", flat=True).first()
    if newest == "job.delayed":
        return False
    append_event(
        job.event_stream(), "job.delayed", actor=SYSTEM, now=now, subject_kind="job", subject_id=job.pk,
        data={
            "circuit": str(one.circuit.pk), "provider": one.lane[2], "clips": len(clips),
            "eta_at": expected_end(job=job, now=now).isoformat(), "reason": one.reason,
        },
    )  # fmt: skip
    return True


@retry_conflicts
def tell_recovered(*, circuit: Circuit, now: datetime) -> None:
    """Say in every running job that was told of the outage that the vendor works again."""
    for job in _told_jobs(circuit):
        with unit_of_work():
            locked = lock_job(job.pk)
            append_event(
                locked.event_stream(), "job.provider_recovered", actor=SYSTEM, now=now, subject_kind="job",
                subject_id=locked.pk,
                data={
                    "circuit": str(circuit.pk), "provider": circuit.throttle.provider,
                    "eta_at": expected_end(job=locked, now=now).isoformat(),
                },
            )  # fmt: skip


def _told_jobs(circuit: Circuit) -> Iterable[Job]:
    running = Job.objects.filter(workspace_id=circuit.workspace_id, mode=circuit.throttle.mode).exclude(state__in=FINAL)
    told = Event.objects.filter(
        stream__subject_id__in=running.values("pk"), type__in=("job.delayed", "job.rebalanced"),
        data__circuit=str(circuit.pk), at__gte=circuit.state_changed_at - timedelta(days=1),
    )  # fmt: skip
    return running.filter(pk__in=told.values("stream__subject_id"))
