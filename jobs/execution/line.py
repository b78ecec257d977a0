"""The line before each provider: who is next, and how long it takes. Read by the pump, by pages, and by rerouting.

The rows are the line: a queued clip waits where its provider and model say. Nothing else keeps a place, so a place
cannot be lost or held by a process that died.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from genengine.workspaces.models import Mode
from jobs.execution.models import Attempt, Clip
from jobs.execution.states import AttemptState, ClipState
from providers.catalogue import UnknownModel, get_card
from providers.traffic.queries import Passage, is_remote, limits_of, passages
from providers.traffic.types import Wait, WaitReason

FORGOTTEN_TASK = timedelta(minutes=5)  # a task whose answer was lost is not counted for longer
URGENT = timedelta(minutes=30)  # a deadline nearer than this goes first in its workspace
MOST_READ = 1000
USUAL_CLIP_S = 5.0

Lane = tuple[UUID, str, str, str]  # workspace, mode, provider, model


@dataclass(frozen=True)
class Waiting:
    """A queued clip and where it waits."""

    clip: UUID
    workspace: UUID
    job: UUID
    mode: str
    provider: str
    model: str
    urgent: bool
    created_at: datetime
    position: int
    most: int  # clips of the workspace at once

    @property
    def lane(self) -> Lane:
        """The model at the workspace's account that it waits for."""
        return self.workspace, self.mode, self.provider, self.model


@dataclass(frozen=True)
class InFlight:
    """How much is being made now, counted from the attempts themselves."""

    workspaces: Mapping[UUID, int]
    jobs: Mapping[UUID, int]
    accounts: Mapping[tuple[UUID, str, str], int]  # workspace, mode, provider
    local: int


@dataclass(frozen=True)
class Place:
    """A clip's place before a provider: 1 is next. ``wait_s`` is an estimate in seconds; ``blocked`` says why nobody
    moves, if so."""

    number: int
    wait_s: float
    provider: str
    blocked: Wait | None


def open_attempts(now: datetime) -> QuerySet[Attempt]:
    """Attempts that take a place at their provider."""
    lost = Q(state=AttemptState.UNKNOWN, sent_at__gt=now - FORGOTTEN_TASK)
    return Attempt.objects.filter(Q(state__in=(AttemptState.INTENT, AttemptState.SUBMITTED)) | lost)


def in_flight(now: datetime) -> InFlight:
    """Count what is being made, in one query."""
    workspaces: dict[UUID, int] = defaultdict(int)
    jobs: dict[UUID, int] = defaultdict(int)
    accounts: dict[tuple[UUID, str, str], int] = defaultdict(int)
    local = 0
    counted = open_attempts(now).values("workspace_id", "job_id", "job__mode", "provider").annotate(n=Count("pk"))
    for row in counted.order_by():
        workspaces[row["workspace_id"]] += row["n"]
        jobs[row["job_id"]] += row["n"]
        accounts[row["workspace_id"], row["job__mode"], row["provider"]] += row["n"]
        local += 0 if is_remote(row["provider"]) else row["n"]
    return InFlight(workspaces, jobs, accounts, local)


def queued(now: datetime) -> QuerySet[Clip]:
    """Clips that may start as far as people are concerned."""
    rows = Clip.objects.filter(state=ClipState.QUEUED, job__paused=False, job__cancelled=False, branch__paused=False)
    return rows.filter(Q(not_before__isnull=True) | Q(not_before__lte=now))


def read_line(rows: QuerySet[Clip], *, now: datetime, limit: int = MOST_READ) -> list[Waiting]:
    """Read waiting clips, oldest job first."""
    values = rows.order_by("job__created_at", "position", "branch__position").values_list(
        "pk", "workspace_id", "job_id", "job__mode", "provider", "model", "job__deadline_at", "job__created_at",
        "position", "workspace__parallel_generations",
    )  # fmt: skip
    return [
        Waiting(pk, workspace, job, mode, provider, model, _urgent(deadline, now), created, position, most)
        for pk, workspace, job, mode, provider, model, deadline, created, position, most in values[:limit]
    ]


def _urgent(deadline: datetime | None, now: datetime) -> bool:
    return deadline is not None and deadline - now < URGENT


def fair_order(waiting: Iterable[Waiting], flying: InFlight) -> list[Waiting]:
    """Who has least in flight goes first: between workspaces, and between the jobs of one. Pure.

    Each clip is ranked by how many its job, then its workspace, would have in flight with it: taking from the front is
    a round robin that counts what already runs. Urgent jobs go first in their own workspace, never before another's.
    """
    by_job: dict[UUID, list[Waiting]] = defaultdict(list)
    for one in waiting:
        by_job[one.job].append(one)
    by_workspace: dict[UUID, list[tuple[tuple[bool, int, datetime, int], Waiting]]] = defaultdict(list)
    for job, clips in by_job.items():
        for index, one in enumerate(clips):
            rank = (not one.urgent, flying.jobs.get(job, 0) + index, one.created_at, index)
            by_workspace[one.workspace].append((rank, one))
    ranked = []
    for workspace, entries in by_workspace.items():
        entries.sort(key=lambda entry: entry[0])
        for index, (_, one) in enumerate(entries):
            ranked.append((flying.workspaces.get(workspace, 0) + index, one.created_at, index, one))
    ranked.sort(key=lambda entry: entry[:3])
    return [one for *_, one in ranked]


