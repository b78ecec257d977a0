"""Leases: long work belongs to one process, which renews its hold every 5 s; the pump takes dead ones away.

Losing a lease costs time only: the work is done again from the rows. A paid submit is never under a lease alone
(see `sent_at` of an attempt).
"""

import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, models

from genengine.core import clock

HEARTBEAT_S = 5.0
LEASE = timedelta(seconds=15)


class LeaseLost(Exception):
    """Another process holds the work now, or it was cancelled; stop without a trace."""


def new_owner() -> str:
    """Return a name for one hold of one task run."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def claim(queryset: "models.QuerySet[models.Model]", *, owner: str, now: datetime, **changes: object) -> bool:
    """Take the lease of the single row in `queryset` unless somebody holds it; one conditional UPDATE."""
    free = queryset.filter(
        models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=now) | models.Q(lease_owner="")
    )
    return bool(free.update(lease_owner=owner, lease_until=now + LEASE, **changes))


@contextmanager
def heartbeat(
    model: type[models.Model], pk: object, owner: str, *, wanted: Callable[[], bool]
) -> Iterator[Callable[[], bool]]:
    """Renew the lease from a thread; yield a function that says whether to stop (lease lost, work unwanted)."""
    stop, lost = threading.Event(), threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(HEARTBEAT_S):
                _renew_once(model, pk, owner, wanted, lost)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield lost.is_set
    finally:
        stop.set()
        thread.join(timeout=HEARTBEAT_S)


def _renew_once(
    model: type[models.Model], pk: object, owner: str, wanted: Callable[[], bool], lost: threading.Event
) -> None:
    """One renewal. A database that is away for a moment is not a lost lease: the sweep decides that by time."""
    try:
        held = model._base_manager.filter(pk=pk, lease_owner=owner).update(lease_until=clock.now() + LEASE)
        if not held or not wanted():
            lost.set()
    except Exception:
        connection.close()
