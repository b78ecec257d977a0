"""Make sure that workers, pump and emulator run: use those of a running installation, or start them for one command."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.utils import OperationalError

from genengine.core import clock
from genengine.core.processes import SUPERVISOR_VARIABLE
from genengine.core.pulse import alive

ROLES = "emulator,worker-default,worker-media,pump"
START_WITHIN_S = 90
STOP_WITHIN_S = 40


class StackDidNotStart(Exception):
    """The processes that do the work did not come up."""


@contextmanager
def running_stack() -> Iterator[bool]:
    """Yield with everything running; true when it was started for this block and is stopped after it."""
    if is_running():
        yield False
        return
    log = Path(settings.GE_STATE_DIR) / "logs" / "generate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, sys.argv[0], "up", "--no-demo", "--only", ROLES],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, SUPERVISOR_VARIABLE: str(os.getpid())},  # ends with us, however we end
        )
        try:
            _wait_until_up(process, log)
            yield True
        finally:
            connections.close_all()
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def is_running() -> bool:
    """Say whether a pump beat lately on this installation's database."""
    try:
        return alive(role="pump", now=clock.now())
    except (DatabaseError, OperationalError):
        return False
    finally:
        connections.close_all()


def _wait_until_up(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while not is_running():
        if process.poll() is not None:
            tail = log.read_text(errors="replace")[-800:]
            raise StackDidNotStart(f"the workers ended at once; their last words:\n{tail}")
        if time.monotonic() > deadline:
            raise StackDidNotStart(f"the workers were not up after {START_WITHIN_S} s; see {log}")
        time.sleep(0.2)