def startable(*, now: datetime, limit: int) -> list[UUID]:
    """Return clips that have a chance to pass, in the order of the line. Taking the place itself is a write."""
    if not queued(now).exists():
        return []  # asked ten times a second: what is in flight need not be counted for nobody
    flying = in_flight(now)
    known = passages(workspaces=queued(now).values_list("workspace_id", flat=True).distinct(), now=now)
    rows = queued(now)
    for (workspace, mode, provider, model), passage in known.items():
        if passage.wait is not None:
            rows = rows.exclude(workspace_id=workspace, job__mode=mode, provider=provider, model=model)
    gate = _Gate(flying, known)
    return [one.clip for one in fair_order(read_line(rows, now=now), flying) if gate.lets(one)][:limit]


class _Gate:
    """Counts on from what is in flight while clips are let through."""

    def __init__(self, flying: InFlight, known: Mapping[Lane, Passage]) -> None:
        self.workspaces = defaultdict(int, flying.workspaces)
        self.jobs = defaultdict(int, flying.jobs)
        self.accounts = defaultdict(int, flying.accounts)
        self.local = flying.local
        self.tokens = {lane[:3]: passage.tokens for lane, passage in known.items()}

    def lets(self, one: Waiting) -> bool:
        account = one.lane[:3]
        if self.workspaces[one.workspace] >= one.most or self.jobs[one.job] >= settings.GE_JOB_PARALLEL:
            return False
        if is_remote(one.provider):
            if self.accounts[account] >= limits_of(one.provider).parallel or self.tokens.get(account, 1) < 1:
                return False
            self.tokens[account] = self.tokens.get(account, float(limits_of(one.provider).burst)) - 1
        elif self.local >= settings.GE_LOCAL_PARALLEL:
            return False
        else:
            self.local += 1
        self.workspaces[one.workspace] += 1
        self.jobs[one.job] += 1
        self.accounts[account] += 1
        return True


def places(*, clips: Iterable[Clip], workspace: UUID, mode: str, now: datetime) -> dict[UUID, Place]:
    """Return the place of each queued clip, counted among all that wait before the same account."""
    wanted = {clip.pk: clip for clip in clips if clip.state == ClipState.QUEUED}
    if not wanted:
        return {}
    providers = {clip.provider for clip in wanted.values()}
    remote = {name for name in providers if is_remote(name)}
    here = Q(workspace_id=workspace, job__mode=mode, provider__in=remote)
    rows = queued(now).filter(here | Q(provider__in=providers - remote))
    known = passages(workspaces=[workspace], now=now)
    flying = in_flight(now)
    counts: dict[str, int] = defaultdict(int)
    found = {}
    for one in fair_order(read_line(rows, now=now), flying):
        counts[one.provider] += 1
        if one.clip in wanted:
            passage = known.get(one.lane)
            wait = estimate_s(one, counts[one.provider], flying, passage, now)
            found[one.clip] = Place(counts[one.provider], wait, one.provider, passage.wait if passage else None)
    return found


def estimate_s(one: Waiting, number: int, flying: InFlight, passage: Passage | None, now: datetime) -> float:
    """Return about how long a clip at this place waits, in seconds."""
    running = flying.accounts.get(one.lane[:3], 0)
    parallel = limits_of(one.provider).parallel
    if not is_remote(one.provider):
        running, parallel = flying.local, settings.GE_LOCAL_PARALLEL
    usual = usual_seconds(one.model, one.mode, passage)
    rounds = max(0, number - max(0, parallel - running)) / parallel
    shut = passage.wait.until if passage and passage.wait and passage.wait.reason is not WaitReason.RATE else None
    return rounds * usual + (max(0.0, (shut - now).total_seconds()) if shut else 0.0)


def usual_seconds(model: str, mode: str, passage: Passage | None) -> float:
    """Return how long a clip of this model takes: measured, else by its card."""
    if passage is not None and passage.usual_s is not None:
        return passage.usual_s
    try:
        seconds = get_card(model).speed_s_per_s * USUAL_CLIP_S
    except UnknownModel:
        seconds = USUAL_CLIP_S
    return seconds / settings.GE_EMULATOR_SPEED if mode == Mode.SIMULATED else seconds
