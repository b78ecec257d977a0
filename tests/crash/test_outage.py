"""A vendor falls over in the middle of a job: the clips that wait for it go elsewhere, and the job still ends.

Real processes under `manage.py up`; the emulator lets every task of one vendor fail.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.crash.test_kill_and_resume import ASK_EVERY_S, JOB_ENDS_WITHIN_S, Stack
from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture(scope="module")
def emulator() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def stack(emulator: str) -> Iterator[Stack]:
    """An installation in which a vendor makes three clips of a workspace at once."""
    with tempfile.TemporaryDirectory(prefix="ge-outage-") as folder:
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
            "GE_PROVIDER_PARALLEL": "3",
            "GE_CIRCUIT_OPEN_S": "1",
            "EMULATOR_URL": emulator,
        }
        port = free_port()
        with manage("up", "--port", str(port), "--no-demo", environment=environment, log=Path(folder) / "up.log") as up:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/readyz"), within_s=180, what="the stack")
            yield Stack(environment, psutil.Process(up.pid), Path(folder) / "state" / "emulator" / "requests.jsonl")


def accept_and_fail(emulator: str) -> None:
    """Let one vendor take every task and fail it."""
    wait_for(lambda: answers(f"{emulator}/_control/faults"), within_s=60, what="the emulator")
    fault = {"vendor": "kling", "endpoint": "submit", "do": "fail_at_end"}
    assert requests.post(f"{emulator}/_control/faults", json={"faults": [fault]}, timeout=20).status_code == 200


def test_a_job_ends_elsewhere_when_its_vendor_falls_over_and_the_log_says_the_new_end(
    stack: Stack, emulator: str
) -> None:
    accept_and_fail(emulator)
    job = stack.drive("launch_moving", "9")["job"]

    def ended() -> Any:
        report = stack.drive("report", job)
        return report if report["state"] in ("ready", "failed", "needs_attention", "cancelled") else None

    report = wait_for(ended, within_s=JOB_ENDS_WITHIN_S, what="the job's end", every_s=ASK_EVERY_S)
    told = stack.drive("told", job)
    assert report["state"] == "ready", (report, told)
    assert not any(a["fallback"] for a in report["attempts"])
    assert {a["provider"] for a in report["attempts"] if a["state"] == "collected"}.isdisjoint({"kling", "local"})
    moved = next(event for event in told if event["type"] == "job.rebalanced")
    assert moved["provider"] == "kling"
    assert moved["clips"] >= 1
    assert moved["eta_at"] > moved["at"]
    assert (report["held_micro"], report["ledger"], report["events"], report["audit"]) == (0, [], [], [])
    billed = stack.billed()
    assert all(billed[attempt["key"]] <= 1 for attempt in report["attempts"])


def test_a_vendor_that_accepts_and_then_fails_everything_is_asked_less_and_less_often(
    stack: Stack, emulator: str
) -> None:
    accept_and_fail(emulator)
    workspace = stack.drive("launch_asking", "10")["workspace"]

    def openings() -> Any:
        found = stack.drive("openings", workspace)
        return found if found["waits"][2:] else None

    found = wait_for(openings, within_s=JOB_ENDS_WITHIN_S, what="the third opening", every_s=ASK_EVERY_S)
    waits = found["waits"][:3]
    assert all(longer > 1.2 * shorter for shorter, longer in pairwise(waits)), waits
    assert found["closed"] == 0
