"""Watch the stack from outside: CPU of each role, the database's work, and every moment at which a poll was due."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psutil
from django.db import connection

EVERY_S = 1.0  # well below the poll interval: no planned moment is missed
TELL_EVERY_S = 20.0
ROLES = ("pump", "emulator", "web", "worker default", "worker media")


@dataclass(frozen=True)
class Reading:
    """CPU seconds so far by role, and the database's transactions; `at` by the monotonic clock."""

    at: float
    cpu: Mapping[str, float]
    transactions: int


@dataclass(frozen=True)
class Share:
    """What a span of time came to: shares of a core by role, transactions and polls a second."""

    seconds: float
    cores: Mapping[str, float]
    transactions: float
    polls: float


@dataclass
class Watch:
    """What was seen. `planned` has the moments of the polls by attempt, `flying` the most clips in flight at once."""

    planned: dict[UUID, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    flying: int = 0
    steady: Share | None = None  # all in flight, none finished
    finishing: Share | None = None  # from there to the last finish
    span: tuple[datetime, datetime] | None = None  # of the steady part
    emulator_mb: float = 0.0
    emulator_threads: int = 0
    load: float = 0.0  # of the machine, at the start of the steady part
    collected: int = 0
    submit_s: float = 0.0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Counts:
    """How many attempts stand where, and their polls."""

    submitted: int
    ended: int
    collected: int
    polls: int
    now: datetime


class Watcher:
    """Follows a number of clips to their end."""

    def __init__(self, clips: int, *, window_s: float) -> None:
        self.clips, self.window_s = clips, window_s
        self.watch = Watch()
        self.processes = role_processes()
        self._steady: tuple[Reading, Counts] | None = None
        self._after: tuple[Reading, Counts] | None = None

    def run(self, *, timeout_s: float) -> Watch:
        """Look once a second until every clip is collected, the time is over or somebody interrupts."""
        interrupted, begin, told = threading.Event(), time.monotonic(), 0.0
        signal.signal(signal.SIGINT, lambda *_: interrupted.set())
        while True:
            moment = time.monotonic() - begin
            counts = self._look(moment)
            if moment - told > TELL_EVERY_S:
                told = moment
                print(
                    f"  {moment:4.0f} s: {counts.submitted} in flight, {counts.ended} finished at the vendor, "
                    f"{counts.collected} collected", file=sys.stderr, flush=True,
                )  # fmt: skip
            if counts.collected >= self.clips or moment > timeout_s:
                self.watch.wall_s, self.watch.collected = moment, counts.collected
                return self.watch
            if interrupted.wait(EVERY_S):  # what was measured so far is worth printing
                timeout_s = 0

    def _look(self, moment: float) -> Counts:
        counts = self._read_rows()
        watch = self.watch
        watch.flying = max(watch.flying, counts.submitted)
        if counts.submitted + counts.ended >= self.clips and not watch.submit_s:
            watch.submit_s = moment
        if self._steady is None and counts.submitted >= self.clips:
            self._steady = (self._read(), counts)
            watch.load = psutil.getloadavg()[0]
        elif self._steady is not None and watch.steady is None and self._is_over(counts):
            self._after = (self._read(), counts)
            watch.steady = _share(self._steady, self._after)
            watch.span = (self._steady[1].now, counts.now)
        elif self._after is not None and watch.finishing is None and counts.ended >= self.clips:
            watch.finishing = _share(self._after, (self._read(), counts))
        return counts

    def _is_over(self, counts: Counts) -> bool:
        assert self._steady is not None
        return counts.ended > 0 or time.monotonic() - self._steady[0].at >= self.window_s

    def _read_rows(self) -> Counts:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, state, next_poll_at, polls, clock_timestamp() FROM jobs_attempt WHERE state <> 'intent'"
            )
            rows = cursor.fetchall()
        for pk, state, planned, _, _ in rows:
            if state == "submitted" and planned is not None:
                self.watch.planned[pk].add(planned)
        states = [row[1] for row in rows]
        return Counts(
            states.count("submitted"), len(states) - states.count("submitted") - states.count("unknown"),
            states.count("collected"), sum(row[3] for row in rows), rows[-1][4] if rows else datetime.min,
        )  # fmt: skip

    def _read(self) -> Reading:
        emulator = self.processes["emulator"]
        self.watch.emulator_mb = max(self.watch.emulator_mb, emulator.memory_info().rss / 1e6)
        self.watch.emulator_threads = max(self.watch.emulator_threads, emulator.num_threads())
        with connection.cursor() as cursor:
            cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            transactions = int(cursor.fetchone()[0])
        cpu = {role: cpu_of(process) for role, process in self.processes.items()}
        return Reading(time.monotonic(), cpu, transactions)


def _share(before: tuple[Reading, Counts], after: tuple[Reading, Counts]) -> Share:
    seconds = max(1e-6, after[0].at - before[0].at)
    return Share(
        seconds,
        {role: (after[0].cpu[role] - before[0].cpu[role]) / seconds for role in after[0].cpu},
        (after[0].transactions - before[0].transactions) / seconds,
        (after[1].polls - before[1].polls) / seconds,
    )


def role_processes() -> dict[str, psutil.Process]:
    """Find the supervisor's children by their commands, and the database by this connection's own backend."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            for role in ROLES:
                if f"manage.py {role}" in command:
                    found.setdefault(role, process)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = psutil.Process(int(cursor.fetchone()[0]))
    server = backend.parent()
    assert server is not None
    found["database"] = server
    if missing := {*ROLES, "database"} - set(found):
        raise SystemExit(f"these processes were not found: {', '.join(sorted(missing))}")
    return found


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and all it started; what has ended counts through its parent."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])
    return total
