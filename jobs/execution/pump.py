"""The pump: it owns time. It dispatches queued clips, polls vendors, and takes the work of dead processes away.

Each of the three has a thread of its own, so that none is late behind another. It holds no state: several pumps may
run, and killing one costs a poll interval.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.core.pulse import beat
from genengine.core.states import TransitionRefused
from jobs.execution import due
from jobs.execution.paying import affordable_clips
from jobs.execution.polls import Polls
from jobs.execution.queue import COMPOSE, MEDIA, enqueue, waiting_tasks
from jobs.execution.services import masters, submitting
from jobs.execution.services.control import release_held
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.rebalancing import rebalance
from jobs.execution.sweeps import SWEEPS
from jobs.execution.waking import Bell
from providers.health.services import check_account, claim_checks
from providers.traffic.services import forget_signals

log = logging.getLogger(__name__)
TICK_S = 0.1
IDLE_S = 1.0  # longest sleep of the line while events wake it
WAITING_S = 0.25  # while clips wait for a place: a token or a probe comes by time alone
AWAY_S = 0.5
BEAT_EVERY_S = 4.0
STUCK_AFTER_S = 60.0
SWEEP_EVERY_S = 4.0
RELEASE_EVERY_S = 5.0
REBALANCE_EVERY_S = 1.0
CHECK_EVERY_S = 5.0
FORGET_EVERY_S = 3600.0


class Pump:
    """One pump process: the line, the polls and the sweeps, each in its own loop."""

    def __init__(self, *, threads: int) -> None:
        self.stopping = threading.Event()
        self.polls = Polls(threads=threads)
        self.bell = Bell(self.stopping)
        self._last: dict[str, float] = {}
        self._turned: dict[str, float] = {}

    def run(self) -> None:
        """Run until `stop`. A database that is away is waited for; a loop that died ends the process."""
        loops = [
            self._thread("line", self.line_turn, self.bell.wait),
            self._thread("polls", lambda: self.polls.turn(clock.now()), self.stopping.wait),
            self._thread("sweeps", self.sweep_turn, self.stopping.wait),
        ]
        try:
            while not self.stopping.is_set():
                self._once("beat", self._beat)
                if not all(loop.is_alive() for loop in loops):
                    raise SystemExit("a loop of the pump ended; the process is to be started again")
                self.stopping.wait(BEAT_EVERY_S)
        finally:
            self.stopping.set()
            for loop in loops:
                loop.join()
            self.polls.close()
            self.bell.close()

    def stop(self, *_: Any) -> None:
        """Finish the turns and end."""
        self.stopping.set()

    def line_turn(self) -> float:
        """Start what may start; returns the seconds until something may, unless an event comes first."""
        begun, now = time.monotonic(), clock.now()
        if self._due("release", RELEASE_EVERY_S):
            for clip in affordable_clips(now=now, limit=50):
                _guarded(release_held, clip=clip, now=now)
        first = due.next_start_at(now=now)
        if first is None or first > now:
            return IDLE_S if first is None else min(IDLE_S, max(TICK_S, (first - now).total_seconds()))
        if self._due("rebalance", REBALANCE_EVERY_S):
            _guarded(rebalance, now=now)
        started = [_guarded(dispatch_clip, clip_id=pk, now=now) for pk in due.dispatchable(now=now, limit=50)]
        if any(started):
            return TICK_S
        return min(IDLE_S, max(WAITING_S, 10 * (time.monotonic() - begun)))  # a long line is read less often

    def sweep_turn(self) -> float:
        """Bring on what dead processes left behind, check accounts, forget old signals."""
        now = clock.now()
        if self._due("sweep", SWEEP_EVERY_S):
            sweep(now)
        if self._due("check", CHECK_EVERY_S):
            for throttle_id in claim_checks(now=now):
                self.polls.asking.submit(_check_one, throttle_id)
        if self._due("forget", FORGET_EVERY_S):
            _guarded(forget_signals, now)
        return IDLE_S

    def _beat(self) -> float:
        """Tell that the pump is alive, but not while one of its loops hangs."""
        late = [name for name, at in self._turned.items() if time.monotonic() - at > STUCK_AFTER_S]
        if late:
            log.error("loops of the pump hang", extra={"loops": late})
        else:
            beat(role="pump", host=socket.gethostname(), pid=os.getpid(), now=clock.now())
        return BEAT_EVERY_S

    def _thread(self, name: str, turn: Callable[[], float], wait: Callable[[float], object]) -> threading.Thread:
        self._turned[name] = time.monotonic()

        def run() -> None:
            try:
                while not self.stopping.is_set():
                    pause = self._once(name, turn)
                    self._turned[name] = time.monotonic()
                    wait(pause)
            finally:
                connection.close()

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _once(self, name: str, turn: Callable[[], float]) -> float:
        try:
            return turn()
        except (OperationalError, InterfaceError):
            log.warning("the database is away; trying again", extra={"loop": name})
            connection.close()
        except Exception:
            log.exception("a turn of the pump failed", extra={"loop": name})
        return AWAY_S

    def _due(self, name: str, every_s: float) -> bool:
        moment = time.monotonic()
        if moment - self._last.get(name, -every_s) < every_s:
            return False
        self._last[name] = moment
        return True


def sweep(now: datetime) -> None:
    """Bring on what dead processes left behind. What only waits for a busy worker is not queued a second time."""
    dead, forgotten = due.dead_attempts(now=now, limit=200), due.forgotten_masters(now=now, limit=50)
    waiting = waiting_tasks() if dead or forgotten else frozenset()
    for attempt_id in dead:
        _guarded(submitting.sweep_attempt, attempt_id=attempt_id, waiting=waiting, now=now)
    for master_id in due.dead_masters(now=now, limit=50):
        _guarded(masters.put_back_master, master_id=master_id, now=now)
    for master_id in forgotten:
        _guarded(_queue_master, master_id=master_id, waits=(COMPOSE, master_id) in waiting)
    for other in SWEEPS:
        _guarded(other, now)


def _queue_master(*, master_id: UUID, waits: bool) -> None:
    with unit_of_work():
        masters.mark_queued(master_id=master_id, now=clock.now())
        if not waits:
            enqueue(COMPOSE, master_id, cluster=MEDIA)


def _check_one(throttle_id: UUID) -> None:
    try:
        close_old_connections()
        check_account(throttle_id=throttle_id, now=clock.now())
    except (OperationalError, InterfaceError):
        log.warning("the database is away; the account is checked again")
    except Exception:
        log.exception("a check of a vendor account failed", extra={"throttle": str(throttle_id)})
    finally:
        connection.close()


def _guarded(step: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run one step; what fails for one row must not stop the others."""
    try:
        return step(*args, **kwargs)
    except TransitionRefused:
        pass  # the row has moved on
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("a step of the pump failed", extra={"row": str(kwargs)})
    return None


def main() -> None:
    """Run a pump in this process until SIGTERM or SIGINT."""
    import signal

    pump = Pump(threads=settings.GE_PUMP_THREADS)
    signal.signal(signal.SIGTERM, pump.stop)
    signal.signal(signal.SIGINT, pump.stop)
    pump.run()
