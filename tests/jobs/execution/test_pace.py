"""When a vendor is asked next."""

import pytest

from jobs.execution.pace import CEILING, LEAST_MEASURED, next_poll_s

MEASURED = {"early_s": 60.0, "late_s": 120.0, "measured": LEAST_MEASURED}


def test_an_unmeasured_model_is_asked_at_the_usual_interval() -> None:
    assert next_poll_s(base_s=5, age_s=0, early_s=None, late_s=None, measured=0) == 5
    assert next_poll_s(base_s=5, age_s=0, early_s=60, late_s=90, measured=LEAST_MEASURED - 1) == 5


@pytest.mark.parametrize("age", [0, 10, 29.9, 45, 58, 60, 90, 120, 130, 300, 10_000])
def test_no_interval_is_shorter_than_the_usual_one_or_longer_than_the_ceiling(age: float) -> None:
    assert 5 <= next_poll_s(base_s=5, age_s=age, **MEASURED) <= 5 * CEILING  # type: ignore[arg-type]


def test_the_first_poll_comes_a_little_before_the_earliest_usual_end() -> None:
    assert next_poll_s(base_s=20, age_s=0, **MEASURED) == 54  # type: ignore[arg-type]
    assert next_poll_s(base_s=5, age_s=40, **MEASURED) == 14  # type: ignore[arg-type]


def test_where_most_tasks_end_an_end_is_seen_within_the_usual_interval() -> None:
    assert {next_poll_s(base_s=5, age_s=age, **MEASURED) for age in (54, 60, 80, 119, 180)} == {5}  # type: ignore[arg-type]


def test_a_late_task_is_asked_after_less_and_less_often() -> None:
    late = [next_poll_s(base_s=5, age_s=age, **MEASURED) for age in (121, 181, 240, 10_000)]  # type: ignore[arg-type]
    assert late == sorted(late)
    assert late[-1] == 5 * CEILING


def test_progress_that_people_watch_is_asked_for_more_often() -> None:
    assert next_poll_s(base_s=5, age_s=0, tells_progress=True, **MEASURED) == 10  # type: ignore[arg-type]
