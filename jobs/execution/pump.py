"""The pump: it owns time. It dispatches queued clips, polls vendors, and takes the work of dead processes away.

It holds no state: several pumps may run, and killing one costs a poll interval.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.core.pulse import beat
from genengine.core.states import TransitionRefused
from jobs.execution import due, tasks
from jobs.execution.models import Attempt
from jobs.execution.queue import MEDIA, enqueue
from jobs.execution.services import masters, submitting
from jobs.execution.services.control import release_held
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.rebalancing import rebalance
from jobs.execution.sweeps import SWEEPS
from providers.health.services import check_account, claim_checks
from providers.traffic.services import forget_signals

log = logging.getLogger(__name__)
TICK_S = 0.1
BEAT_EVERY_S = 4.0
SWEEP_EVERY_S = 4.0
RELEASE_EVERY_S = 5.0
REBALANCE_EVERY_S = 1.0
CHECK_EVERY_S = 5.0
FORGET_EVERY_S = 3600.0


class Pump:
    """One pump process: a loop over what is due, with a pool of threads for the polls."""

    def __init__(self, *, threads: int) -> None:
        self.threads = threads
        self.stopping = threading.Event()
        self.polling: set[Future[None]] = set()
        self._last: dict[str, float] = {}

    def run(self) -> None:
        """Run until `stop`. A database that is away is waited for."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="poll") as pool:
            while not self.stopping.wait(TICK_S):
                try:
                    self.turn(pool)
                except (OperationalError, InterfaceError):
                    log.warning("the database is away; trying again")
                    connection.close()
                    self.stopping.wait(0.5)
                except Exception:
                    log.exception("a turn of the pump failed")
                    self.stopping.wait(0.5)

    def stop(self, *_: Any) -> None:
        """Finish the turn and end."""
        self.stopping.set()

    def turn(self, pool: ThreadPoolExecutor) -> None:
        """Do what is due now."""
        now = clock.now()
        if self._due("beat", BEAT_EVERY_S):
            beat(role="pump", host=socket.gethostname(), pid=os.getpid(), now=now)
        for clip_id in due.dispatchable(now=now, limit=50):
            _guarded(dispatch_clip, clip_id=clip_id, now=now)
        self._poll(pool, now)
        if self._due("rebalance", REBALANCE_EVERY_S):
            _guarded(rebalance, now=now)
        if self._due("check", CHECK_EVERY_S):
            for throttle_id in claim_checks(now=now):
                pool.submit(_check_one, throttle_id)
        if self._due("forget", FORGET_EVERY_S):
            _guarded(forget_signals, now)
        if self._due("sweep", SWEEP_EVERY_S):
            sweep(now)
        if self._due("release", RELEASE_EVERY_S):
            for clip in due.affordable_clips(limit=50):
                _guarded(release_held, clip=clip, now=now)

    def _poll(self, pool: ThreadPoolExecutor, now: datetime) -> None:
        self.polling = {f for f in self.polling if not f.done()}
        room = self.threads * 2 - len(self.polling)
        if room > 0:
            for attempt in due.claim_polls(now=now, limit=room):
                self.polling.add(pool.submit(_poll_one, attempt))

    def _due(self, name: str, every_s: float) -> bool:
        moment = time.monotonic()
        if moment - self._last.get(name, -every_s) < every_s:
            return False
        self._last[name] = moment
        return True


def sweep(now: datetime) -> None:
    """Bring on what dead processes left behind."""
    for attempt_id in due.dead_attempts(now=now, limit=200):
        _guarded(submitting.sweep_attempt, attempt_id=attempt_id, now=now)
    for master_id in due.dead_masters(now=now, limit=50):
        _guarded(masters.put_back_master, master_id=master_id, now=now)
    for master_id in due.forgotten_masters(now=now, limit=50):
        _guarded(_queue_master, master_id=master_id)
    for other in SWEEPS:
        _guarded(other, now)


def _queue_master(*, master_id: UUID) -> None:
    with unit_of_work():
        masters.mark_queued(master_id=master_id, now=clock.now())
        enqueue("compose_master", master_id, cluster=MEDIA)


def _check_one(throttle_id: UUID) -> None:
    try:
        close_old_connections()
        check_account(throttle_id=throttle_id, now=clock.now())
    except (OperationalError, InterfaceError):
        connection.close()
    except Exception:
        log.exception("a check of a vendor account failed", extra={"throttle": str(throttle_id)})


def _poll_one(attempt: Attempt) -> None:
    try:
        close_old_connections()
        tasks.poll(attempt)
    except TransitionRefused:
        pass  # a webhook or another pump was first
    except (OperationalError, InterfaceError):
        connection.close()
    except Exception:
        log.exception("a poll failed", extra={"attempt": str(attempt.pk)})


def _guarded(step: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Run one step; what fails for one row must not stop the others."""
    try:
        step(*args, **kwargs)
    except TransitionRefused:
        pass  # the row has moved on
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("a step of the pump failed", extra={"row": str(kwargs)})


def main() -> None:
    """Run a pump in this process until SIGTERM or SIGINT."""
    import signal

    pump = Pump(threads=settings.GE_PUMP_THREADS)
    signal.signal(signal.SIGTERM, pump.stop)
    signal.signal(signal.SIGINT, pump.stop)
    pump.run()
