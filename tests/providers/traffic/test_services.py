"""Places at a vendor: tokens, parallel tasks, waits that the vendor asks for, the circuit and its one probe."""

import subprocess
import sys
import uuid
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.conf import LazySettings

from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.core.events.queries import events_after
from genengine.workspaces.models import Workspace
from providers.limits import TrafficLimits
from providers.traffic.models import Circuit, Signal, Throttle
from providers.traffic.queries import passages, wait_of
from providers.traffic.revisions import revise_limits
from providers.traffic.services import (
    LONGEST_OPEN_S,
    PROBE_LEASE,
    circuit_of,
    forget_signals,
    free_probe,
    note_signal,
    take_place,
)
from providers.traffic.states import CircuitState
from providers.traffic.types import Wait, WaitReason
from tests.factories.jobs import make_workspace
from tests.support.processes import REPOSITORY

MODEL = "kling-2.6"
TAKER = """
import django, sys, uuid; django.setup()
from genengine.core import clock
from genengine.core.db import unit_of_work
from providers.traffic.models import Circuit
from providers.traffic.services import take_place
circuit = Circuit.objects.get(pk=sys.argv[1])
now, taken = clock.now().fromisoformat(sys.argv[3]), 0
for _ in range(int(sys.argv[2])):
    with unit_of_work():
        taken += take_place(circuit=circuit, holder=uuid.uuid4(), in_flight=lambda _: 0, now=now) is None
print(taken)
"""


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def circuit(workspace: Workspace) -> Circuit:
    return make_circuit(workspace)


def make_circuit(workspace: Workspace, *, provider: str = "kling", model: str = MODEL) -> Circuit:
    return circuit_of(workspace=workspace, mode="simulated", provider=provider, model=model, now=clock.now())


def take(circuit: Circuit, *, now: datetime, flying: int = 0, holder: uuid.UUID | None = None) -> Wait | None:
    with unit_of_work():
        return take_place(circuit=circuit, holder=holder or uuid.uuid4(), in_flight=lambda _: flying, now=now)


def fail(circuit: Circuit, *, now: datetime, times: int = 1, kind: str = "transient", **facts: object) -> None:
    for _ in range(times):
        note_signal(circuit=circuit, call="submit", kind=kind, message="it broke", now=now, **facts)  # type: ignore[arg-type]


def state(circuit: Circuit) -> str:
    circuit.refresh_from_db()
    return circuit.state


def test_the_bucket_lets_a_burst_through_and_then_what_it_refills(circuit: Circuit, settings: LazySettings) -> None:
    settings.GE_PROVIDER_SUBMITS_PER_MINUTE = 60
    Throttle.objects.update(tokens=6)
    now = clock.now()
    waits = [take(circuit, now=now) for _ in range(7)]
    assert [w is None for w in waits] == [True] * 6 + [False]
    assert waits[-1] is not None
    assert waits[-1].reason is WaitReason.RATE
    assert waits[-1].until == pytest.approx(now + timedelta(seconds=1), abs=timedelta(milliseconds=50))
    assert take(circuit, now=now + timedelta(seconds=2)) is None


