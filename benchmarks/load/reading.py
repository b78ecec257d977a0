"""Read the run from what is left behind: the emulator's log and tasks, and the rows and events of the engine."""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from benchmarks.load.watching import Watch
from benchmarks.routing.jobs import billed_twice
from genengine.core.events.models import Event
from genengine.core.events.queries import broken_streams
from jobs.execution.models import Attempt, Job
from jobs.execution.states import AttemptState

TASK = re.compile(r"/predictions/([^/]+)$")
LOG_STEP = timedelta(milliseconds=1)  # times in the log are cut to it


@dataclass(frozen=True)
class Figures:
    """Seconds, where not said otherwise."""

    lateness: list[float]  # of polls, against the moment that was planned
    lags: list[float]  # from a task's end at the vendor to its success here
    double_polls: int
    billed: int
    billed_twice: int
    event_gaps: int
    vendor_s: float  # own time of the tasks that came home, one after another


@dataclass(frozen=True)
class VendorTask:
    """A task at the emulator; seconds since the epoch."""

    created: float
    ends: float


def read_figures(watch: Watch, jobs: Sequence[Job], *, log: Path, interval_s: float) -> Figures:
    """Put the two sides together."""
    # the log first: polls go on while a run that was cut is read, and one that was claimed later is no double
    calls = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    attempts = {a.remote_id: a for a in Attempt.objects.filter(job__in=jobs).exclude(remote_id="")}
    seen = {
        UUID(subject): at
        for subject, at in Event.objects.filter(type="attempt.succeeded").values_list("subject_id", "at")
    }
    polls = poll_times(calls)
    tasks = vendor_tasks(log)
    before = {
        remote: [at for at in polls[remote] if attempt.pk not in seen or at <= seen[attempt.pk]]
        for remote, attempt in attempts.items()
    }
    bills = [row for row in calls if row.get("billed")]
    return Figures(
        lateness=[
            late
            for remote, attempt in attempts.items()
            for late in lateness(sorted(watch.planned[attempt.pk]), before[remote], watch.span)
        ],
        lags=sorted(
            seen[attempt.pk].timestamp() - tasks[remote].ends
            for remote, attempt in attempts.items()
            if attempt.pk in seen and remote in tasks
        ),
        double_polls=sum(
            doubles(before[remote], claims=attempt.polls, interval_s=interval_s) for remote, attempt in attempts.items()
        ),
        billed=len(bills),
        billed_twice=billed_twice(bills, list(Attempt.objects.filter(job__in=jobs))),
        event_gaps=len(broken_streams()),
        vendor_s=sum(
            tasks[remote].ends - tasks[remote].created
            for remote, attempt in attempts.items()
            if remote in tasks and attempt.state == AttemptState.COLLECTED
        ),
    )


def poll_times(calls: Iterable[Mapping[str, object]]) -> dict[str, list[datetime]]:
    """When the vendor was asked for each task, in order."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for call in calls:
        match = TASK.search(str(call.get("path", ""))) if call.get("endpoint") == "poll" else None
        if match:
            found[match[1]].append(datetime.fromisoformat(str(call["time"])))
    return found


def vendor_tasks(log: Path) -> dict[str, VendorTask]:
    """The emulator's own tasks, from its store beside the log."""
    store = log.with_name(log.name + ".state") / "tasks.sqlite"
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id, created, ends FROM tasks").fetchall()
    return {str(task): VendorTask(float(created), float(ends)) for task, created, ends in rows}


def lateness(
    planned: Sequence[datetime], asked: Sequence[datetime], span: tuple[datetime, datetime] | None
) -> list[float]:
    """For each planned moment inside the span, the seconds until the vendor was asked."""
    found = []
    for index, moment in enumerate(planned):
        if span is None or not span[0] <= moment <= span[1]:
            continue
        following = planned[index + 1] if index + 1 < len(planned) else None
        place = bisect_left(asked, moment - LOG_STEP)
        if place < len(asked) and (following is None or asked[place] < following):
            found.append((asked[place] - moment).total_seconds())
    return found


def doubles(asked: Sequence[datetime], *, claims: int, interval_s: float) -> int:
    """Polls that nobody claimed, or that came within half an interval of the one before."""
    near = timedelta(seconds=interval_s / 2)
    close = sum(after - before < near for before, after in pairwise(asked))
    return max(close, len(asked) - claims, 0)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
