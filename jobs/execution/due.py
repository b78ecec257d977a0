"""What is due: the pump's questions to the state tables. Claiming is rescheduling, so a dead pump's rows come again."""

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q

from billing.caps.models import Cap
from genengine.workspaces.models import Mode
from jobs.execution.models import Attempt, Clip, Master
from jobs.execution.services.dispatching import LOCAL
from jobs.execution.states import AttemptState, ClipState, MasterState

FORGOTTEN_AFTER = timedelta(seconds=20)
IN_FLIGHT = (AttemptState.INTENT, AttemptState.SUBMITTED, AttemptState.UNKNOWN)


def claim_polls(*, now: datetime, limit: int) -> list[UUID]:
    """Take attempts whose poll is due and move their next poll on, in one short transaction."""
    with transaction.atomic():
        rows = (
            Attempt.objects.filter(next_poll_at__lte=now, state__in=(AttemptState.SUBMITTED, AttemptState.UNKNOWN))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_poll_at")
        )
        found = list(rows.values_list("pk", "job__mode")[:limit])
        for mode in {mode for _, mode in found}:
            due = Attempt.objects.filter(pk__in=[pk for pk, of in found if of == mode])
            due.update(next_poll_at=now + poll_interval(mode), polls=F("polls") + 1)
    return [pk for pk, _ in found]


def poll_interval(mode: str) -> timedelta:
    """Return the time to the next poll, spread by a tenth so that polls do not bunch."""
    seconds = settings.GE_SIMULATED_POLL_INTERVAL_S if mode == Mode.SIMULATED else settings.GE_POLL_INTERVAL_S
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))


def dispatchable(*, now: datetime, limit: int) -> list[UUID]:
    """Return queued clips that may start, one workspace after the other, inside their concurrency."""
    queued = (
        Clip.objects.filter(state=ClipState.QUEUED, job__paused=False, job__cancelled=False, branch__paused=False)
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
        .order_by("job__created_at", "position", "branch__position")
        .values_list("pk", "workspace_id", "branch__provider", "workspace__parallel_generations")[: limit * 20]
    )
    running: dict[UUID, int] = defaultdict(int)
    by_provider: dict[tuple[UUID, str], int] = defaultdict(int)
    counts = Attempt.objects.filter(state__in=IN_FLIGHT).values("workspace_id", "provider").annotate(n=Count("pk"))
    for row in counts:
        running[row["workspace_id"]] += row["n"]
        by_provider[row["workspace_id"], row["provider"]] += row["n"]
    local = sum(n for (_, provider), n in by_provider.items() if provider == LOCAL)
    lanes: dict[UUID, list[UUID]] = defaultdict(list)
    for clip, workspace, provider, most in queued:
        if running[workspace] >= most:
            continue
        if provider == LOCAL:
            if local >= settings.GE_LOCAL_PARALLEL:
                continue
            local += 1
        elif by_provider[workspace, provider] >= settings.GE_PROVIDER_PARALLEL:
            continue
        running[workspace] += 1
        by_provider[workspace, provider] += 1
        lanes[workspace].append(clip)
    return list(_round_robin(lanes.values()))[:limit]


def _round_robin(lanes: Iterable[list[UUID]]) -> Iterable[UUID]:
    """Yield one of each lane in turn, so that a large workspace does not starve a small one."""
    waiting = [list(lane) for lane in lanes]
    while waiting:
        for lane in waiting:
            yield lane.pop(0)
        waiting = [lane for lane in waiting if lane]


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
