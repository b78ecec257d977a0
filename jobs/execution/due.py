"""What is due: the pump's questions to the state tables. Claiming is rescheduling, so a dead pump's rows come again."""

import json
import random
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from genengine.workspaces.models import Mode
from jobs.execution.line import startable
from jobs.execution.models import Attempt, Master
from jobs.execution.pace import next_poll_s
from jobs.execution.polling import POLLED, DuePoll
from jobs.execution.states import COMING, AttemptState, MasterState
from providers.catalogue import get_card, remote_class
from providers.credentials.models import ProviderAccount
from providers.values import Feature

FORGOTTEN_AFTER = timedelta(seconds=20)
ON_TIME = 0.25  # a poll late by less than this share of its interval keeps its place in time
WHEN = """
SELECT next_poll_at FROM jobs_attempt
 WHERE next_poll_at IS NOT NULL AND state = ANY(%(states)s) ORDER BY next_poll_at LIMIT 1
"""
CLAIM = """
SELECT attempt.id, attempt.workspace_id, job.mode, attempt.provider, attempt.model, attempt.state,
       attempt.request ->> 'task', attempt.remote_id, attempt.details::text, attempt.correlation_id,
       attempt.polls + 1, COALESCE(attempt.progress, 0), throttle.account_id,
       attempt.next_poll_at, attempt.submitted_at, circuit.early_s, circuit.late_s, COALESCE(circuit.measured, 0)
  FROM jobs_attempt attempt
  JOIN jobs_job job ON job.id = attempt.job_id
  LEFT JOIN providers_circuit circuit ON circuit.id = attempt.circuit_id
  LEFT JOIN providers_throttle throttle ON throttle.id = circuit.throttle_id
 WHERE attempt.next_poll_at <= %(now)s AND attempt.state = ANY(%(states)s) AND attempt.provider <> ALL(%(full)s)
 ORDER BY attempt.next_poll_at LIMIT %(limit)s
   FOR UPDATE OF attempt SKIP LOCKED
"""
MOVE_ON = """
UPDATE jobs_attempt SET next_poll_at = due.moment, polls = polls + 1
  FROM unnest(%s::uuid[], %s::timestamptz[]) AS due (id, moment)
 WHERE jobs_attempt.id = due.id
"""
STATES = [state.value for state in POLLED]
LINE = """
SELECT min(COALESCE(clip.not_before, %(now)s)) FROM jobs_clip clip
  JOIN jobs_job job ON job.id = clip.job_id JOIN jobs_branch branch ON branch.id = clip.branch_id
  LEFT JOIN jobs_clip shared ON shared.id = clip.waits_for_id AND NOT clip.fresh
 WHERE clip.state = 'queued' AND NOT job.paused AND NOT job.cancelled AND NOT branch.paused
   AND (shared.id IS NULL OR shared.state <> ALL(%(coming)s))
"""


def next_poll_at() -> datetime | None:
    """Return the moment at which the next poll is due; nothing when no attempt waits for one."""
    with connection.cursor() as cursor:
        cursor.execute(WHEN, {"states": STATES})
        row = cursor.fetchone()
    return row[0] if row else None


