"""When a job should be done, from what its clips still need and what they wait for."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from jobs.execution.line import Place, places
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan, Master
from jobs.execution.states import ATTEMPT_OPEN, ClipState, MasterState
from jobs.plan import Plan

COMPOSE_S_PER_S = 1.2  # seconds of composing for one second of film, until this installation has its own figure
LEAST_LEFT_S = 2.0
OVER = (ClipState.READY, ClipState.FAILED, ClipState.CANCELLED)


def expected_end(*, job: Job, now: datetime) -> datetime:
    """Return when a running job should be done, read from its rows."""
    clips = list(Clip.objects.filter(job=job))
    keys = dict(Branch.objects.filter(job=job).values_list("pk", "key"))
    plan = JobPlan.objects.filter(job=job).latest("number").plan
    opened = Attempt.objects.filter(job=job, state__in=ATTEMPT_OPEN).values_list("clip_id", "created_at")
    waits = places(clips=clips, workspace=job.workspace_id, mode=job.mode, now=now)
    pending = Master.objects.filter(job=job).exclude(state__in=(MasterState.READY, MasterState.CANCELLED))
    composing = list(pending.values_list("branch_id", flat=True))
    longest = 0.0
    for branch_id, key in keys.items():
        mine = [c for c in clips if c.branch_id == branch_id]
        seconds = branch_seconds(mine, key, plan, dict(opened), waits, now)
        longest = max(longest, seconds + composing.count(branch_id) * compose_seconds(plan))
    return now + timedelta(seconds=longest)


def branch_seconds(
    clips: list[Clip],
    key: str,
    plan: Plan,
    opened: Mapping[UUID, datetime],
    waits: Mapping[UUID, Place],
    now: datetime,
) -> float:
    """Return the seconds until the last clip of a branch is here: its wait, then its planned time less what is used."""
    longest = 0.0
    for clip in clips:
        if clip.state in OVER:
            continue
        expected = float(plan.clip(clip.scene_key, key).expected_s)
        started = opened.get(clip.pk)
        left = max(LEAST_LEFT_S, expected - (now - started).total_seconds()) if started else expected
        if clip.pk in waits:
            left += waits[clip.pk].wait_s
        longest = max(longest, left)
    return longest


def compose_seconds(plan: Plan) -> float:
    """Return about how long one master of this plan takes to compose."""
    return COMPOSE_S_PER_S * plan.length_ms / 1000
