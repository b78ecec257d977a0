"""Any process may be killed at any moment: the job ends right, nothing is paid twice, the books hold.

Real processes: PostgreSQL, web, workers, pump and emulator under `manage.py up`; SIGKILL in the middle of a job.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.conftest import ASK_EVERY_S, Stack
from tests.support.processes import wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow]

KLING_MICRO = 210_000


def nothing_lost_or_paid_twice(stack: Stack, job: str) -> dict[str, Any]:
    """Wait for the end of a job and check everything that a kill could have broken."""
    report = stack.report_at_the_end(job)
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
    wait_for(lambda: stack.drive("was_submitted", job), within_s=150, what="a submit", every_s=ASK_EVERY_S)
    assert stack.kill(*VICTIMS[name]) >= 1
    nothing_lost_or_paid_twice(stack, job)


def test_a_job_ends_right_when_the_senders_are_killed_again_and_again(stack: Stack) -> None:
    job = stack.drive("launch")["job"]
    for victim in ("worker default", "pump", "worker media", "worker default"):
        stack.kill(*VICTIMS[victim])
        wait_for(lambda v=victim: stack.has(*VICTIMS[v]), within_s=60, what=f"{victim} again")
    nothing_lost_or_paid_twice(stack, job)
