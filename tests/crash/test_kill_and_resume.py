"""Any process may be killed at any moment: the job ends right, nothing is paid twice, the books hold.

Real processes: PostgreSQL, web, workers, pump and emulator under `manage.py up`; SIGKILL in the middle of a job.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow]

KLING_MICRO = 210_000
JOB_ENDS_WITHIN_S = 420
ASK_EVERY_S = 3  # each question starts a process, which takes CPU from the job that is waited for


@dataclass
class Stack:
    """A running installation of its own."""

    environment: dict[str, str]
    process: psutil.Process
    emulator_log: Path

    def drive(self, *arguments: str) -> Any:
        """Ask the driver; a database that is just coming back is waited for."""
        line = [sys.executable, "-m", "tests.crash.driver", *arguments]

        def once() -> Any:
            done = subprocess.run(
                line, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
            )
            return json.loads(done.stdout) if done.returncode == 0 else None

        return wait_for(once, within_s=40, what=f"the driver's {arguments}")

    def kill(self, *words: str) -> int:
        """SIGKILL the group of the process whose command line has these words; returns how many died."""
        wanted = " ".join(words)
        victims = [p for p in self.process.children(recursive=True) if wanted in " ".join(_cmdline(p))]
        assert victims, f"no process with '{wanted}'"
        family = [q for p in victims for q in [p, *p.children(recursive=True)]]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        return len(family)

    def billed(self) -> Counter[str]:
        """Billed submits in the emulator's log, by idempotency key."""
        rows = [json.loads(line) for line in self.emulator_log.read_text().splitlines()]
        return Counter(row["idempotency_key"] for row in rows if row["billed"])


def _cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="ge-crash-") as folder:
        emulator = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "GE_STATE_DIR": f"{folder}/state",
            "GE_STOP_SECONDS": "3",
            "GE_MASTER_SCALE": "0.25",
            "GE_EMULATOR_PICTURE_SCALE": "0.25",
            "GE_MODELS": "0",
            "GE_EMULATOR_SPEED": "12",
            "EMULATOR_URL": f"http://127.0.0.1:{emulator}",
        }
        port = free_port()
        with manage("up", "--port", str(port), "--no-demo", environment=environment, log=Path(folder) / "up.log") as up:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), within_s=180, what="the stack")
            yield Stack(environment, psutil.Process(up.pid), Path(folder) / "state" / "emulator" / "requests.jsonl")


def nothing_lost_or_paid_twice(stack: Stack, job: str) -> dict[str, Any]:
    """Wait for the end of a job and check everything that a kill could have broken."""

    def ended() -> Any:
        report = stack.drive("report", job)
        return report if report["state"] in ("ready", "failed", "needs_attention", "cancelled") else None

    report = wait_for(ended, within_s=JOB_ENDS_WITHIN_S, what="the job's end", every_s=ASK_EVERY_S)
    paid = [a for a in report["attempts"] if a["provider"] == "kling"]
    billed = stack.billed()
    assert report["state"] == "ready", report
    assert set(report["clips"]) == {"ready"}
    assert set(report["masters"]) == {"ready"}
    assert report["takes_of_an_attempt"] == 1
    assert all(billed[a["key"]] <= 1 for a in paid), billed
    assert all(billed[a["key"]] == (1 if a["state"] == "collected" else 0) for a in paid), (billed, paid)
    assert report["spent_micro"] == KLING_MICRO * sum(billed[a["key"]] for a in paid)
    assert report["held_micro"] == 0
    assert (report["ledger"], report["events"], report["audit"]) == ([], [], [])
    return report


VICTIMS = {
    "web": ("manage.py", "web"),
    "worker default": ("manage.py", "worker", "default"),
    "worker media": ("manage.py", "worker", "media"),
    "pump": ("manage.py", "pump"),
    "emulator": ("manage.py", "emulator"),
    "postgres": ("bin/postgres",),
}


@pytest.mark.parametrize("name", VICTIMS)
def test_a_job_ends_right_when_a_process_is_killed_in_its_middle(stack: Stack, name: str) -> None:
    job = stack.drive("launch")["job"]
    wait_for(_someone_is_at_the_vendor(stack, job), within_s=150, what="a submit")
    assert stack.kill(*VICTIMS[name]) >= 1
    nothing_lost_or_paid_twice(stack, job)


def test_a_job_ends_right_when_the_senders_are_killed_again_and_again(stack: Stack) -> None:
    job = stack.drive("launch")["job"]
    for victim in ("worker default", "pump", "worker media", "worker default"):
        stack.kill(*VICTIMS[victim])
        wait_for(lambda v=victim: _is_back(stack, v), within_s=30, what=f"{victim} again")
    nothing_lost_or_paid_twice(stack, job)


def _someone_is_at_the_vendor(stack: Stack, job: str) -> Callable[[], bool]:
    # later states count too: on a busy machine a clip can come and go between two looks
    return lambda: any(a["state"] != "intent" for a in stack.drive("report", job)["attempts"])


def _is_back(stack: Stack, name: str) -> bool:
    wanted = " ".join(VICTIMS[name])
    return any(wanted in " ".join(_cmdline(p)) for p in stack.process.children(recursive=True))
