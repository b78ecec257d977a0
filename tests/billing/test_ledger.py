"""Money: never past a cap, settled once, rebuilt from an append-only ledger."""

import subprocess
import sys
import uuid
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, transaction

from billing.caps.models import Cap, CapScope
from billing.caps.services import CapTooLow, set_cap
from billing.ledger import services as ledger
from billing.ledger.models import Entry, Reservation, ReservationState
from billing.ledger.queries import ledger_problems, spent_micro
from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.workspaces.models import Workspace
from tests.factories.jobs import make_principal, make_workspace
from tests.support.processes import REPOSITORY

JOB = uuid.uuid4()
SPENDER = """
import django, os, random, sys, uuid; django.setup()
from billing.ledger.services import CapReached, commit, release, reserve, settle
from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.workspaces.models import Workspace
workspace, dice = Workspace.objects.get(slug="aurora"), random.Random(int(sys.argv[2]))
for n in range(int(sys.argv[1])):
    try:
        with unit_of_work():
            held = reserve(workspace=workspace, book="simulated", job_id=uuid.UUID(sys.argv[3]),
                           subject_id=uuid.uuid4(), provider="kling", model="m", amount_micro=100_000, now=clock.now())
    except CapReached:
        continue
    choice = dice.random()
    if choice < 0.05:
        os._exit(9)
    with unit_of_work():
        if choice < 0.3:
            release(reservation=held, now=clock.now())
        else:
            attempt = uuid.uuid4()
            commit(reservation=held, attempt_id=attempt, now=clock.now())
            settle(reservation=held, attempt_id=attempt, actual_micro=90_000, now=clock.now())
"""


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


def cap(workspace: Workspace, limit: int, scope: str = CapScope.JOB, scope_id: str = "") -> Cap:
    return set_cap(
        workspace=workspace,
        book="simulated",
        scope=CapScope(scope),
        scope_id=scope_id or (str(JOB) if scope == CapScope.JOB else ""),
        limit_micro=limit,
        actor=make_principal(workspace).actor,
        now=clock.now(),
    )


def hold(workspace: Workspace, amount: int) -> Reservation:
    with unit_of_work():
        return ledger.reserve(
            workspace=workspace, book="simulated", job_id=JOB, subject_id=uuid.uuid4(), provider="kling", model="m",
            amount_micro=amount, now=clock.now(),
        )  # fmt: skip


def balance(row: Cap) -> tuple[int, int]:
    row.refresh_from_db()
    return row.held_micro, row.spent_micro


def test_money_moves_from_held_to_spent_to_the_vendors_figure(workspace: Workspace) -> None:
    job = cap(workspace, 1_000_000)
    held = hold(workspace, 400_000)
    assert balance(job) == (400_000, 0)
    attempt = uuid.uuid4()
    with unit_of_work():
        ledger.commit(reservation=held, attempt_id=attempt, now=clock.now())
    assert balance(job) == (0, 400_000)
    with unit_of_work():
        ledger.settle(reservation=held, attempt_id=attempt, actual_micro=350_000, now=clock.now())
    assert balance(job) == (0, 350_000)
    assert spent_micro(job_id=JOB) == 350_000
    assert ledger_problems() == []


def test_every_cap_that_is_touched_holds(workspace: Workspace) -> None:
    job, month = cap(workspace, 1_000_000), cap(workspace, 300_000, CapScope.MONTH, f"{clock.now():%Y-%m}")
    with pytest.raises(ledger.CapReached, match="calendar month"):
        hold(workspace, 300_001)
    assert (balance(job), balance(month)) == ((0, 0), (0, 0))
    hold(workspace, 300_000)
    assert (balance(job), balance(month)) == ((300_000, 0), (300_000, 0))


def test_a_refusal_says_what_is_needed_and_what_is_left(workspace: Workspace) -> None:
    cap(workspace, 500_000)
    with pytest.raises(ledger.CapReached, match=r"\$0.60 is needed and \$0.50 of \$0.50 is left"):
        hold(workspace, 600_000)


def test_a_reservation_is_settled_once(workspace: Workspace) -> None:
    cap(workspace, 1_000_000)
    held = hold(workspace, 100)
    with unit_of_work():
        ledger.release(reservation=held, now=clock.now())
    for step in (
        lambda: ledger.release(reservation=held, now=clock.now()),
        lambda: ledger.commit(reservation=held, attempt_id=uuid.uuid4(), now=clock.now()),
    ):
        with pytest.raises(ledger.SettlementRefused), unit_of_work():
            step()
    assert ledger_problems() == []


def test_the_ledger_cannot_be_changed_even_by_sql(workspace: Workspace) -> None:
    cap(workspace, 1_000_000)
    hold(workspace, 100)
    for change in (lambda: Entry.objects.update(held_delta_micro=0), lambda: Entry.objects.all().delete()):
        with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
            change()


def test_a_balance_that_was_tampered_with_is_found(workspace: Workspace) -> None:
    job = cap(workspace, 1_000_000)
    hold(workspace, 100)
    Cap.objects.filter(pk=job.pk).update(held_micro=50)
    assert "ledger says held 100" in ledger_problems()[0]


def test_a_cap_cannot_go_below_what_is_held(workspace: Workspace) -> None:
    cap(workspace, 1_000_000)
    hold(workspace, 500_000)
    with pytest.raises(CapTooLow):
        cap(workspace, 400_000)


@pytest.mark.django_db(transaction=True)
def test_no_race_of_processes_passes_a_cap_even_with_crashes(process_environment: dict[str, str]) -> None:
    job = cap(make_workspace(), 5_000_000)
    spenders = [
        subprocess.Popen(
            [sys.executable, "-c", SPENDER, "60", str(seed), str(JOB)], env=process_environment, cwd=REPOSITORY
        )
        for seed in range(5)
    ]
    assert {s.wait(90) for s in spenders} <= {0, 9}
    held, spent = balance(job)
    assert held + spent <= 5_000_000
    stuck = Reservation.objects.filter(state=ReservationState.HELD).count()
    assert held == stuck * 100_000
    assert spent + 90_000 > 5_000_000 - held - 100_000 or any(s.returncode == 9 for s in spenders)
    assert ledger_problems() == []


def test_a_monthly_limit_holds_again_in_the_next_month(workspace: Workspace) -> None:
    cap(workspace, 10_000_000)
    cap(workspace, 300_000, CapScope.MONTH, "2026-10")
    with unit_of_work(), pytest.raises(ledger.CapReached, match="calendar month"):
        ledger.reserve(
            workspace=workspace, book="simulated", job_id=JOB, subject_id=uuid.uuid4(), provider="kling", model="m",
            amount_micro=300_001, now=datetime(2026, 11, 3, tzinfo=UTC),
        )  # fmt: skip
    assert list(Cap.objects.filter(scope="month").order_by("scope_id").values_list("scope_id", flat=True)) == [
        "2026-10",
        "2026-11",
    ]
