"""Take a place at a vendor, and learn from what its answers say. Each step locks the account's row first.

Two processes that ask at once are put in order by that lock; the take itself is one conditional UPDATE, so a token or
a probe is never given twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F

from genengine.core.actors import SYSTEM
from genengine.core.db import LockRank, lock_rows, retry_conflicts, unit_of_work
from genengine.workspaces.models import Workspace
from providers.catalogue import UnknownModel, get_card
from providers.limits import TrafficLimits
from providers.traffic.limits import limits_in_force
from providers.traffic.models import Circuit, Signal, Throttle
from providers.traffic.queries import PERSON_ACTS, may_probe, throttle_key, wait_of
from providers.traffic.states import CIRCUIT, CircuitState
from providers.traffic.types import Verdict, Wait, WaitReason, verdict_of

WINDOW = timedelta(minutes=5)
WINDOW_CALLS = 10  # the newest calls that are judged
LEAST_FAILURES = 3
FAILED_SHARE = 0.6
LONGEST_OPEN_S = 600.0
LONGEST_BLOCK_S = 60.0
PROBE_LEASE = timedelta(seconds=120)  # longer than the slowest submit: then its process is dead
LONGEST_PROBE = timedelta(minutes=30)
USUAL_CLIP_S = 5.0
PERCENTILES = (0.1, 0.5, 0.9, 0.95)
PACE_SAMPLES = 50

TAKE = """
UPDATE providers_throttle
   SET tokens = LEAST(%(burst)s, tokens + GREATEST(0, EXTRACT(EPOCH FROM (%(now)s - refilled_at))) * %(rate)s) - 1,
       refilled_at = GREATEST(refilled_at, %(now)s), used_at = %(now)s
 WHERE id = %(id)s
   AND (blocked_until IS NULL OR blocked_until <= %(now)s)
   AND LEAST(%(burst)s, tokens + GREATEST(0, EXTRACT(EPOCH FROM (%(now)s - refilled_at))) * %(rate)s) >= 1
"""


TAKE_OF_MODEL = """
UPDATE providers_circuit
   SET tokens = LEAST(%(burst)s, COALESCE(tokens + GREATEST(0, EXTRACT(EPOCH FROM (%(now)s - refilled_at))) * %(rate)s,
                                          %(burst)s)) - 1,
       refilled_at = GREATEST(refilled_at, %(now)s)
 WHERE id = %(id)s
   AND LEAST(%(burst)s, COALESCE(tokens + GREATEST(0, EXTRACT(EPOCH FROM (%(now)s - refilled_at))) * %(rate)s,
                                 %(burst)s)) >= 1
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What a signal did to the circuit: ``opened``, ``closed`` or neither."""

    circuit: Circuit
    opened: bool = False
    closed: bool = False


def circuit_of(*, workspace: Workspace, mode: str, provider: str, model: str, now: datetime) -> Circuit:
    """The circuit that a request to this model passes, made when it is the first."""
    key = throttle_key(workspace=workspace, mode=mode, provider=provider)
    throttle = Throttle.objects.filter(**key).first()
    if throttle is None:
        limits = limits_in_force(at=now).of_account(provider, workspace=workspace.pk)
        fresh = {"tokens": float(limits.burst), "refilled_at": now, "used_at": now}
        throttle, _ = Throttle.objects.get_or_create(**key, defaults=fresh)
    circuit, _ = Circuit.objects.get_or_create(
        throttle=throttle, model=model, defaults={"workspace_id": throttle.workspace_id, "state_changed_at": now}
    )
    return circuit


def take_place(*, circuit: Circuit, holder: UUID, in_flight: Callable[[str], int], now: datetime) -> Wait | None:
    """Let one request through, or say what it waits for; runs in the caller's unit of work.

    ``in_flight`` counts the account's tasks in flight from their own rows, those of one model when it is named. It is
    asked while the account is locked, and the caller commits the new task in the same transaction: a place is never
    given twice, and that of a process that died comes back with its task, because there is no counter that could be
    wrong. The limits are read here, so an operator's revision counts from the next place on.
    """
    fresh = _locked(circuit)
    book = limits_in_force(at=now)
    limits = book.of_account(fresh.throttle.provider, workspace=fresh.workspace_id)
    own = book.of_model(fresh.throttle.provider, fresh.model, workspace=fresh.workspace_id)
    waits = wait_of(fresh, now=now, book=book)
    if waits is not None:
        return waits
    if in_flight("") >= limits.parallel:
        return Wait(WaitReason.PARALLEL, None, f"at most {limits.parallel} clips are made there at once")
    if own.parallel and in_flight(fresh.model) >= own.parallel:
        return Wait(WaitReason.PARALLEL, None, f"at most {own.parallel} clips are made by this model at once")
    if fresh.state == CircuitState.OPEN and not may_probe(fresh, now=now):
        return Wait(WaitReason.CIRCUIT, fresh.retry_at, fresh.cause)
    if own.per_minute and not _take(TAKE_OF_MODEL, own, fresh.pk, now):
        return Wait(WaitReason.RATE, now + timedelta(seconds=60 / own.per_minute), "the model's rate is used up")
    if not _take(TAKE, limits, fresh.throttle_id, now):
        if own.per_minute:
            Circuit.objects.filter(pk=fresh.pk).update(tokens=F("tokens") + 1)  # both or neither
        return Wait(WaitReason.RATE, now + timedelta(seconds=60 / limits.per_minute), "the account's rate is used up")
    if fresh.state != CircuitState.CLOSED:
        _send_probe(fresh, holder, now)
    return None


def _take(statement: str, limits: TrafficLimits, row: UUID, now: datetime) -> bool:
    """Take a token by one conditional UPDATE."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"burst": limits.burst, "rate": limits.per_minute / 60, "now": now, "id": row})
        return cursor.rowcount == 1


