"""When a branch's takes are all here, its masters are queued; when a take changes, they are made again."""

import hashlib
import json
from datetime import datetime

from genengine.core.actors import SYSTEM
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan, Master
from jobs.execution.queue import COMPOSE, MEDIA, enqueue
from jobs.execution.states import ATTEMPT_OPEN, MASTER, ClipState, MasterState
from jobs.plan import Plan

IN_MOTION = frozenset(
    {ClipState.PLANNED, ClipState.QUEUED, ClipState.PAUSED, ClipState.HELD, ClipState.GENERATING, ClipState.CHECKING}
)
NOT_COMPOSED = ("clips", "branches", "notes", "engine_policy")
LEAST_CLIPS = 2  # a partial ad needs at least two scenes (seed C)


def queue_ready_masters(*, branch: Branch, job: Job, now: datetime) -> None:
    """Queue the composition of every master of `branch` whose inputs are complete and not yet composed."""
    if branch.cancelled or job.cancelled:
        return
    clips = list(Clip.objects.filter(branch=branch).select_related("selected_take__blob").order_by("position"))
    if not is_composable(clips) or _being_repaired(clips):
        return
    newest = JobPlan.objects.filter(job=job).latest("number")
    look = next((b.look for b in newest.plan.branches if b.key == branch.key), "")
    digest = inputs_digest(clips, newest.plan, look)
    for master in Master.objects.filter(branch=branch):
        _queue_one(master, digest, newest.number, now)


def is_composable(clips: list[Clip]) -> bool:
    """Say whether nothing of the branch is under way and enough of it is ready."""
    if any(clip.state in IN_MOTION for clip in clips):
        return False
    ready = [clip for clip in clips if clip.state == ClipState.READY and clip.selected_take_id]
    return len(ready) == len(clips) or len(ready) >= LEAST_CLIPS


def inputs_digest(clips: list[Clip], plan: Plan, look: str) -> str:
    """Return the SHA-256 of what a master is made from: the selected takes in order and what the plan says of the
    composition, the branch's look included. Prompts and models are not part of it: they reach a master by its takes."""
    takes = [c.selected_take.blob.sha256 if c.selected_take and c.state == ClipState.READY else "" for c in clips]
    composition = {k: v for k, v in plan.to_dict().items() if k not in NOT_COMPOSED}
    if not composition["brand"]["other_logo_asset_id"]:
        del composition["brand"]["other_logo_asset_id"]  # so that masters made before there was one are not outdated
    composition["scenes"] = [{k: v for k, v in s.items() if k != "reference_images"} for s in composition["scenes"]]
    inputs = [composition, takes, *([look] if look else [])]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _queue_one(master: Master, digest: str, plan_number: int, now: datetime) -> None:
    """Bring one master to pending for `digest`, whatever it was made from before."""
    if master.inputs_digest == digest and master.state != MasterState.STALE:
        return
    if MASTER.allows("outdate", master.state):
        MASTER.apply(master, "outdate", actor=SYSTEM, now=now, reason="a take or the plan changed")
    if MASTER.allows("renew", master.state):
        MASTER.apply(master, "renew", actor=SYSTEM, now=now)
    Master.objects.filter(pk=master.pk).update(
        inputs_digest=digest,
        plan_number=plan_number,
        tries=0,
        failure=None,
        progress=None,
        lease_owner="",
        lease_until=None,
    )
    enqueue(COMPOSE, master.pk, cluster=MEDIA)


def _being_repaired(clips: list[Clip]) -> bool:
    waiting = [c.pk for c in clips if c.state == ClipState.NEEDS_ATTENTION]
    return Attempt.objects.filter(clip__in=waiting, fallback=True, state__in=ATTEMPT_OPEN).exists()