def claim_polls(*, now: datetime, limit: int, full: Collection[str] = ()) -> list[DuePoll]:
    """Take attempts whose poll is due and move their next poll on, in one short transaction.

    They come with all that asking needs, read by one statement. Providers in ``full`` are left for later.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, {"now": now, "states": STATES, "full": list(full), "limit": limit})
        rows = cursor.fetchall()
        if rows:
            moments = (_moment(row, now).isoformat() for row in rows)
            cursor.execute(MOVE_ON, [_array(str(row[0]) for row in rows), _array(moments)])
    accounts = ProviderAccount.objects.in_bulk({row[12] for row in rows if row[12] is not None and row[2] == Mode.LIVE})
    return [_due_poll(row, accounts.get(row[12])) for row in rows]


def _array(values: Iterable[str]) -> str:
    """An array as PostgreSQL spells it: psycopg would quote item by item, at the cost of half the claim."""
    return f"{{{','.join(values)}}}"


def _due_poll(row: tuple[Any, ...], account: ProviderAccount | None) -> DuePoll:
    attempt, workspace, mode, provider, model, state, task, remote_id, details, correlation, polls, progress = row[:12]
    return DuePoll(
        attempt, workspace, mode, provider, model, state, task, remote_id, json.loads(details), correlation, polls,
        progress, account,
    )  # fmt: skip


def _moment(row: tuple[Any, ...], now: datetime) -> datetime:
    """Return when a claimed attempt is asked after next.

    One that is asked about in time keeps its place, an interval after the moment that was planned: attempts stay as
    spread as they were accepted, and no lateness adds up. After a pause of the pump they would all come at once again
    and again: late ones are spread anew.
    """
    model, provider, mode, state = row[4], row[3], row[2], row[5]
    planned, accepted, early_s, late_s, measured = row[13:18]
    age_s = (now - accepted).total_seconds() if accepted else 0.0
    interval = _interval_s(provider, model, mode, state, age_s=age_s, early_s=early_s, late_s=late_s, measured=measured)
    if (now - planned).total_seconds() <= ON_TIME * interval:
        return planned + timedelta(seconds=interval)
    return now + timedelta(seconds=_spread(interval))


def poll_interval(attempt: Attempt, *, now: datetime) -> timedelta:
    """Return the time to the first poll of an attempt that is accepted now, by what its model was measured to take."""
    circuit = attempt.circuit
    seconds = _interval_s(
        attempt.provider, attempt.model, attempt.job.mode, attempt.state,
        age_s=(now - attempt.submitted_at).total_seconds() if attempt.submitted_at else 0.0,
        early_s=circuit.early_s if circuit else None, late_s=circuit.late_s if circuit else None,
        measured=circuit.measured if circuit else 0,
    )  # fmt: skip
    return timedelta(seconds=_spread(seconds))


def _spread(seconds: float) -> float:
    """Spread downwards only: nobody is asked after more rarely than the setting says."""
    return seconds * random.uniform(0.9, 1.0)


def _interval_s(
    provider: str, model: str, mode: str, state: str, *,
    age_s: float, early_s: float | None, late_s: float | None, measured: int,
) -> float:  # fmt: skip
    base = settings.GE_SIMULATED_POLL_INTERVAL_S
    if mode != Mode.SIMULATED:
        base = max(settings.GE_POLL_INTERVAL_S, remote_class(provider).poll_interval.total_seconds())
    if state not in (AttemptState.INTENT, AttemptState.SUBMITTED):
        return float(base)
    return next_poll_s(
        base_s=float(base), age_s=age_s, early_s=early_s, late_s=late_s, measured=measured,
        tells_progress=Feature.PROGRESS in get_card(model).supports,
    )  # fmt: skip


def next_start_at(*, now: datetime) -> datetime | None:
    """Return when the first queued clip may start as far as people and its own pause are concerned."""
    with connection.cursor() as cursor:
        cursor.execute(LINE, {"now": now, "coming": [state.value for state in COMING]})
        row = cursor.fetchone()
    return row[0] if row else None


def dispatchable(*, now: datetime, limit: int) -> list[UUID]:
    """Return queued clips that may start: in the order of the line, inside the limits of vendor, workspace and job."""
    return startable(now=now, limit=limit)


def dead_attempts(*, now: datetime, limit: int) -> list[UUID]:
    """Return attempts whose holder stopped renewing."""
    states = (AttemptState.INTENT, AttemptState.SUCCEEDED)
    rows = Attempt.objects.filter(lease_until__lt=now, state__in=states).order_by("lease_until")
    return list(rows.values_list("pk", flat=True)[:limit])


def dead_masters(*, now: datetime, limit: int) -> list[UUID]:
    """Return masters whose maker stopped renewing."""
    states = (MasterState.COMPOSING, MasterState.CHECKING)
    rows = Master.objects.filter(lease_until__lt=now, state__in=states)
    return list(rows.values_list("pk", flat=True)[:limit])


def forgotten_masters(*, now: datetime, limit: int) -> list[UUID]:
    """Return masters that wait to be composed although nobody began in time: their task was lost."""
    late = now - FORGOTTEN_AFTER
    rows = Master.objects.filter(state=MasterState.PENDING, state_changed_at__lt=late).exclude(inputs_digest="")
    rows = rows.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=late))
    return list(rows.values_list("pk", flat=True)[:limit])
