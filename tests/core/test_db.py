"""Lock order and retries."""

import pytest
from django.db import OperationalError

from genengine.core.db import LockOrderViolation, LockRank, note_lock, retry_conflicts, unit_of_work


@pytest.mark.django_db
def test_locks_are_taken_in_one_order_only() -> None:
    with unit_of_work():
        note_lock(LockRank.JOB)
        note_lock(LockRank.CLIP)
        note_lock(LockRank.CAP)
        with pytest.raises(LockOrderViolation, match="CLIP asked for after CAP"):
            note_lock(LockRank.CLIP)


class Conflict(Exception):
    def __init__(self, code: str) -> None:
        self.sqlstate = code


def failing(times: int, code: str):
    calls: list[int] = []

    @retry_conflicts
    def step() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError from Conflict(code)
        return len(calls)

    return step


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_a_transaction_that_lost_a_conflict_runs_again(code: str) -> None:
    assert failing(2, code)() == 3


def test_another_database_error_is_not_retried() -> None:
    with pytest.raises(OperationalError):
        failing(1, "57P01")()