def _send_probe(circuit: Circuit, holder: UUID, now: datetime) -> None:
    """Mark this request as the one that finds out; a probe whose process died is replaced by the next request."""
    until = now + PROBE_LEASE
    if circuit.state == CircuitState.OPEN:
        CIRCUIT.apply(circuit, "probe", actor=SYSTEM, now=now, probe=holder, probe_until=until)
    else:
        Circuit.objects.filter(pk=circuit.pk, state=CircuitState.HALF_OPEN).update(probe=holder, probe_until=until)


def _locked(circuit: Circuit) -> Circuit:
    """Lock the account, then the model, and read both again."""
    lock_rows(Throttle.objects.filter(pk=circuit.throttle_id), LockRank.GATE)
    lock_rows(Circuit.objects.filter(pk=circuit.pk), LockRank.GATE)
    return Circuit.objects.select_related("throttle", "throttle__account").get(pk=circuit.pk)


@retry_conflicts
def note_signal(
    *,
    circuit: Circuit,
    call: str,
    now: datetime,
    holder: UUID | None = None,
    kind: str = "",
    message: str = "",
    seconds: float | None = None,
    retry_after_s: float | None = None,
) -> Change:
    """Keep what a call told and move the circuit by it, in a transaction of its own.

    ``kind`` is the error's kind, empty when the call went well. ``holder`` is who took the place: only the probe's own
    result closes a half-open circuit, and only its failure opens it again.
    """
    verdict = verdict_of(kind)
    with unit_of_work():
        fresh = _locked(circuit)
        Signal.objects.create(
            workspace_id=fresh.workspace_id,
            throttle_id=fresh.throttle_id,
            model=fresh.model,
            at=now,
            call=call,
            kind=kind,
            verdict=verdict,
            seconds=seconds,
            message=message[:300],
        )
        if call == Signal.Call.TASK and verdict is Verdict.WELL and not kind and seconds is not None:
            _measure(fresh)
        _throttle(fresh, verdict, call, retry_after_s, now)
        return _judge(fresh, verdict, call, holder, kind, message, now)


def _throttle(circuit: Circuit, verdict: Verdict, call: str, retry_after_s: float | None, now: datetime) -> None:
    """A vendor that is busy is left alone for as long as it asks, else for a growing, spread while."""
    rows = Throttle.objects.filter(pk=circuit.throttle_id)
    if verdict is Verdict.SATURATED:
        ceiling = min(LONGEST_BLOCK_S, 2.0 * 2 ** min(circuit.throttle.strain, 6))
        wait = retry_after_s if retry_after_s is not None else random.uniform(ceiling / 2, ceiling)
        rows.update(blocked_until=now + timedelta(seconds=wait), strain=min(circuit.throttle.strain + 1, 1000))
    elif call == Signal.Call.SUBMIT and verdict is Verdict.WELL:
        rows.update(strain=0, blocked_until=None)


def _judge(
    circuit: Circuit, verdict: Verdict, call: str, holder: UUID | None, kind: str, message: str, now: datetime
) -> Change:
    if circuit.state == CircuitState.HALF_OPEN:
        is_probe = holder is not None and holder == circuit.probe
        return _judge_probe(circuit, verdict, call, kind, message, now) if is_probe else Change(circuit)
    if circuit.state == CircuitState.CLOSED:
        if verdict is Verdict.ACCOUNT:
            return _open(circuit, kind, message, now)
        judged = call in (Signal.Call.SUBMIT, Signal.Call.TASK)
        if judged and verdict is Verdict.SICK and _fails_too_often(circuit, now):
            return _open(circuit, kind, message, now)
    return Change(circuit)


