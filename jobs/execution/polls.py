"""The polls of one pump: what is due is claimed in batches, asked about by many threads, and news is taken by few.

Asking touches no row and holds no connection to the database, so it can be as wide as vendors are slow. Taking news
locks jobs and caps: done by the same threads, a burst of ends would keep the polls of all others waiting.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from genengine.core import clock
from genengine.core.states import TransitionRefused
from jobs.execution import due, polling
from jobs.execution.exchanges import keep_polls
from jobs.execution.states import AttemptState
from providers.errors import Exchange

log = logging.getLogger(__name__)
TICK_S = 0.1  # between two claims: batches are cheaper than single rows, and nobody is later for it than this
HURRY_S = 0.02  # when more was due than one claim takes
IDLE_S = 0.25  # longest sleep: a callback may make a poll due at any time
TAKERS = 4
LEAVE_S = 20.0
KEEP_EVERY_S = 1.0
SHARE = 0.75  # of the threads, for one provider: one that hangs must not keep the others from being asked


class Polls:
    """Claims, asks and takes. Nothing here is held: what is lost with the process is asked again at the next poll."""

    def __init__(self, *, threads: int) -> None:
        self.threads = threads
        self.asking = ThreadPoolExecutor(threads, thread_name_prefix="ask")
        self.taking = ThreadPoolExecutor(TAKERS, thread_name_prefix="take")
        self._lock = threading.Lock()
        self._under_way: set[UUID] = set()  # asked about, or with news not yet taken
        self._asked: Counter[str] = Counter()  # by provider
        self._kept: list[tuple[UUID, UUID, Exchange]] = []
        self._kept_at = time.monotonic()
        self._closed = False

    def turn(self, now: datetime) -> float:
        """Ask about what is due; returns the seconds until there may be more."""
        self._keep(now)
        planned = due.next_poll_at()
        if planned is None or planned > now:
            return IDLE_S if planned is None else min(IDLE_S, max(TICK_S, (planned - now).total_seconds()))
        limit, full = self._room()
        if limit <= 0:
            return HURRY_S
        claimed = due.claim_polls(now=now, limit=limit, full=full)
        for poll in claimed:
            self._start(poll)
        return HURRY_S if len(claimed) == limit else TICK_S

    def close(self) -> None:
        """Finish what was begun; what has not begun is asked again by the next pump."""
        if self._closed:
            return
        self._closed = True
        self.asking.shutdown(wait=True, cancel_futures=True)
        if self._kept:
            self.taking.submit(_safely, keep_polls, self._kept, now=clock.now())
        everybody = threading.Barrier(TAKERS)
        for _ in range(TAKERS):
            self.taking.submit(_leave, everybody)
        self.taking.shutdown(wait=True)

    def _room(self) -> tuple[int, list[str]]:
        """Return how many more polls may be under way, and the providers that have their share."""
        most = max(1, int(self.threads * SHARE))
        with self._lock:
            room = 2 * self.threads - self._asked.total()
            full = [provider for provider, count in self._asked.items() if count >= most]
            nearest = max((count for count in self._asked.values() if count < most), default=0)
        return min(room, most - nearest), full

    def _start(self, poll: polling.DuePoll) -> None:
        with self._lock:
            if poll.attempt in self._under_way:
                return  # its answer, or what it said, is still being dealt with
            self._under_way.add(poll.attempt)
            self._asked[poll.provider] += 1
        self.asking.submit(self._ask, poll)

    def _ask(self, poll: polling.DuePoll) -> None:
        news: polling.Heard | None = None
        try:
            news = _safely(self._hear, poll)
        finally:
            connection.close()  # a look-up has read rows; most polls have not
            with self._lock:
                self._asked[poll.provider] -= 1
                if news is None:
                    self._under_way.discard(poll.attempt)
        if news is not None:
            self.taking.submit(self._take, news)

    def _hear(self, poll: polling.DuePoll) -> polling.Heard | None:
        """Ask; returns what has to be written, if anything."""
        if poll.state != AttemptState.SUBMITTED:
            polling.look_up(poll.attempt)
            return None
        heard = polling.ask(poll)
        if heard.is_news:
            return heard
        if heard.is_worth_keeping:
            with self._lock:
                self._kept.extend((poll.workspace, poll.attempt, call) for call in heard.calls)
        return None

    def _take(self, news: polling.Heard) -> None:
        try:
            _safely(polling.take, news)
        finally:
            with self._lock:
                self._under_way.discard(news.due.attempt)

    def _keep(self, now: datetime) -> None:
        """Write the calls that are kept although they told nothing new, many at a time."""
        if not self._kept or time.monotonic() - self._kept_at < KEEP_EVERY_S:
            return
        with self._lock:
            batch, self._kept = self._kept, []
        self._kept_at = time.monotonic()
        self.taking.submit(_safely, keep_polls, batch, now=now)


def _leave(everybody: threading.Barrier) -> None:
    """Close this thread's connection; waiting for the others gives each thread one of these."""
    connection.close()
    everybody.wait(LEAVE_S)


def _safely(step: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a step of a thread of the pool: what fails for one attempt is asked again and must not stop the others."""
    try:
        close_old_connections()
        return step(*args, **kwargs)
    except TransitionRefused:
        pass  # a callback or another pump was first
    except (OperationalError, InterfaceError):
        log.warning("the database is away; the poll comes again")
        connection.close()
    except Exception:
        log.exception("a poll failed", extra={"of": str(args[:1])[:200]})
    return None
