"""A vendor falls over in the middle of a job: the clips that wait for it go elsewhere, and the job still ends.

Real processes under `manage.py up`; the emulator lets every task of one vendor fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import requests

from tests.crash.conftest import ASK_FOR_THE_END_EVERY_S, JOB_ENDS_WITHIN_S, Stack
from tests.support.processes import answers, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture
def vendor_fails(stack: Stack) -> Iterator[None]:
    """One vendor takes every task and fails it."""
    faults = f"{stack.emulator}/_control/faults"
    wait_for(lambda: answers(faults), within_s=60, what="the emulator")
    fault = {"vendor": "kling", "endpoint": "submit", "do": "fail_at_end"}
    assert requests.post(faults, json={"faults": [fault]}, timeout=20).status_code == 200
    yield
    assert requests.post(faults, json={"faults": []}, timeout=20).status_code == 200


@pytest.mark.usefixtures("vendor_fails")
def test_a_job_ends_elsewhere_when_its_vendor_falls_over_and_the_log_says_the_new_end(stack: Stack) -> None:
    job = stack.drive("launch_moving", 9)["job"]
    report = stack.report_at_the_end(job)
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


@pytest.mark.usefixtures("vendor_fails")
def test_a_vendor_that_accepts_and_then_fails_everything_is_asked_less_and_less_often(stack: Stack) -> None:
    workspace = stack.drive("launch_asking", 10)["workspace"]

    def openings() -> Any:
        found = stack.drive("openings", workspace)
        return found if found["waits"][2:] else None

    found = wait_for(openings, within_s=JOB_ENDS_WITHIN_S, what="the third opening", every_s=ASK_FOR_THE_END_EVERY_S)
    waits = found["waits"][:3]
    assert all(longer > 1.2 * shorter for shorter, longer in pairwise(waits)), waits
    assert found["closed"] == 0
