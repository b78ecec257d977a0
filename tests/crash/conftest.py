"""One running installation for every crash test of a worker: `manage.py up` with a driver inside."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.inside import CallFailed, Inside, inside
from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

JOB_ENDS_WITHIN_S = 420
ASK_EVERY_S = 0.25  # what a kill follows must be seen soon
ASK_FOR_THE_END_EVERY_S = 1.0  # each question is a new connection to the database


@dataclass
class Stack:
    """A running installation of its own."""

    driver: Inside
    process: psutil.Process
    emulator: str
    emulator_log: Path

    def drive(self, function: str, *arguments: Any) -> Any:
        """Call a function of `tests.crash.driver`; a database that is just coming back is waited for."""
        refusals: list[str] = []

        def once() -> list[Any]:
            try:
                return [self.driver.call(function, *arguments)]
            except CallFailed as failed:
                refusals.append(str(failed))
                return []

        try:
            return wait_for(once, within_s=60, what=f"the driver's {function}{arguments}", every_s=ASK_EVERY_S)[0]
        except AssertionError as never:
            raise AssertionError(f"{never}; at last:\n{refusals[-1]}") from never

    def report_at_the_end(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended, and say how it and the books stand."""
        wait_for(
            lambda: self.drive("has_ended", job),
            within_s=JOB_ENDS_WITHIN_S,
            what="the job's end",
            every_s=ASK_FOR_THE_END_EVERY_S,
        )
        report: dict[str, Any] = self.drive("report", job)
        return report

    def kill(self, *words: str) -> int:
        """SIGKILL the group of the process whose command line has these words; returns how many died."""
        victims = self._with(words)
        assert victims, f"no process with '{' '.join(words)}'"
        family = [q for p in victims for q in [p, *p.children(recursive=True)]]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        return len(family)

    def has(self, *words: str) -> bool:
        """Whether there is a process whose command line has these words."""
        return bool(self._with(words))

    def _with(self, words: tuple[str, ...]) -> list[psutil.Process]:
        wanted = " ".join(words)
        return [p for p in self.process.children(recursive=True) if wanted in " ".join(_cmdline(p))]

    def billed(self) -> Counter[str]:
        """Billed submits in the emulator's log, by idempotency key."""
        rows = [json.loads(line) for line in self.emulator_log.read_text().splitlines()]
        return Counter(row["idempotency_key"] for row in rows if row["billed"])


def _cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """An installation in which a vendor makes three clips of a workspace at once and is asked again after a second."""
    with tempfile.TemporaryDirectory(prefix="ge-crash-") as name:
        folder, emulator, port = Path(name), free_port(), free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "GE_STATE_DIR": str(folder / "state"),
            "GE_STOP_SECONDS": "3",
            "GE_MASTER_SCALE": "0.25",
            "GE_EMULATOR_PICTURE_SCALE": "0.25",
            "GE_MODELS": "0",
            "GE_EMULATOR_SPEED": "12",
            "GE_PROVIDER_PARALLEL": "3",
            "GE_CIRCUIT_OPEN_S": "1",
            "EMULATOR_URL": f"http://127.0.0.1:{emulator}",
        }
        with manage("up", "--port", str(port), "--no-demo", environment=environment, log=folder / "up.log") as up:
            wait_for(
                lambda: answers(f"http://127.0.0.1:{port}/readyz"), within_s=600, what="the stack", every_s=ASK_EVERY_S
            )
            with inside("tests.crash.driver", environment=environment, log=folder / "driver.log") as driver:
                log = folder / "state" / "emulator" / "requests.jsonl"
                yield Stack(driver, psutil.Process(up.pid), environment["EMULATOR_URL"], log)
