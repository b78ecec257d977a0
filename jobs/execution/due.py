"""What is due: the pump's questions to the state tables. Claiming is rescheduling, so a dead pump's rows come again."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from billing.caps.models import Cap
from genengine.workspaces.models import Mode
from jobs.execution.line import startable
from jobs.execution.models import Attempt, Clip, Master
from jobs.execution.pace import next_poll_s
from jobs.execution.states import AttemptState, ClipState, MasterState
from providers.catalogue import get_card, remote_class
from providers.values import Feature

FORGOTTEN_AFTER = timedelta(seconds=20)
MOVE_ON = """
UPDATE jobs_attempt SET next_poll_at = due.moment, polls = polls + 1
  FROM unnest(%s::uuid[], %s::timestamptz[]) AS due (id, moment)
 WHERE jobs_attempt.id = due.id
"""
POLLED = (AttemptState.SUBMITTED, AttemptState.UNKNOWN, AttemptState.PRESUMED_SPENT)


def claim_polls(*, now: datetime, limit: int) -> list[Attempt]:
    """Take attempts whose poll is due and move their next poll on, in one short transaction.

    They come with all that a poll needs: most answers are "still running", and cost no further query.
    """
    with transaction.atomic():
        rows = (
            Attempt.objects.filter(next_poll_at__lte=now, state__in=POLLED)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("workspace", "job", "circuit__throttle__account")
            .order_by("next_poll_at")
        )
        found = list(rows[:limit])
        if found:
            moments = [now + poll_interval(attempt, now=now) for attempt in found]
            with connection.cursor() as cursor:
                cursor.execute(MOVE_ON, [[attempt.pk for attempt in found], moments])
    for attempt in found:
        attempt.polls += 1
    return found


def poll_interval(attempt: Attempt, *, now: datetime) -> timedelta:
    """Return the time to the attempt's next poll by what its model was measured to take, spread by a tenth."""
    base = settings.GE_SIMULATED_POLL_INTERVAL_S
    if attempt.job.mode != Mode.SIMULATED:
        base = max(settings.GE_POLL_INTERVAL_S, remote_class(attempt.provider).poll_interval.total_seconds())
    seconds = float(base)
    if attempt.circuit is not None and attempt.state in (AttemptState.INTENT, AttemptState.SUBMITTED):
        seconds = next_poll_s(
            base_s=float(base),
            age_s=(now - attempt.submitted_at).total_seconds() if attempt.submitted_at else 0.0,
            early_s=attempt.circuit.early_s,
            late_s=attempt.circuit.late_s,
            measured=attempt.circuit.measured,
            tells_progress=Feature.PROGRESS in get_card(attempt.model).supports,
        )
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))


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


def affordable_clips(*, limit: int) -> list[Clip]:
    """Return held clips whose job's caps have room again."""
    with_room = Cap.objects.filter(limit_micro__gt=F("held_micro") + F("spent_micro"), scope="job")
    jobs = [UUID(pk) for pk in with_room.values_list("scope_id", flat=True)[:500]]
    return list(Clip.objects.filter(state=ClipState.HELD, job_id__in=jobs).order_by("position")[:limit])
