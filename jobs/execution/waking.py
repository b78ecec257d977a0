"""Wake the pump when something happened, so that it need not ask the database all the time.

Every event is announced in the transaction that writes it (`core.events`): a clip that is queued, a task that ended, a
job that goes on. A wake-up is a hint only. It may be lost, through a pooler or with the connection, so that nobody
sleeps for long without asking.
"""

import logging
import threading
import time

import psycopg

from genengine.core.db import connection_parameters
from genengine.core.events.services import CHANNEL

log = logging.getLogger(__name__)
DEAF_S = 0.25  # longest sleep without a connection that listens
RECONNECT_S = 2.0


class Bell:
    """Sleeps until an event is announced; used by one thread."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._connection: psycopg.Connection | None = None
        self._connect_at = 0.0

    def wait(self, seconds: float) -> bool:
        """Sleep for so long, or until an event; returns whether there was one."""
        ears = self._connection
        if ears is None:
            if self._connect() is not None:
                return True  # what happened until now was not heard: look again
            self._stopping.wait(min(seconds, DEAF_S))
            return False
        try:
            return any(True for _ in ears.notifies(timeout=seconds, stop_after=1))
        except (psycopg.Error, OSError) as lost:
            log.warning("the pump no longer hears events; it asks more often", extra={"error": str(lost)[:200]})
            self.close()
            return False

    @property
    def is_listening(self) -> bool:
        """Whether an event would end the sleep."""
        return self._connection is not None

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> psycopg.Connection | None:
        if time.monotonic() < self._connect_at:
            return None
        self._connect_at = time.monotonic() + RECONNECT_S
        try:
            self._connection = psycopg.connect(**connection_parameters(), autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
        except (psycopg.Error, OSError):
            self.close()
        return self._connection
