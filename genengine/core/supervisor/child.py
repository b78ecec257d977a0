"""One supervised process: a group of its own, restarted with a growing pause, stopped with a deadline."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from genengine.core.processes import SUPERVISOR_VARIABLE, kill_group
from genengine.core.supervisor.output import Output

FIRST_RESTART_AFTER_S = 0.4
LONGEST_RESTART_AFTER_S = 10.0
HEALTHY_AFTER_S = 30.0


@dataclass(frozen=True)
class Role:
    """What to run under which name, and how long it may take to stop."""

    name: str
    argv: tuple[str, ...]
    stop_s: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Child:
    """A running (or soon running) process of a role."""

    role: Role
    output: Output
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float | None = None

    def start(self) -> None:
        environment = {**os.environ, **self.role.environment, SUPERVISOR_VARIABLE: str(os.getpid())}
        self.process = subprocess.Popen(
            self.role.argv,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.output.follow(self.role.name, self.process.stdout)
        self.started = time.monotonic()
        self.restart_at = None

    def look_after(self) -> None:
        """Notice an end, and start again when its pause is over; call it often."""
        if self.process is not None and self.process.poll() is not None:
            self._plan_restart(self.process.returncode)
        if self.restart_at is not None and time.monotonic() >= self.restart_at:
            self.start()

    def stop(self) -> None:
        """SIGTERM, a deadline, then SIGKILL for whatever is left of the group."""
        self.restart_at = None
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(self.role.stop_s)
            except subprocess.TimeoutExpired:
                self.output.say(f"{self.role.name} did not stop in {self.role.stop_s:.0f} s and is killed")
        kill_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _plan_restart(self, status: int) -> None:
        assert self.process is not None
        kill_group(self.process.pid, signal.SIGKILL)
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > HEALTHY_AFTER_S else self.failures + 1
        pause = min(LONGEST_RESTART_AFTER_S, FIRST_RESTART_AFTER_S * 2 ** (self.failures - 1))
        self.process = None
        self.restart_at = time.monotonic() + pause
        reason = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self.output.say(f"{self.role.name} {reason}; it starts again in {pause:.1f} s")
