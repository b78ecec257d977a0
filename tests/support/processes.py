"""Real processes for tests: start a command, wait for a condition, leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parents[2]
POLL_S = 0.05


class NeverHappened(AssertionError):
    """A condition did not come true in time."""


def wait_for(
    condition: Callable[[], T], *, within_s: float = 60.0, what: str = "the condition", every_s: float = POLL_S
) -> T:
    """Return the first true value of `condition`, asked `every_s`; NeverHappened after `within_s`."""
    pause = threading.Event()
    deadline = time.monotonic() + within_s
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what} did not come true within {within_s:.0f} s")
        pause.wait(every_s)


def free_port() -> int:
    """A TCP port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def manage(*arguments: str, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py …` in a process group of its own; whatever is left of the group at the end is killed."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
            env={"GE_MEDIA_NICE": "0", **environment},  # tests compute beside it, and it is waited for
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(address: str) -> bool:
    """Whether an HTTP server gives any successful answer at `address`."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:
        return False
