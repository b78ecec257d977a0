"""The line before each provider: who is next, and how long it takes. Read by the pump, by pages, and by rerouting.

The rows are the line: a queued clip waits where its provider and model say. Nothing else keeps a place, so a place
cannot be lost or held by a process that died.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from genengine.workspaces.models import Mode
from jobs.execution.models import Attempt, Clip
from jobs.execution.states import COMING, AttemptState, ClipState
from providers.catalogue import UnknownModel, get_card
from providers.traffic.limits import LimitBook, is_remote, limits_in_force
from providers.traffic.queries import Passage, passages
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
    models: Mapping[Lane, int] = field(default_factory=dict)


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
    models: dict[Lane, int] = defaultdict(int)
    local = 0
    counted = open_attempts(now).values("workspace_id", "job_id", "job__mode", "provider", "model")
    counted = counted.annotate(n=Count("pk"))
    for row in counted.order_by():
        workspaces[row["workspace_id"]] += row["n"]
        jobs[row["job_id"]] += row["n"]
        accounts[row["workspace_id"], row["job__mode"], row["provider"]] += row["n"]
        models[row["workspace_id"], row["job__mode"], row["provider"], row["model"]] += row["n"]
        local += 0 if is_remote(row["provider"]) else row["n"]
    return InFlight(workspaces, jobs, accounts, local, models)


def queued(now: datetime) -> QuerySet[Clip]:
    """Clips that may start as far as people, and clips that are made for them too, are concerned."""
    rows = Clip.objects.filter(state=ClipState.QUEUED, job__paused=False, job__cancelled=False, branch__paused=False)
    rows = rows.exclude(fresh=False, waits_for__state__in=COMING)
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
    book = limits_in_force(at=now)
    known = passages(workspaces=queued(now).values_list("workspace_id", flat=True).distinct(), now=now, book=book)
    rows = queued(now)
    for (workspace, mode, provider, model), passage in known.items():
        if passage.wait is not None:
            rows = rows.exclude(workspace_id=workspace, job__mode=mode, provider=provider, model=model)
    gate = _Gate(flying, known, book)
    return [one.clip for one in fair_order(read_line(rows, now=now), flying) if gate.lets(one)][:limit]


class _Gate:
    """Counts on from what is in flight while clips are let through."""

    def __init__(self, flying: InFlight, known: Mapping[Lane, Passage], book: LimitBook) -> None:
        self.workspaces = defaultdict(int, flying.workspaces)
        self.jobs = defaultdict(int, flying.jobs)
        self.accounts = defaultdict(int, flying.accounts)
        self.local = flying.local
        self.models = defaultdict(int, flying.models)
        self.tokens = {lane[:3]: passage.tokens for lane, passage in known.items()}
        self.model_tokens = {lane: passage.model_tokens for lane, passage in known.items()}
        self.book = book

    def lets(self, one: Waiting) -> bool:
        account = one.lane[:3]
        if self.workspaces[one.workspace] >= one.most or self.jobs[one.job] >= settings.GE_JOB_PARALLEL:
            return False
        if is_remote(one.provider):
            if not self._has_place(one):
                return False
        elif self.local >= settings.GE_LOCAL_PARALLEL:
            return False
        else:
            self.local += 1
        self.workspaces[one.workspace] += 1
        self.jobs[one.job] += 1
        self.accounts[account] += 1
        self.models[one.lane] += 1
        return True

    def _has_place(self, one: Waiting) -> bool:
        """Take a place at the account and one at the model, or neither."""
        account = one.lane[:3]
        limits = self.book.of_account(one.provider, workspace=one.workspace)
        own = self.book.of_model(one.provider, one.model, workspace=one.workspace)
        tokens = self.tokens.get(account, float(limits.burst))
        of_model = self.model_tokens.get(one.lane, float(own.burst) if own.per_minute else inf)
        if self.accounts[account] >= limits.parallel or tokens < 1:
            return False
        if of_model < 1 or (own.parallel and self.models[one.lane] >= own.parallel):
            return False
        self.tokens[account], self.model_tokens[one.lane] = tokens - 1, of_model - 1
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
    book = limits_in_force(at=now)
    known = passages(workspaces=[workspace], now=now, book=book)
    flying, numbers = in_flight(now), Numbers()
    found = {}
    for one in fair_order(read_line(rows, now=now), flying):
        number = numbers.next(one)
        if one.clip in wanted:
            passage = known.get(one.lane)
            wait = estimate_s(one, number, flying, passage, book, now)
            found[one.clip] = Place(number[0], wait, one.provider, passage.wait if passage else None)
    return found


class Numbers:
    """Counts those who wait before an account, and those of them that wait for the same model."""

    def __init__(self) -> None:
        self._counts: dict[Lane | str | tuple[UUID, str, str], int] = defaultdict(int)

    def next(self, one: Waiting) -> tuple[int, int]:
        """The number of the next in the line of its account (of all, at the local engine), and in its model's."""
        line = one.lane[:3] if is_remote(one.provider) else one.provider
        self._counts[line] += 1
        self._counts[one.lane] += 1
        return self._counts[line], self._counts[one.lane]


def estimate_s(
    one: Waiting, number: tuple[int, int], flying: InFlight, passage: Passage | None, book: LimitBook, now: datetime
) -> float:
    """Return about how long a clip at this place, among its account's and its model's, waits in seconds."""
    if is_remote(one.provider):
        parallel = book.of_account(one.provider, workspace=one.workspace).parallel
        rounds = _rounds(number[0], flying.accounts.get(one.lane[:3], 0), parallel)
        own = book.of_model(one.provider, one.model, workspace=one.workspace)
        if own.parallel:
            rounds = max(rounds, _rounds(number[1], flying.models.get(one.lane, 0), own.parallel))
    else:
        rounds = _rounds(number[0], flying.local, settings.GE_LOCAL_PARALLEL)
    usual = usual_seconds(one.model, one.mode, passage)
    shut = passage.wait.until if passage and passage.wait and passage.wait.reason is not WaitReason.RATE else None
    return rounds * usual + (max(0.0, (shut - now).total_seconds()) if shut else 0.0)


def _rounds(number: int, running: int, parallel: int) -> float:
    return max(0, number - max(0, parallel - running)) / parallel


def usual_seconds(model: str, mode: str, passage: Passage | None) -> float:
    """Return how long a clip of this model takes: measured, else by its card."""
    if passage is not None and passage.usual_s is not None:
        return passage.usual_s
    try:
        seconds = get_card(model).speed_s_per_s * USUAL_CLIP_S
    except UnknownModel:
        seconds = USUAL_CLIP_S
    return seconds / settings.GE_EMULATOR_SPEED if mode == Mode.SIMULATED else seconds
