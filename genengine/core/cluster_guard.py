"""Runs one django-q2 cluster and replaces it when it hangs.

An idle worker that is killed takes the lock of its queue with it: the cluster lives on, takes no task and
ignores SIGTERM (django-q2 #23). So the cluster runs in a process group of its own below this guard, which
sends a canary task every few seconds; when it is not answered although nobody works, the whole group is
killed and a new one started. Nothing is lost: the tables are the queue.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import datetime

import psutil
from django.conf import settings
from django.db import connections
from django.db.utils import Error as DatabaseError

from genengine.core.clock import now
from genengine.core.models import Pulse
from genengine.core.processes import give_way, kill_group, request_signal_on_parent_death, tie_forks_to_this_process
from genengine.core.pulse import beat

CHECK_S = 0.2
CANARY_EVERY_S = 5.0
CANARY_PATIENCE_S = 12.0
FIRST_RESTART_AFTER_S = 0.4
LONGEST_RESTART_AFTER_S = 10.0
HEALTHY_AFTER_S = 30.0


class ClusterGuard:
    """Parent of one cluster; `run` returns when it was told to stop and nothing of the cluster is left."""

    def __init__(self, cluster: str, *, stop_s: float, report: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.stop_s = stop_s
        self.report = report
        self.stopping = False
        self.child = 0
        self.started = 0.0
        self.failures = 0
        self.canary_sent: datetime | None = None
        self.next_canary = 0.0

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        self._start_cluster()
        while not self.stopping:
            time.sleep(CHECK_S)
            if self._cluster_ended():
                self._restart_later("the cluster ended")
            elif time.monotonic() >= self.next_canary:
                self._look_at_canary()
        self._stop_cluster()

    def _on_stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def _start_cluster(self) -> None:
        with contextlib.suppress(DatabaseError):
            _release_taken_tasks(self.cluster)
        connections.close_all()  # a connection must not be shared across fork
        self.child = os.fork()
        if self.child == 0:
            _run_cluster(self.cluster)
        self.started = time.monotonic()
        self.canary_sent = None
        self.next_canary = 0.0

    def _cluster_ended(self) -> bool:
        pid, _ = os.waitpid(self.child, os.WNOHANG)
        return pid != 0

    def _restart_later(self, reason: str) -> None:
        kill_group(self.child, signal.SIGKILL)
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > HEALTHY_AFTER_S else self.failures + 1
        pause = min(LONGEST_RESTART_AFTER_S, FIRST_RESTART_AFTER_S * 2 ** (self.failures - 1))
        self.report(f"{reason} after {lived:.0f} s; a new one starts in {pause:.1f} s")
        until = time.monotonic() + pause
        while time.monotonic() < until and not self.stopping:
            time.sleep(CHECK_S)
        if not self.stopping:
            self._start_cluster()

    def _look_at_canary(self) -> None:
        self.next_canary = time.monotonic() + CANARY_EVERY_S
        try:
            self._judge_canary()
        except DatabaseError:
            self.canary_sent = None  # the database is away: that is not the cluster's fault
            connections.close_all()

    def _judge_canary(self) -> None:
        if self._busy():
            beat(role=self._role, host=socket.gethostname(), pid=self.child, now=now())
            self.canary_sent = None
        elif self.canary_sent is None or self._answered(self.canary_sent):
            self.canary_sent = now()
            _enqueue_canary(self.cluster)
        elif (now() - self.canary_sent).total_seconds() > CANARY_PATIENCE_S:
            kill_group(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            self._restart_later("the cluster took no work and was killed")

    @property
    def _role(self) -> str:
        return f"worker-{self.cluster}"

    def _answered(self, since: datetime) -> bool:
        return Pulse.objects.filter(role=self._role, at__gte=since).exists()

    def _busy(self) -> bool:
        """Whether a worker runs a task right now: django-q2 says so in its process title."""
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.child).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if " processing " in " ".join(process.cmdline()):
                        return True
        return False

    def _stop_cluster(self) -> None:
        """Let running tasks end for a while, then kill the group: a killed task is taken up again from its
        row.
        """
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGTERM)
        deadline = time.monotonic() + self.stop_s
        while time.monotonic() < deadline and not self._gone():
            time.sleep(0.05)
        kill_group(self.child, signal.SIGKILL)
        connections.close_all()

    def _gone(self) -> bool:
        try:
            return self._cluster_ended()
        except ChildProcessError:
            return True


def _release_taken_tasks(cluster: str) -> None:
    """Hand out again what a dead cluster had taken, now instead of when its retry clock runs out (an hour for renders).

    A task of another host may run twice by this; every task looks at its row first, so that costs only time.
    """
    from django_q.models import OrmQ

    OrmQ.objects.filter(key=cluster, lock__gt=now()).update(lock=now())


def _enqueue_canary(cluster: str) -> None:
    from django_q.tasks import async_task

    async_task("genengine.core.tasks.canary", cluster, cluster=cluster)


def _run_cluster(cluster: str) -> None:
    """In the forked child: a group of its own, tied to the guard; never returns."""
    os.setsid()
    if cluster == "media":
        give_way(settings.GE_MEDIA_NICE)
    request_signal_on_parent_death(signal.SIGKILL)
    tie_forks_to_this_process()
    status = 1
    try:
        from django_q.cluster import Cluster

        running = Cluster()
        running.start()
        if running.sentinel is not None:
            running.sentinel.join()
        status = 0
    finally:
        os._exit(status)