def test_a_full_account_takes_nothing_more(circuit: Circuit, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 5
    assert take(circuit, now=clock.now(), flying=4) is None
    refused = take(circuit, now=clock.now(), flying=5)
    assert refused is not None
    assert refused.reason is WaitReason.PARALLEL


def test_a_vendors_published_limit_holds_below_the_installations(workspace: Workspace, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 50
    heygen = make_circuit(workspace, provider="heygen", model="heygen-avatar")
    assert take(heygen, now=clock.now(), flying=9) is None
    assert take(heygen, now=clock.now(), flying=10) is not None


def test_retry_after_blocks_the_account_and_is_no_sign_of_sickness(workspace: Workspace, circuit: Circuit) -> None:
    now = clock.now()
    for _ in range(10):
        fail(circuit, now=now, kind="rate_limited", retry_after_s=30)
    assert state(circuit) == CircuitState.CLOSED
    for model in (circuit, make_circuit(workspace, model="kling-3.0-turbo")):
        refused = take(model, now=now + timedelta(seconds=29))
        assert refused is not None
        assert refused.reason is WaitReason.SATURATED
    assert take(circuit, now=now + timedelta(seconds=31)) is None


def test_a_busy_vendor_that_names_no_time_is_left_alone_for_longer_each_time(circuit: Circuit) -> None:
    now, waits = clock.now(), []
    for _ in range(5):
        fail(circuit, now=now, kind="rate_limited")
        blocked = Throttle.objects.get().blocked_until
        assert blocked is not None
        waits.append((blocked - now).total_seconds())
    assert waits[-1] > 4 * waits[0]
    assert max(waits) <= 60
    note_signal(circuit=circuit, call="submit", now=now)
    assert Throttle.objects.get().blocked_until is None


def test_failures_open_the_circuit_and_the_log_says_why(workspace: Workspace, circuit: Circuit) -> None:
    now = clock.now()
    fail(circuit, now=now, times=2)
    assert state(circuit) == CircuitState.CLOSED
    fail(circuit, now=now)
    assert state(circuit) == CircuitState.OPEN
    refused = take(circuit, now=now)
    assert refused is not None
    assert (refused.reason, refused.words) == (WaitReason.CIRCUIT, "it broke")
    (opened,) = events_after(subject_id=workspace.pk)
    assert (opened.type, opened.data["provider"], opened.data["reason"]) == (
        "provider.circuit_opened", "kling", "it broke",
    )  # fmt: skip


def test_a_few_failures_among_many_successes_do_not(circuit: Circuit) -> None:
    now = clock.now()
    for _ in range(4):
        note_signal(circuit=circuit, call="task", now=now)
        note_signal(circuit=circuit, call="task", now=now)
        fail(circuit, now=now)
    assert state(circuit) == CircuitState.CLOSED


def test_a_vendor_that_accepts_every_task_and_fails_it_is_not_half_well(circuit: Circuit) -> None:
    now = clock.now()
    for _ in range(3):
        note_signal(circuit=circuit, call="submit", now=now)
        note_signal(circuit=circuit, call="submit", now=now)
        note_signal(circuit=circuit, call="task", kind="transient", message="it failed", now=now)
    assert state(circuit) == CircuitState.OPEN


def test_a_refused_input_is_the_answer_of_a_healthy_vendor(circuit: Circuit) -> None:
    fail(circuit, now=clock.now(), times=10, kind="content_refused")
    assert state(circuit) == CircuitState.CLOSED


def test_one_model_that_is_down_leaves_the_others_open(workspace: Workspace, circuit: Circuit) -> None:
    fail(circuit, now=clock.now(), times=3)
    assert take(make_circuit(workspace, model="kling-3.0-turbo"), now=clock.now()) is None


def test_one_workspaces_trouble_is_not_anothers(circuit: Circuit) -> None:
    fail(circuit, now=clock.now(), times=3)
    assert take(make_circuit(make_workspace("other")), now=clock.now()) is None


def opened(circuit: Circuit) -> datetime:
    """Open the circuit; return the time of its probe."""
    fail(circuit, now=clock.now(), times=3)
    circuit.refresh_from_db()
    assert circuit.retry_at is not None
    return circuit.retry_at + timedelta(seconds=1)


def test_the_probe_alone_goes_and_its_result_closes_the_circuit(workspace: Workspace, circuit: Circuit) -> None:
    later, probe = opened(circuit), uuid.uuid4()
    assert take(circuit, now=later, holder=probe) is None
    assert state(circuit) == CircuitState.HALF_OPEN
    assert take(circuit, now=later) is not None
    note_signal(circuit=circuit, call="task", holder=uuid.uuid4(), now=later)
    assert state(circuit) == CircuitState.HALF_OPEN
    assert not note_signal(circuit=circuit, call="submit", holder=probe, now=later).closed
    assert take(circuit, now=later) is not None
    assert note_signal(circuit=circuit, call="task", holder=probe, seconds=9.0, now=later).closed
    assert take(circuit, now=later) is None
    kinds = [e.type for e in events_after(subject_id=workspace.pk)]
    assert kinds == ["provider.circuit_opened", "provider.circuit_probed", "provider.circuit_closed"]


def test_a_vendor_that_accepts_and_fails_everything_is_asked_less_and_less_often(circuit: Circuit) -> None:
    now, waits = opened(circuit), []
    for _ in range(8):
        probe = uuid.uuid4()
        assert take(circuit, now=now, holder=probe) is None
        note_signal(circuit=circuit, call="submit", holder=probe, now=now)
        note_signal(circuit=circuit, call="task", holder=probe, kind="transient", message="it ended", now=now)
        circuit.refresh_from_db()
        assert circuit.state == CircuitState.OPEN
        assert circuit.retry_at is not None
        waits.append((circuit.retry_at - now).total_seconds())
        now = circuit.retry_at + timedelta(seconds=1)
    assert all(longer > shorter for shorter, longer in pairwise(waits[:4]))
    assert waits[3] > 4 * waits[0]
    assert 0.8 * LONGEST_OPEN_S <= waits[-1] <= 1.2 * LONGEST_OPEN_S


def test_an_accepted_probe_has_the_time_that_tasks_take(circuit: Circuit) -> None:
    later, probe = opened(circuit), uuid.uuid4()
    Circuit.objects.update(late_s=200.0)
    take(circuit, now=later, holder=probe)
    note_signal(circuit=circuit, call="submit", holder=probe, now=later)
    assert take(circuit, now=later + timedelta(seconds=590)) is not None
    assert take(circuit, now=later + timedelta(seconds=610)) is None


@pytest.mark.parametrize(("call", "kind"), [("submit", "invalid_request"), ("task", "content_refused")])
def test_a_probe_whose_input_is_refused_proves_nothing_and_the_next_request_finds_out(
    circuit: Circuit, call: str, kind: str
) -> None:
    later, probe, following = opened(circuit), uuid.uuid4(), uuid.uuid4()
    take(circuit, now=later, holder=probe)
    assert not note_signal(circuit=circuit, call=call, holder=probe, kind=kind, now=later).closed
    assert state(circuit) == CircuitState.HALF_OPEN
    assert take(circuit, now=later, holder=following) is None
    assert note_signal(circuit=circuit, call="task", holder=following, now=later).closed


def test_a_probe_that_was_called_off_makes_room_for_the_next(circuit: Circuit) -> None:
    later, probe = opened(circuit), uuid.uuid4()
    take(circuit, now=later, holder=probe)
    free_probe(circuit=circuit, holder=uuid.uuid4(), now=later)
    assert take(circuit, now=later) is not None
    free_probe(circuit=circuit, holder=probe, now=later)
    assert take(circuit, now=later) is None


def test_a_failed_probe_opens_it_again_for_longer(circuit: Circuit) -> None:
    later, probe = opened(circuit), uuid.uuid4()
    first = later - clock.now()
    take(circuit, now=later, holder=probe)
    fail(circuit, now=later, holder=probe)
    circuit.refresh_from_db()
    assert (circuit.state, circuit.opens) == (CircuitState.OPEN, 2)
    assert circuit.retry_at is not None
    assert circuit.retry_at - later > first


def test_a_probe_whose_process_died_is_replaced(circuit: Circuit) -> None:
    later = opened(circuit)
    assert take(circuit, now=later) is None
    assert take(circuit, now=later + PROBE_LEASE / 2) is not None
    assert take(circuit, now=later + PROBE_LEASE + timedelta(seconds=1)) is None


def test_a_rejected_key_stops_at_once_and_says_so(circuit: Circuit) -> None:
    fail(circuit, now=clock.now(), kind="credentials_rejected")
    refused = take(circuit, now=clock.now())
    assert refused is not None
    assert refused.reason is WaitReason.ACCOUNT


def test_durations_are_measured_from_the_newest_tasks(circuit: Circuit) -> None:
    for seconds in range(1, 101):
        note_signal(circuit=circuit, call="task", seconds=float(seconds), now=clock.now() + timedelta(seconds=seconds))
    circuit.refresh_from_db()
    assert (circuit.early_s, circuit.usual_s, circuit.late_s, circuit.measured) == (56, 76, 96, 50)


def test_reading_says_what_taking_would(workspace: Workspace, circuit: Circuit) -> None:
    now = clock.now()
    key = (workspace.pk, "simulated", "kling", MODEL)
    assert passages(workspaces=[workspace.pk], now=now)[key].wait is None
    fail(circuit, now=now, times=3)
    wait = passages(workspaces=[workspace.pk], now=now)[key].wait
    assert wait == take(circuit, now=now)
    circuit.refresh_from_db()
    assert wait_of(circuit, now=now) == wait


def test_old_signals_are_forgotten(circuit: Circuit) -> None:
    note_signal(circuit=circuit, call="submit", now=clock.now() - timedelta(days=8))
    note_signal(circuit=circuit, call="submit", now=clock.now())
    assert forget_signals(clock.now()) == 1
    assert Signal.objects.count() == 1


def race(circuit: Circuit, environment: dict[str, str], *, now: datetime, each: int) -> int:
    """Five processes ask for places at once; returns how many they were given."""
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(circuit.pk), str(each), now.isoformat()],
            env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(5)
    ]  # fmt: skip
    return sum(int(taker.communicate(timeout=300)[0]) for taker in takers)


@pytest.mark.django_db(transaction=True)
def test_no_race_of_processes_takes_a_token_twice(process_environment: dict[str, str]) -> None:
    circuit = make_circuit(make_workspace())
    now = clock.now()
    Throttle.objects.update(tokens=17, refilled_at=now)
    assert race(circuit, process_environment, now=now, each=10) == 17


@pytest.mark.django_db(transaction=True)
def test_no_race_of_processes_takes_a_models_own_token_twice(process_environment: dict[str, str]) -> None:
    circuit, now = make_circuit(make_workspace()), clock.now()
    revise_limits(
        provider="kling", model=MODEL, limits=TrafficLimits(per_minute=60, burst=13), effective_from=now,
        reason="the pack of this model", actor=SYSTEM, now=now,
    )  # fmt: skip
    assert race(circuit, process_environment, now=now, each=10) == 13
    circuit.refresh_from_db()
    assert circuit.tokens == 0


@pytest.mark.django_db(transaction=True)
def test_exactly_one_process_is_the_probe(process_environment: dict[str, str]) -> None:
    circuit = make_circuit(make_workspace())
    later = opened(circuit)
    assert race(circuit, process_environment, now=later, each=5) == 1
    assert state(circuit) == CircuitState.HALF_OPEN
