"""Transactions: one lock order, retries of deadlocks, and events written last.

Every transaction takes its locks in the order job → clips → gates → caps → streams (a gate is the traffic to one vendor
account). `unit_of_work` keeps the order by construction for events (they are flushed when the outermost block ends)
and `lock_rows` checks it for the rest.
"""

import functools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from django.db import OperationalError, connection, models, transaction

M = TypeVar("M", bound=models.Model)
F = TypeVar("F", bound=Callable[..., Any])

RETRYABLE = {"40P01", "40001"}  # deadlock_detected, serialization_failure


class LockRank(IntEnum):
    """The one order in which a transaction may lock rows."""

    JOB = 1
    CLIP = 2
    GATE = 3
    CAP = 4
    STREAM = 5


class LockOrderViolation(AssertionError):
    """A transaction asked for a lock that must be taken earlier; two of these deadlock each other."""


@dataclass
class UnitOfWork:
    """What the running transaction holds: the highest lock rank and the work to do just before commit."""

    rank: int = 0
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)  # what was asked for once
    at_the_end: list[Callable[[], None]] = field(default_factory=list)  # after every other lock: the audit chain


_current: ContextVar[UnitOfWork | None] = ContextVar("unit_of_work", default=None)


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """One transaction. Nested blocks join the outer one; events are written when the outermost ends."""
    running = _current.get()
    if running is not None:
        yield running
        return
    work = UnitOfWork()
    token = _current.set(work)
    try:
        with transaction.atomic():
            yield work
            for queue in (work.before_commit, work.at_the_end):
                while queue:
                    queue.pop(0)()
    finally:
        _current.reset(token)


def current_work() -> UnitOfWork:
    """Return the running unit of work; writing an event outside of one is a programming error."""
    work = _current.get()
    if work is None:
        raise RuntimeError("this write needs a unit_of_work() around it")
    return work


def lock_rows(queryset: models.QuerySet[M], rank: LockRank, *, skip_locked: bool = False) -> list[M]:
    """`SELECT … FOR UPDATE` in primary-key order, refusing to go back in the lock order."""
    note_lock(rank)
    return list(queryset.select_for_update(skip_locked=skip_locked, of=("self",)).order_by("pk"))


def note_lock(rank: LockRank) -> None:
    """Record that this transaction locks rows of `rank`."""
    work = current_work()
    if rank < work.rank:
        held = LockRank(work.rank).name
        raise LockOrderViolation(f"lock {rank.name} asked for after {held}; the order is job, clip, gate, cap, stream")
    work.rank = max(work.rank, rank)


def connection_parameters() -> dict[str, Any]:
    """How Django connects, for a connection of our own; the driver's Django-only settings are left out."""
    names = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")
    parameters = connection.get_connection_params()
    return {name: parameters[name] for name in names if parameters.get(name)} | {"connect_timeout": 5}


def retry_conflicts(function: F) -> F:
    """Run `function` again when PostgreSQL ends its transaction by deadlock or serialisation failure."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for attempt in range(6):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                code = getattr(error.__cause__, "sqlstate", None)
                if code not in RETRYABLE or attempt == 5 or _current.get() is not None:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))
        raise AssertionError("unreachable")

    return wrapper  # type: ignore[return-value]
