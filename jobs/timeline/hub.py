"""One reader of new events for all sockets and long polls of a web process.

PostgreSQL wakes the hub (`NOTIFY ge_events, [stream subject, seq]`, sent in the transaction of the events). The hub
reads the new rows of a stream once and hands them to every watcher. Hints are only hints: every 2 s the hub compares
the streams' counters with what it has read, and after its connection was lost it does so at once, so a hint that
never came costs time, not events. A watcher that fell behind reads the missing rows itself.
"""

import asyncio
import contextlib
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import structlog
from django.db import close_old_connections, connection

from genengine.core.db import connection_parameters
from genengine.core.events.models import Event, Stream, StreamKind
from genengine.core.events.queries import events_after
from genengine.core.events.services import CHANNEL
from jobs.timeline.messages import messages_of

log = structlog.get_logger("genengine.hub")

POLL_S = 2.0
RECONNECT_S = (0.2, 0.5, 1.0, 2.0, 5.0)
READERS = 2  # threads, and so database connections, that all watchers of a process share
BATCH = 500
RECENT = 1000  # lines of a stream that are kept for those who come back
MOST_WAITING = 32  # batches that a slow client may leave unread in our memory


@dataclass(frozen=True)
class Line:
    """A message ready to be sent, written as JSON once for all watchers."""

    seq: int
    text: str


@dataclass(eq=False)
class Watcher:
    """One socket or long poll. `position` is the last number it was given."""

    subject_id: UUID
    position: int
    lines: asyncio.Queue[list[Line]] = field(default_factory=asyncio.Queue)

    def give(self, lines: list[Line]) -> None:
        """Queue new lines. Who does not keep up loses them here, and reads them again from the rows."""
        if self.lines.qsize() >= MOST_WAITING:
            while not self.lines.empty():
                self.lines.get_nowait()
        self.lines.put_nowait(lines)


@dataclass
class _Tail:
    """What the hub has read of one stream."""

    seq: int
    watchers: set[Watcher] = field(default_factory=set)
    behind: bool = False
    recent: deque[Line] = field(default_factory=lambda: deque(maxlen=RECENT))

    def since(self, position: int) -> list[Line] | None:
        """Return the lines after a position when all of them are still known here, else nothing."""
        if position >= self.seq:
            return []
        if not self.recent or self.recent[0].seq > position + 1:
            return None
        return [line for line in self.recent if line.seq > position]