def _judge_probe(circuit: Circuit, verdict: Verdict, call: str, kind: str, message: str, now: datetime) -> Change:
    """A vendor that accepts and then fails everything is not well: only the probe's own result closes the circuit.

    Its acceptance gives it the time that a task takes. An answer that proves neither, such as a refused input or
    "too many", leaves the finding out to the next request.
    """
    if call not in (Signal.Call.SUBMIT, Signal.Call.TASK):
        return Change(circuit)
    if verdict in (Verdict.SICK, Verdict.ACCOUNT):
        return _open(circuit, kind, message, now)
    rows = Circuit.objects.filter(pk=circuit.pk, state=CircuitState.HALF_OPEN, probe=circuit.probe)
    if kind:
        rows.update(probe_until=now)
    elif call == Signal.Call.SUBMIT:
        rows.update(probe_until=now + _probe_time(circuit))
    else:
        CIRCUIT.apply(
            circuit, "heal", actor=SYSTEM, now=now, reason="the vendor makes work again", opens=0, retry_at=None,
            probe=None, probe_until=None, cause="", cause_kind="",
        )  # fmt: skip
        return Change(circuit, closed=True)
    return Change(circuit)


def _probe_time(circuit: Circuit) -> timedelta:
    """How long an accepted probe may be silent: well over what tasks take, by measure, else by the model's card."""
    usual_s = circuit.late_s
    if usual_s is None:
        try:
            usual_s = 2 * USUAL_CLIP_S * get_card(circuit.model).speed_s_per_s
        except UnknownModel:
            usual_s = LONGEST_PROBE.total_seconds()
    return min(LONGEST_PROBE, max(PROBE_LEASE, timedelta(seconds=3 * usual_s)))


@retry_conflicts
def free_probe(*, circuit: Circuit, holder: UUID, now: datetime) -> None:
    """The probe ended without telling anything about the vendor, called off by us: the next request finds out."""
    rows = Circuit.objects.filter(pk=circuit.pk, state=CircuitState.HALF_OPEN, probe=holder, probe_until__gt=now)
    rows.update(probe_until=now)


def _fails_too_often(circuit: Circuit, now: datetime) -> bool:
    """Judge the newest verdicts since the circuit last closed. Saturated ones are neither good nor bad, and neither is
    an accepted task: a vendor that accepts and then fails everything would look half well for ever.
    """
    since = max(now - WINDOW, circuit.state_changed_at)
    rows = Signal.objects.filter(throttle_id=circuit.throttle_id, model=circuit.model, at__gte=since)
    rows = rows.filter(call__in=(Signal.Call.SUBMIT, Signal.Call.TASK)).exclude(call=Signal.Call.SUBMIT, kind="")
    newest = list(rows.exclude(verdict=Verdict.SATURATED).order_by("-at", "-id").values_list("verdict", flat=True))[
        :WINDOW_CALLS
    ]
    failed = newest.count(Verdict.SICK)
    return failed >= LEAST_FAILURES and failed >= FAILED_SHARE * len(newest)


def _open(circuit: Circuit, kind: str, message: str, now: datetime) -> Change:
    """Open for a while that doubles with each opening in a row, spread so that probes of many accounts do not bunch."""
    ceiling = min(LONGEST_OPEN_S, settings.GE_CIRCUIT_OPEN_S * 2 ** min(circuit.opens, 8))
    seconds = LONGEST_OPEN_S if kind in PERSON_ACTS else random.uniform(0.8, 1.2) * ceiling
    CIRCUIT.apply(
        circuit, "trip", actor=SYSTEM, now=now, reason=message[:300], data={"kind": kind, "wait_s": round(seconds, 1)},
        opens=min(circuit.opens + 1, 1000), retry_at=now + timedelta(seconds=seconds), probe=None, probe_until=None,
        cause=message[:300], cause_kind=kind,
    )  # fmt: skip
    return Change(circuit, opened=True)


def _measure(circuit: Circuit) -> None:
    """Store the percentiles of the newest durations."""
    rows = Signal.objects.filter(
        throttle_id=circuit.throttle_id, model=circuit.model, call=Signal.Call.TASK, kind="", seconds__isnull=False
    )
    seconds = sorted(float(s or 0) for s in rows.order_by("-at").values_list("seconds", flat=True)[:PACE_SAMPLES])
    if seconds:
        early, usual, late, p95 = (seconds[min(len(seconds) - 1, int(q * len(seconds)))] for q in PERCENTILES)
        Circuit.objects.filter(pk=circuit.pk).update(
            early_s=early, usual_s=usual, late_s=late, p95_s=p95, measured=len(seconds)
        )


def forget_signals(now: datetime, *, keep: timedelta = timedelta(days=7)) -> int:
    """Drop signals older than a week; the openings stay in the event log."""
    return Signal.objects.filter(at__lt=now - keep).delete()[0]
