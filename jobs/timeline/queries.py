"""What the live page and the API show of a job: one read of the rows, in values that need no further query."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from billing.caps.models import Cap
from billing.caps.queries import spend_of_job
from genengine.assets.models import Blob
from genengine.core.events.models import Event
from genengine.core.events.queries import last_sequence
from jobs.execution.expecting import branch_seconds, compose_seconds
from jobs.execution.line import Place, places
from jobs.execution.models import Attempt, Branch, Clip, Job, JobPlan, Master, Take
from jobs.execution.states import ATTEMPT_OPEN, FINAL, AttemptState, ClipState, JobState, MasterState
from jobs.plan import Plan
from jobs.timeline.words import in_line, people_state, say, waits_with


@dataclass(frozen=True)
class Span:
    """A stretch of time on the Gantt: one attempt or one composition."""

    kind: str  # attempt | compose
    label: str
    state: str
    start: datetime
    end: datetime | None  # none while it lasts
    fallback: bool = False


@dataclass(frozen=True)
class TakeView:
    """A take as people see it."""

    id: UUID
    number: int
    kind: str
    blob: Blob
    poster: Blob | None
    width: int
    height: int
    duration_ms: int
    simulated: bool
    selected: bool
    verdict: str


@dataclass(frozen=True)
class ClipRow:
    """One slot of the board."""

    id: UUID
    scene: str
    title: str
    position: int
    state: str
    people: str
    locked: bool
    provider: str
    model: str
    prompt: str
    reason: str
    duration_ms: int
    progress: float | None
    tries: int
    failure: dict[str, str] | None
    spans: tuple[Span, ...]
    takes: tuple[TakeView, ...]
    price_micro: int
    cost_micro: int
    actions: tuple[str, ...]
    step: str
    place: int | None = None  # in the line before its provider, 1 is next
    wait_s: float | None = None

    @property
    def selected(self) -> TakeView | None:
        """The take that is used."""
        return next((t for t in self.takes if t.selected), None)


@dataclass(frozen=True)
class MasterRow:
    """One deliverable of a branch."""

    id: UUID
    locale: str
    ratio: str
    state: str
    people: str
    progress: float | None
    sha256: str
    blob: Blob | None
    thumbnail: Blob | None
    vtt: Blob | None
    width: int | None
    height: int | None
    duration_ms: int | None
    has_fallback: bool
    partial: bool
    failure: dict[str, str] | None
    verdict: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class BranchRow:
    """A group of the Gantt."""

    id: UUID
    key: str
    name: str
    provider: str
    model: str
    state: str
    people: str
    paused: bool
    clips: tuple[ClipRow, ...]
    masters: tuple[MasterRow, ...]
    done: int
    total: int


@dataclass(frozen=True)
class LogLine:
    """An event in words."""

    seq: int
    at: datetime
    type: str
    text: str
    tone: str


@dataclass(frozen=True)
class Spend:
    """The job's money in micro-units; `forecast` is what it will have cost if nothing goes wrong."""

    limit_micro: int
    held_micro: int
    spent_micro: int
    forecast_micro: int
    by_provider: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Held and spent against the limit, 0 … 1 and above."""
        return (self.held_micro + self.spent_micro) / self.limit_micro if self.limit_micro else 0.0


@dataclass(frozen=True)
class Timeline:
    """A job as the live page paints it first."""

    job: Job
    people: str
    plan: Plan
    branches: tuple[BranchRow, ...]
    spend: Spend
    started_at: datetime
    finished_at: datetime | None
    eta_at: datetime | None
    progress: float
    last_seq: int
    log: tuple[LogLine, ...]


def timeline(*, job: Job, now: datetime, log_lines: int = 200) -> Timeline:
    """Read everything the live page shows of a job, in a constant number of queries."""
    seq = last_sequence(subject_id=job.pk)  # first: what comes later reaches the reader as events
    plans = {row.number: row.plan for row in JobPlan.objects.filter(job=job)}
    plan = plans[max(plans)]
    rows = _Rows.read(job)
    queued = [clip for group in rows.clips.values() for clip in group]
    waits = places(clips=queued, workspace=job.workspace_id, mode=job.mode, now=now)
    branches = tuple(_branch_row(branch, plans, rows, waits) for branch in rows.branches)
    return Timeline(
        job=job,
        people=people_state(job.state),
        plan=plan,
        branches=branches,
        spend=_spend(job, branches, spend_of_job(job_id=job.pk), rows.attempts),
        started_at=job.created_at,
        finished_at=job.finished_at,
        eta_at=_eta(job, plan, rows, waits, now),
        progress=_progress(branches),
        last_seq=seq,
        log=log_of(job=job, limit=log_lines),
    )


def log_of(*, job: Job, limit: int = 200) -> tuple[LogLine, ...]:
    """Return the newest events of a job in words, oldest first; progress ticks are left out."""
    events = Event.objects.filter(stream__subject_id=job.pk).exclude(type__endswith=".progress").order_by("-seq")
    return tuple(LogLine(e.seq, e.at, e.type, *say(e)) for e in reversed(events[:limit]))


@dataclass(frozen=True)
class _Rows:
    branches: list[Branch]
    clips: dict[UUID, list[Clip]]
    attempts: dict[UUID, list[Attempt]]
    takes: dict[UUID, list[Take]]
    masters: dict[UUID, list[Master]]

    @classmethod
    def read(cls, job: Job) -> "_Rows":
        takes = Take.objects.filter(job=job).select_related("blob", "poster", "quality")
        masters = Master.objects.filter(job=job).select_related("blob", "thumbnail", "vtt", "quality")
        return cls(
            branches=list(Branch.objects.filter(job=job)),
            clips=_grouped(Clip.objects.filter(job=job), "branch_id"),
            attempts=_grouped(Attempt.objects.filter(job=job), "clip_id"),
            takes=_grouped(takes, "clip_id"),
            masters=_grouped(masters, "branch_id"),
        )


def _grouped(rows: Any, key: str) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return groups


def _branch_row(branch: Branch, plans: dict[int, Plan], rows: _Rows, waits: dict[UUID, Place]) -> BranchRow:
    clips = tuple(_clip_row(clip, branch, plans[clip.plan_number], rows, waits) for clip in rows.clips[branch.pk])
    return BranchRow(
        id=branch.pk,
        key=branch.key,
        name=branch.name,
        provider=branch.provider,
        model=branch.model,
        state=branch.state,
        people=people_state(branch.state),
        paused=branch.paused,
        clips=clips,
        masters=tuple(_master_row(m) for m in rows.masters[branch.pk]),
        done=sum(c.state == ClipState.READY for c in clips),
        total=len(clips),
    )


def _clip_row(clip: Clip, branch: Branch, plan: Plan, rows: _Rows, waits: dict[UUID, Place]) -> ClipRow:
    attempts, takes = rows.attempts[clip.pk], rows.takes[clip.pk]
    planned, scene = plan.clip(clip.scene_key, branch.key), plan.scene(clip.scene_key)
    current, place = attempts[-1] if attempts else None, waits.get(clip.pk)
    return ClipRow(
        id=clip.pk,
        scene=clip.scene_key,
        title=scene.title,
        position=clip.position,
        state=clip.state,
        people=people_state(clip.state),
        locked=clip.locked,
        provider=current.provider if current else planned.provider,
        model=current.model if current else planned.model,
        prompt=planned.prompt,
        reason=planned.reason,
        duration_ms=scene.duration_ms,
        progress=current.progress if current and current.state in ATTEMPT_OPEN else None,
        tries=clip.tries,
        failure=clip.failure,
        spans=tuple(_span(a) for a in attempts),
        takes=tuple(_take_view(t, clip) for t in takes),
        price_micro=planned.price_micro,
        cost_micro=sum(a.cost_micro or 0 for a in attempts),
        actions=clip_actions(clip),
        step=in_line(place)
        if place
        else waits_with(clip, chain(*rows.clips.values()), rows.branches, plan) or _step(clip, current),
        place=place.number if place else None,
        wait_s=round(place.wait_s, 1) if place else None,
    )


def clip_actions(clip: Clip) -> tuple[str, ...]:
    """Return what a person may do to a clip now."""
    from jobs.execution.states import CLIP

    names = [a for a in ("pause", "resume", "cancel", "rerun") if CLIP.allows(a, clip.state)]
    if clip.locked:
        names = [a for a in names if a != "rerun"]
    return (*names, "unlock" if clip.locked else "lock")


def _step(clip: Clip, attempt: Attempt | None) -> str:
    if clip.state == ClipState.QUEUED and clip.not_before:
        return "Waiting to try again"
    if attempt is None or clip.state not in (ClipState.GENERATING, ClipState.CHECKING, ClipState.NEEDS_ATTENTION):
        return ""
    words = {
        AttemptState.INTENT: "Rendering here" if attempt.provider == "local" else "Sending",
        AttemptState.SUBMITTED: "At the provider",
        AttemptState.UNKNOWN: "Looking up a lost answer",
        AttemptState.SUCCEEDED: "Fetching the result",
        AttemptState.FINISHED: "Checking",
    }
    return words.get(AttemptState(attempt.state), "")


def _span(attempt: Attempt) -> Span:
    label = f"{attempt.provider} {attempt.model}"
    return Span("attempt", label, attempt.state, attempt.created_at, attempt.finished_at, attempt.fallback)


def _take_view(take: Take, clip: Clip) -> TakeView:
    return TakeView(
        id=take.pk,
        number=take.number,
        kind=take.kind,
        blob=take.blob,
        poster=take.poster,
        width=take.width,
        height=take.height,
        duration_ms=take.duration_ms,
        simulated=take.simulated,
        selected=take.pk == clip.selected_take_id,
        verdict=take.quality.verdict if take.quality else "unknown",
    )


def _master_row(master: Master) -> MasterRow:
    spans: tuple[Span, ...] = ()
    if master.state in (MasterState.COMPOSING, MasterState.CHECKING):
        spans = (Span("compose", master.ratio, master.state, master.state_changed_at, None),)
    elif master.ready_at and master.report:
        started = master.ready_at - timedelta(seconds=float(master.report.get("wall_s", 0)) + 1)
        spans = (Span("compose", master.ratio, master.state, started, master.ready_at),)
    return MasterRow(
        id=master.pk,
        locale=master.locale,
        ratio=master.ratio,
        state=master.state,
        people=people_state(master.state),
        progress=master.progress,
        sha256=master.sha256,
        blob=master.blob,
        thumbnail=master.thumbnail,
        vtt=master.vtt,
        width=master.width,
        height=master.height,
        duration_ms=master.duration_ms,
        has_fallback=master.has_fallback,
        partial=master.partial,
        failure=master.failure,
        verdict=master.quality.verdict if master.quality else "",
        spans=spans,
    )


def _spend(job: Job, branches: tuple[BranchRow, ...], cap: Cap | None, attempts: dict[UUID, list[Attempt]]) -> Spend:
    by_provider: dict[str, int] = defaultdict(int)
    for rows in attempts.values():
        for attempt in rows:
            by_provider[attempt.provider] += attempt.cost_micro or 0
    ahead = sum(c.price_micro for b in branches for c in b.clips if c.state in _AHEAD and not c.cost_micro)
    spent = cap.spent_micro if cap else 0
    return Spend(
        limit_micro=cap.limit_micro if cap else job.cap_micro,
        held_micro=cap.held_micro if cap else 0,
        spent_micro=spent,
        forecast_micro=spent + ahead,
        by_provider=tuple(sorted(by_provider.items())),
    )


_AHEAD = {ClipState.PLANNED, ClipState.QUEUED, ClipState.PAUSED, ClipState.HELD}


def _progress(branches: tuple[BranchRow, ...]) -> float:
    """Return the share of the work done: clips and masters alike, by their own progress."""
    shares: list[float] = []
    for branch in branches:
        shares += [1.0 if c.state == ClipState.READY else min(0.95, c.progress or 0.0) for c in branch.clips]
        shares += [1.0 if m.state == MasterState.READY else min(0.95, m.progress or 0.0) for m in branch.masters]
    return sum(shares) / len(shares) if shares else 0.0


def _eta(job: Job, plan: Plan, rows: _Rows, waits: dict[UUID, Place], now: datetime) -> datetime | None:
    """Return when the job should be done: its longest branch, lines before vendors included."""
    if job.state in FINAL or job.state in (JobState.PAUSED, JobState.HELD):
        return None
    opened = {a.clip_id: a.created_at for group in rows.attempts.values() for a in group if a.state in ATTEMPT_OPEN}
    longest = 0.0
    for branch in rows.branches:
        pending = [m for m in rows.masters[branch.pk] if m.state not in (MasterState.READY, MasterState.CANCELLED)]
        seconds = branch_seconds(rows.clips[branch.pk], branch.key, plan, opened, waits, now)
        longest = max(longest, seconds + len(pending) * compose_seconds(plan))
    return now + timedelta(seconds=longest)