class EventHub:
    """Streams that somebody watches, and what wakes them. All methods run on the hub's own event loop."""

    def __init__(self) -> None:
        self._tails: dict[UUID, _Tail] = {}
        self._bells: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []
        self._work = asyncio.Event()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="hub")

    @contextlib.asynccontextmanager
    async def watch(self, subject_id: UUID, after: int) -> AsyncIterator[Watcher]:
        """Watch a job's stream from a number on; read with `lines_of`."""
        watcher = Watcher(subject_id, after)
        if subject_id not in self._tails:
            newest = await self._run(_counters, [subject_id])
            self._tails.setdefault(subject_id, _Tail(newest.get(subject_id, 0)))
        tail = self._tails[subject_id]
        tail.watchers.add(watcher)
        self._start()
        try:
            yield watcher
        finally:
            tail.watchers.discard(watcher)
            if not tail.watchers:
                self._tails.pop(subject_id, None)
            self._stop_when_idle()

    @contextlib.asynccontextmanager
    async def bell(self, subject_id: UUID) -> AsyncIterator[asyncio.Event]:
        """Return an event that is set whenever anything happens on a stream, without reading it."""
        bell = asyncio.Event()
        self._bells[subject_id].add(bell)
        self._start()
        try:
            yield bell
        finally:
            self._bells[subject_id].discard(bell)
            if not self._bells[subject_id]:
                self._bells.pop(subject_id, None)
            self._stop_when_idle()

    async def lines_of(self, watcher: Watcher) -> AsyncIterator[list[Line]]:
        """Give a watcher every line after its position, in order, each once, for as long as it asks."""
        while True:
            caught_up = False
            while not caught_up:
                missed = await self._missed_by(watcher)
                caught_up = len(missed) < BATCH
                if missed:
                    watcher.position = missed[-1].seq
                    yield missed
            async for lines in self._live(watcher):
                yield lines

    async def _missed_by(self, watcher: Watcher) -> list[Line]:
        tail = self._tails.get(watcher.subject_id)
        known = tail.since(watcher.position) if tail else None
        return known if known is not None else await self._read(watcher.subject_id, watcher.position)

    async def _live(self, watcher: Watcher) -> AsyncIterator[list[Line]]:
        """Pass on what the hub reads, until there is a gap."""
        while True:
            lines = [line for line in await watcher.lines.get() if line.seq > watcher.position]
            if not lines:
                continue
            if lines[0].seq != watcher.position + 1:
                return
            watcher.position = lines[-1].seq
            yield lines

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(run()) for run in (self._listen, self._poll, self._deliver)]

    def _stop_when_idle(self) -> None:
        if self._tails or self._bells:
            return
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def _mark(self, subjects: Iterable[UUID]) -> None:
        for subject in subjects:
            if tail := self._tails.get(subject):
                tail.behind = True
                self._work.set()
            for bell in self._bells.get(subject, ()):
                bell.set()

    async def _listen(self) -> None:
        """Hold one connection that listens; when it is lost, mark everything and connect again."""
        failures = 0
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**await self._parameters(), autocommit=True) as own:
                    await own.execute(f"LISTEN {CHANNEL}")
                    self._mark([*self._tails, *self._bells])
                    failures = 0
                    async for hint in own.notifies():
                        self._mark(_subject(hint.payload))
            except (psycopg.Error, OSError) as lost:
                log.warning("hub.connection_lost", error=str(lost)[:200])
            await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            failures += 1

    async def _poll(self) -> None:
        """Find streams that moved without a hint: through a pooler, or while the connection was away."""
        while True:
            await asyncio.sleep(POLL_S)
            known = {subject: tail.seq for subject, tail in self._tails.items()}
            try:
                newest = await self._run(_counters, list(known))
            except Exception as error:  # the database is away; the next round asks again
                log.warning("hub.poll_failed", error=str(error)[:200])
                continue
            self._mark(subject for subject, seq in newest.items() if seq > known[subject])

    async def _deliver(self) -> None:
        """Read each stream that is behind once, and hand the new lines to all its watchers."""
        while True:
            await self._work.wait()
            self._work.clear()
            behind = [subject for subject, tail in self._tails.items() if tail.behind]
            await asyncio.gather(*(self._deliver_one(subject) for subject in behind))

    async def _deliver_one(self, subject: UUID) -> None:
        tail = self._tails.get(subject)
        if tail is None:
            return
        tail.behind = False
        try:
            lines = await self._read(subject, tail.seq)
        except Exception as error:  # the poll finds the stream again
            log.warning("hub.read_failed", error=str(error)[:200])
            return
        if not lines:
            return
        tail.seq = max(tail.seq, lines[-1].seq)
        tail.recent.extend(lines)
        if len(lines) == BATCH:
            self._mark([subject])
        for watcher in list(tail.watchers):
            watcher.give(lines)

    async def _read(self, subject: UUID, after: int) -> list[Line]:
        return await self._run(_lines_after, subject, after)

    async def _parameters(self) -> dict[str, Any]:
        return await self._run(connection_parameters)

    async def _run(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._readers, _with_connection(function), *args)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, EventHub] = WeakKeyDictionary()


def hub() -> EventHub:
    """Return the hub of the running event loop: one a web process."""
    return _hubs.setdefault(asyncio.get_running_loop(), EventHub())


def _lines_after(subject: UUID, after: int) -> list[Line]:
    events: list[Event] = events_after(subject_id=subject, after=after, limit=BATCH)
    rows = messages_of(job_id=subject, events=events)
    return [Line(row["seq"], json.dumps(row, ensure_ascii=False, default=str)) for row in rows]


def _counters(subjects: list[UUID]) -> dict[UUID, int]:
    rows = Stream.objects.filter(kind=StreamKind.JOB, subject_id__in=subjects)
    return dict(rows.values_list("subject_id", "last_seq"))


def _subject(payload: str) -> list[UUID]:
    try:
        return [UUID(json.loads(payload)[0])]
    except (ValueError, TypeError, IndexError, KeyError):
        return []


def _with_connection(function: Any) -> Any:
    def run(*args: Any) -> Any:
        close_old_connections()
        try:
            return function(*args)
        finally:
            connection.close()

    return run
