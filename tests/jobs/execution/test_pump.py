"""The pump sleeps while nothing is due, and an event wakes it."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from genengine.core.events.services import CHANNEL
from jobs.execution import pump as pumping
from jobs.execution import waking
from jobs.execution.models import Attempt
from jobs.execution.pump import Pump
from jobs.execution.waking import DEAF_S, Bell
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace
from tests.support.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sleeping_pump(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pump]:
    """A pump whose line would sleep for an hour, and does."""
    monkeypatch.setattr(pumping, "IDLE_S", 3600.0)
    pump = Pump(threads=2)
    slept = threading.Event()
    wait = pump.bell.wait

    def waiting(seconds: float) -> bool:
        if pump.bell.is_listening and seconds > 60:
            slept.set()
        return wait(seconds)

    monkeypatch.setattr(pump.bell, "wait", waiting)
    thread = threading.Thread(target=_run, args=(pump,), daemon=True)
    thread.start()
    try:
        assert slept.wait(60)
        yield pump
    finally:
        pump.stop()
        with connection.cursor() as cursor:  # an hour is an hour: end its sleep by any event
            cursor.execute(f"SELECT pg_notify('{CHANNEL}', '[]')")
        thread.join(60)
    assert not thread.is_alive()


def _run(pump: Pump) -> None:
    try:
        pump.run()
    finally:
        connection.close()


def test_a_clip_that_another_process_queues_is_started_without_waiting_for_the_longest_sleep(
    sleeping_pump: Pump,
) -> None:
    job = make_job(make_principal(make_workspace()), make_plan(branches=(KLING,), scenes=1))
    wait_for(lambda: Attempt.objects.filter(job=job).exists(), within_s=60, what="the clip's dispatch")


class Clock(threading.Event):
    """Notes how long somebody wanted to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return False


def test_who_cannot_hear_events_asks_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise psycopg.OperationalError("no more connections")

    monkeypatch.setattr(psycopg, "connect", refuse)
    slept = Clock()
    bell = Bell(slept)
    assert not bell.wait(3600)
    assert slept.asked == [DEAF_S]


def test_a_bell_whose_connection_is_cut_listens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waking, "RECONNECT_S", 0.0)
    bell = Bell(Clock())
    assert bell.wait(20), "it looks again when it begins to listen"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'")
    assert not bell.wait(20)
    assert not bell.is_listening
    assert bell.wait(20)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_notify('{CHANNEL}', '[]')")
    assert bell.wait(20)
    bell.close()
