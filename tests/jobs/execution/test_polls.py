"""Polls: claimed once, asked by many threads, and cheap when nothing is new."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import LazySettings

from genengine.core import clock
from genengine.core.events.queries import events_after
from genengine.workspaces.policy import Principal
from jobs.execution import due
from jobs.execution.models import Attempt, Exchange, Job
from jobs.execution.polls import Polls
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace
from tests.jobs.execution.test_control import accept, dispatch
from tests.support.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
INTERVAL_S = 5.0


@pytest.fixture
def admin(settings: LazySettings) -> Principal:
    settings.GE_SIMULATED_POLL_INTERVAL_S = INTERVAL_S
    settings.GE_PROVIDER_PARALLEL = 20
    return make_principal(make_workspace())


class Vendor(ThreadingHTTPServer):
    """Answers every poll with "processing"; those whose address holds a word of ``hangs`` wait for ``go_on``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.hangs = ""
        self.go_on = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Vendor

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.hangs and self.server.hangs in self.path:
            self.server.go_on.wait(60)
        body = b'{"id": "r", "status": "processing"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def vendor(settings: LazySettings) -> Iterator[Vendor]:
    server = Vendor()
    settings.EMULATOR_URL = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def polls() -> Iterator[Callable[[int], Polls]]:
    made: list[Polls] = []

    def make(threads: int) -> Polls:
        made.append(Polls(threads=threads))
        return made[-1]

    yield make
    for one in made:
        one.close()


def in_flight(admin: Principal, scenes: int, *, provider: str = "kling") -> list[Attempt]:
    """Clips that a vendor has accepted, their polls due now."""
    job: Job = make_job(admin, make_plan(branches=(KLING,), scenes=scenes))
    attempts = dispatch(job)
    assert len(attempts) == scenes
    for attempt in attempts:
        accept(attempt)
    rows = Attempt.objects.filter(job=job)
    rows.update(next_poll_at=clock.now(), provider=provider)
    return list(rows)


def claimed(now: datetime, **options: object) -> list[object]:
    return [poll.attempt for poll in due.claim_polls(now=now, limit=50, **options)]  # type: ignore[arg-type]


def test_a_claim_is_a_rescheduling_and_nobody_gets_it_twice(admin: Principal) -> None:
    attempts, now = in_flight(admin, 3), clock.now()
    assert sorted(map(str, claimed(now))) == sorted(str(a.pk) for a in attempts)
    assert claimed(now) == []
    assert set(Attempt.objects.values_list("polls", flat=True)) == {1}
    assert claimed(now + timedelta(seconds=INTERVAL_S)) != []


def test_an_attempt_asked_about_in_time_keeps_its_place_and_no_lateness_adds_up(admin: Principal) -> None:
    (attempt,), planned = in_flight(admin, 1), clock.now() - timedelta(seconds=1)
    for turn in range(1, 4):
        Attempt.objects.filter(pk=attempt.pk).update(next_poll_at=planned)
        claimed(planned + timedelta(seconds=1))
        attempt.refresh_from_db()
        assert attempt.next_poll_at == planned + timedelta(seconds=INTERVAL_S), turn


def test_attempts_that_a_dead_pump_left_are_spread_anew_and_none_waits_longer_than_an_interval(
    admin: Principal,
) -> None:
    in_flight(admin, 6)
    now = clock.now() + timedelta(minutes=5)
    claimed(now)
    moments = set(Attempt.objects.values_list("next_poll_at", flat=True))
    assert len(moments) == 6
    latest = max(m for m in moments if m is not None)
    assert latest <= now + timedelta(seconds=INTERVAL_S)


def test_a_provider_that_has_its_share_is_left_for_later(admin: Principal) -> None:
    in_flight(admin, 2)
    (other,) = in_flight(admin, 1, provider="runway")
    assert claimed(clock.now(), full=["kling"]) == [other.pk]
    assert len(claimed(clock.now())) == 2


def test_a_poll_that_tells_nothing_new_costs_its_claim_and_a_call_kept_with_others(
    admin: Principal, vendor: Vendor, polls: Callable[[int], Polls]
) -> None:
    attempts = in_flight(admin, 3, provider="replicate")
    told = len(events_after(subject_id=attempts[0].job_id))
    running = polls(4)
    running.turn(clock.now())
    wait_for(lambda: len(vendor.asked) == 3, what="the polls")
    running.close()
    assert {(a.state, a.polls) for a in Attempt.objects.all()} == {("submitted", 1)}
    assert len(events_after(subject_id=attempts[0].job_id)) == told
    assert Exchange.objects.filter(purpose="poll").count() == 3


def test_a_vendor_that_hangs_does_not_keep_others_from_being_asked(
    admin: Principal, vendor: Vendor, polls: Callable[[int], Polls]
) -> None:
    vendor.hangs = "/kling/"
    in_flight(admin, 12)
    in_flight(admin, 1, provider="replicate")
    Attempt.objects.filter(provider="replicate").update(next_poll_at=clock.now() + timedelta(milliseconds=1))
    running = polls(4)

    def asked() -> bool:
        running.turn(clock.now())
        return any("/replicate/" in path for path in vendor.asked)

    wait_for(asked, within_s=30, what="the poll of the other vendor")
    assert not vendor.go_on.is_set()
    assert 0 < sum("/kling/" in path for path in vendor.asked) < 4
    vendor.go_on.set()


def test_an_attempt_is_not_asked_about_again_while_its_answer_is_awaited(
    admin: Principal, vendor: Vendor, polls: Callable[[int], Polls]
) -> None:
    vendor.hangs = "/replicate/"
    (attempt,) = in_flight(admin, 1, provider="replicate")
    running = polls(4)
    running.turn(clock.now())
    wait_for(lambda: len(vendor.asked) == 1, what="the poll")
    for _ in range(3):
        Attempt.objects.filter(pk=attempt.pk).update(next_poll_at=clock.now())
        running.turn(clock.now())
    vendor.go_on.set()
    running.close()
    assert len(vendor.asked) == 1
