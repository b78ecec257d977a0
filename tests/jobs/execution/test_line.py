"""The line before a provider: fair, counted from rows, and what happens when nobody moves in it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings

from billing.caps.queries import spend_of_job
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.core.events.queries import events_after
from genengine.workspaces.models import FallbackPolicy
from genengine.workspaces.policy import Principal
from jobs.execution import due
from jobs.execution.line import InFlight, Waiting, fair_order, places
from jobs.execution.models import Attempt, Clip, Job
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.rebalancing import rebalance, tell_recovered
from jobs.timeline.queries import timeline
from jobs.timeline.words import say
from providers.limits import TrafficLimits
from providers.traffic.models import Circuit, Throttle
from providers.traffic.revisions import revise_limits
from providers.traffic.services import circuit_of, note_signal, take_place
from tests.factories.jobs import KLING, KLING_PRICE, make_job, make_plan, make_principal, make_workspace
from tests.jobs.execution.test_control import accept, books, dispatch, states, types

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


def kling(job: Job) -> Circuit:
    return circuit_of(workspace=job.workspace, mode=job.mode, provider="kling", model="kling-2.6", now=clock.now())


def take_down(job: Job, kind: str = "transient") -> Circuit:
    circuit = kling(job)
    for _ in range(3):
        note_signal(circuit=circuit, call="submit", kind=kind, message="KlingAI answered 503.", now=clock.now())
    circuit.refresh_from_db()
    assert circuit.state == "open"
    return circuit


def policy(admin: Principal, value: str) -> None:
    admin.workspace.fallback_policy = value
    admin.workspace.save()


def lined_up(**sizes: int) -> list[Waiting]:
    """Waiting clips of one workspace, so many a job; jobs in the order given."""
    workspace, now = uuid4(), clock.now()
    return [
        Waiting(uuid4(), workspace, job, "live", "kling", name, False, now + timedelta(seconds=n), i, 50)
        for n, (name, size) in enumerate(sizes.items())
        for job in [uuid4()]
        for i in range(size)
    ]


NOTHING = InFlight({}, {}, {}, 0)


def test_jobs_of_a_workspace_take_turns() -> None:
    order = [one.model for one in fair_order(lined_up(large=4, small=2), NOTHING)]
    assert order == ["large", "small", "large", "small", "large", "large"]


def test_who_has_least_in_flight_is_next() -> None:
    line = lined_up(large=2, small=2)
    flying = InFlight({}, {line[0].job: 2}, {}, 0)
    assert [one.model for one in fair_order(line, flying)] == ["small", "small", "large", "large"]


def test_an_urgent_job_goes_first_in_its_workspace_and_no_further() -> None:
    calm, other = lined_up(calm=1), lined_up(other=1)
    hurried = Waiting(uuid4(), calm[0].workspace, uuid4(), "live", "kling", "urgent", True, clock.now(), 0, 50)
    order = [one.model for one in fair_order([*calm, hurried, *other], NOTHING)]
    assert order.index("urgent") < order.index("calm")
    assert order.index("other") < order.index("calm")


def test_a_vendors_places_are_filled_and_the_rest_stand_in_line(admin: Principal, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 2
    job = make_job(admin, make_plan(scenes=4, branches=(KLING,)))
    assert len(dispatch(job)) == 2
    assert dispatch(job) == []
    found = places(clips=list(job.clips.all()), workspace=job.workspace_id, mode=job.mode, now=clock.now())
    assert sorted(place.number for place in found.values()) == [1, 2]
    view = timeline(job=job, now=clock.now())
    steps = [clip.step for clip in view.branches[0].clips if clip.place]
    assert steps[0].startswith("1st in line at KlingAI, about ")
    assert steps[1].startswith("2nd in line at KlingAI, about ")


def test_a_models_own_places_are_filled_and_the_rest_of_its_clips_wait_for_them(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    revise_limits(
        provider="kling", model="kling-2.6", limits=TrafficLimits(parallel=1), effective_from=clock.now(),
        reason="the pack of this model", actor=SYSTEM, now=clock.now(),
    )  # fmt: skip
    assert len(due.dispatchable(now=clock.now(), limit=50)) == 1
    assert len(dispatch(job)) == 1
    assert dispatch(job) == []
    queued_one = job.clips.filter(state="queued").first()
    assert queued_one is not None
    assert dispatch_clip(clip_id=queued_one.pk, now=clock.now()) is None
    found = places(clips=list(job.clips.all()), workspace=job.workspace_id, mode=job.mode, now=clock.now())
    short, long = sorted(place.wait_s for place in found.values())
    assert 0 < short < long


def test_a_race_past_the_reading_is_stopped_at_the_taking(admin: Principal, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 1
    job = make_job(admin, make_plan(scenes=2, branches=(KLING,)))
    first, second = job.clips.all()
    assert dispatch_clip(clip_id=first.pk, now=clock.now()) is not None
    assert dispatch_clip(clip_id=second.pk, now=clock.now()) is None
    assert states(job).count("queued") == 1


def test_the_place_of_a_dead_process_comes_back_with_its_task(admin: Principal, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 1
    job = make_job(admin, make_plan(scenes=2, branches=(KLING,)))
    (attempt,) = dispatch(job)
    assert dispatch(job) == []
    Attempt.objects.filter(pk=attempt.pk).update(state="unknown", sent_at=clock.now() - timedelta(minutes=6))
    assert len(dispatch(job)) == 1


def test_a_job_and_a_workspace_have_their_own_limits(admin: Principal, settings: LazySettings) -> None:
    settings.GE_JOB_PARALLEL = 2
    first = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    second = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    assert len(due.dispatchable(now=clock.now(), limit=50)) == 4
    admin.workspace.parallel_generations = 3
    admin.workspace.save()
    dispatch(first)
    assert (first.attempts.count(), second.attempts.count()) == (2, 1)


def test_a_busy_vendor_is_waited_for_without_a_try(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    note_signal(circuit=kling(job), call="submit", kind="rate_limited", retry_after_s=40, now=clock.now())
    assert dispatch(job) == []
    assert due.dispatchable(now=clock.now() + timedelta(seconds=41), limit=5) == [job.clips.get().pk]
    view = timeline(job=job, now=clock.now())
    assert "the vendor is busy" in view.branches[0].clips[0].step
    assert view.eta_at is not None
    assert view.eta_at > clock.now() + timedelta(seconds=39)


def test_an_outage_moves_waiting_clips_by_the_policy_and_says_the_new_end(admin: Principal) -> None:
    policy(admin, FallbackPolicy.PROVIDER)
    job = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    flying = dispatch_clip(clip_id=job.clips.order_by("position")[0].pk, now=clock.now())
    assert flying is not None
    accept(flying)
    take_down(job)
    assert rebalance(now=clock.now()) == 1
    assert rebalance(now=clock.now()) == 0
    waiting = Clip.objects.filter(job=job, state="queued")
    assert waiting.count() == 2
    assert {c.provider for c in waiting}.isdisjoint({"kling", "local"})
    assert job.clips.get(pk=flying.clip_id).provider == "kling"
    (told,) = [e for e in events_after(subject_id=job.pk) if e.type == "job.rebalanced"]
    assert (told.data["provider"], told.data["clips"]) == ("kling", 2)
    assert told.data["eta_at"] > clock.now().isoformat()
    assert say(told)[0].startswith("KlingAI does not take its clips now: 2 go to ")
    assert types(job).count("clip.rerouted") == 2
    assert job.plans.count() == 2
    assert {a.provider for a in dispatch(job)} == {c.provider for c in waiting}


def test_nothing_is_moved_past_the_jobs_cap(admin: Principal) -> None:
    policy(admin, FallbackPolicy.PROVIDER)
    job = make_job(admin, make_plan(scenes=2, branches=(KLING,)), cap_micro=2 * KLING_PRICE)
    take_down(job)
    rebalance(now=clock.now())
    assert {c.provider for c in job.clips.all()} == {"kling"} or books(job)[0] <= 2 * KLING_PRICE
    cap = spend_of_job(job_id=job.pk)
    assert cap is not None
    dispatch(job)
    cap.refresh_from_db()
    assert cap.held_micro + cap.spent_micro <= cap.limit_micro


def test_without_leave_for_another_provider_clips_wait_and_then_a_local_take_stands_in(
    admin: Principal, settings: LazySettings
) -> None:
    settings.GE_WAIT_PATIENCE_S = 60
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    circuit = take_down(job)
    assert rebalance(now=clock.now()) == 1
    assert rebalance(now=clock.now()) == 0
    assert states(job) == ["queued"]
    assert types(job).count("job.delayed") == 1
    Circuit.objects.filter(pk=circuit.pk).update(retry_at=clock.now() + timedelta(hours=1))
    rebalance(now=clock.now() + timedelta(seconds=61))
    assert states(job) == ["needs_attention"]
    assert Attempt.objects.get(job=job).fallback
    assert books(job) == (0, 0)


def test_a_near_deadline_ends_the_waiting_early(admin: Principal) -> None:
    policy(admin, FallbackPolicy.ASK)
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    Job.objects.filter(pk=job.pk).update(deadline_at=clock.now() + timedelta(seconds=5))
    take_down(job)
    rebalance(now=clock.now())
    clip = job.clips.get()
    assert clip.state == "needs_attention"
    assert "is down" in clip.failure["cause"]
    assert clip.failure["who_pays"].startswith("nobody")


def test_a_long_line_at_a_busy_vendor_moves_clips_too(admin: Principal, settings: LazySettings) -> None:
    policy(admin, FallbackPolicy.PROVIDER)
    settings.GE_SATURATED_WAIT_S = 30
    job = make_job(admin, make_plan(scenes=2, branches=(KLING,)))
    note_signal(circuit=kling(job), call="submit", kind="rate_limited", retry_after_s=20, now=clock.now())
    assert rebalance(now=clock.now()) == 0
    note_signal(circuit=kling(job), call="submit", kind="rate_limited", retry_after_s=90, now=clock.now())
    assert rebalance(now=clock.now()) == 1
    assert "kling" not in {c.provider for c in job.clips.all()}


def test_a_job_is_told_when_the_vendor_works_again(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    circuit = take_down(job)
    rebalance(now=clock.now())
    assert circuit.retry_at is not None
    later, probe = circuit.retry_at + timedelta(seconds=1), job.clips.get().pk
    with unit_of_work():
        assert take_place(circuit=circuit, holder=probe, in_flight=lambda _: 0, now=later) is None
    change = note_signal(circuit=circuit, call="submit", holder=probe, now=later)
    tell_recovered(circuit=change.circuit, now=later)
    assert types(job)[-1] == "job.provider_recovered"


def test_a_healthy_line_is_left_alone(admin: Principal) -> None:
    policy(admin, FallbackPolicy.PROVIDER)
    job = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    kling(job)
    assert rebalance(now=clock.now()) == 0
    assert {c.provider for c in job.clips.all()} == {"kling"}
    assert Throttle.objects.count() == 1
