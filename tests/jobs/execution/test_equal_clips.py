"""Clips of one plan that ask the same of the same model: one is made and paid, the others wait for it and take it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from billing.caps.queries import spend_of_job
from billing.ledger.queries import ledger_problems
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.workspaces.models import FallbackPolicy, Mode
from genengine.workspaces.policy import Principal
from jobs.execution import due, tasks
from jobs.execution.models import Attempt, Clip, Job, TakeKind
from jobs.execution.reuse import with_reuse
from jobs.execution.services import (
    cancel_clip,
    pause_branch,
    rerun_clip,
    resume_branch,
    revise_job,
    settling,
    submitting,
)
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.rerouting import move_clips
from jobs.plan import Plan
from jobs.timeline.queries import timeline
from tests.factories.jobs import KLING, KLING_PRICE, make_job, make_plan, make_principal, make_workspace
from tests.factories.takes import deliver
from tests.support.processes import REPOSITORY

pytestmark = pytest.mark.django_db
REFUSED = {"kind": "content_refused", "message": "the vendor refuses these words"}
DISPATCHER = """
import django, sys, uuid; django.setup()
from genengine.core import clock
from jobs.execution.services.dispatching import dispatch_clip
now = clock.now()
for _ in range(10):
    for pk in sys.argv[1:]:
        dispatch_clip(clip_id=uuid.UUID(pk), now=now)
"""


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace(fallback_policy=FallbackPolicy.ASK))


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.GE_WORK_DIR = tmp_path / "work"


@pytest.fixture
def footage(example_media: Path) -> Path:
    return example_media / "video" / "product-turntable-portrait.mp4"


def plain_plan(variants: int = 2, *, reuse: str = "all") -> Plan:
    """One scene in variants that ask for exactly the same."""
    plan = make_plan(scenes=1, branches=(KLING,) * variants, reuse=reuse)
    return plan.with_changes(clips=tuple(replace(clip, prompt="One and the same picture") for clip in plan.clips))


def shared_plan(principal: Principal, variants: int = 2) -> Plan:
    return with_reuse(plain_plan(variants), workspace=principal.workspace.pk, mode=Mode.SIMULATED)


def dispatch() -> list[Attempt]:
    """One turn of the pump's line."""
    now = clock.now()
    started = [dispatch_clip(clip_id=pk, now=now) for pk in due.dispatchable(now=now, limit=50)]
    return [attempt for attempt in started if attempt is not None]


def refuse(attempt: Attempt) -> None:
    assert submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    settling.refuse_attempt(attempt_id=attempt.pk, error=REFUSED, retry_after_s=None, now=clock.now())


def books(job: Job) -> tuple[int, int]:
    cap = spend_of_job(job_id=job.pk)
    assert cap is not None
    assert ledger_problems() == []
    return cap.held_micro, cap.spent_micro


def clips_of(job: Job) -> list[Clip]:
    return list(job.clips.order_by("branch__position"))


def test_a_plan_counts_equal_clips_once_and_says_which_is_made(admin: Principal) -> None:
    plan = shared_plan(admin, 3)
    assert [clip.price_micro for clip in plan.clips] == [KLING_PRICE, 0, 0]
    assert plan.price_upper_micro == KLING_PRICE
    second = plan.clips[1].reuse
    assert second is not None
    assert (second.scene, second.branch, second.price_micro) == ("s1", "A", KLING_PRICE)
    assert "The same clip as scene 1 of variant A" in second.reason
    assert Plan.from_dict(plan.to_dict()) == plan


def test_equal_clips_are_made_each_where_the_plan_reuses_nothing(admin: Principal) -> None:
    for reuse in ("off", "seeded"):  # this model takes no seed
        plan = with_reuse(plain_plan(reuse=reuse), workspace=admin.workspace.pk, mode=Mode.SIMULATED)
        assert [clip.price_micro for clip in plan.clips] == [KLING_PRICE, KLING_PRICE]


def test_equal_clips_are_made_and_billed_once(admin: Principal, footage: Path) -> None:
    job = make_job(admin, shared_plan(admin, 3))
    (attempt,) = dispatch()
    assert books(job) == (KLING_PRICE, 0)
    assert dispatch() == []
    assert due.next_start_at(now=clock.now()) is None  # the pump does not turn for clips that stand by
    steps = [branch.clips[0].step for branch in timeline(job=job, now=clock.now()).branches]
    assert steps[1:] == ["Waits for the same clip, scene 1 of variant A"] * 2
    take = deliver(attempt, footage)
    brought = dispatch()
    assert {a.provider for a in brought} == {"local"}
    for one in brought:
        tasks.render_attempt(one.pk)
    assert [clip.state for clip in clips_of(job)] == ["ready"] * 3
    others = [clip.selected_take for clip in clips_of(job)[1:]]
    assert [(t.kind, t.parent_id, t.blob_id) for t in others if t] == [(TakeKind.REUSED, take.pk, take.blob_id)] * 2
    assert books(job) == (0, KLING_PRICE)
    assert Attempt.objects.filter(job=job, provider="kling").count() == 1


def test_when_the_first_is_refused_the_next_is_made_and_the_last_still_waits(admin: Principal, footage: Path) -> None:
    job = make_job(admin, shared_plan(admin, 3))
    (first,) = dispatch()
    refuse(first)
    (second,) = dispatch()
    assert (second.clip, second.provider, second.price_micro) == (clips_of(job)[1], "kling", KLING_PRICE)
    assert books(job) == (KLING_PRICE, 0)
    told = Event.objects.get(type="branch.dispatched", subject_id=second.clip_id)
    assert "made at its own price" in told.data["reason"]
    assert dispatch() == []
    deliver(second, footage)
    (third,) = dispatch()
    tasks.render_attempt(third.pk)
    assert [clip.state for clip in clips_of(job)] == ["needs_attention", "ready", "ready"]
    assert books(job) == (0, KLING_PRICE)


def test_when_a_local_take_stands_in_for_the_first_the_second_is_made_by_its_model(admin: Principal) -> None:
    admin.workspace.fallback_policy = FallbackPolicy.LOCAL
    admin.workspace.save()
    make_job(admin, shared_plan(admin))
    (first,) = dispatch()
    refuse(first)
    (second,) = dispatch()
    assert (second.provider, second.reuses) == ("kling", {})


def test_when_the_first_is_cancelled_the_second_is_made(admin: Principal) -> None:
    job = make_job(admin, shared_plan(admin))
    cancel_clip(clip=clips_of(job)[0], principal=admin, now=clock.now())
    assert books(job) == (0, 0)
    (second,) = dispatch()
    assert (second.clip, second.provider) == (clips_of(job)[1], "kling")
    assert books(job) == (KLING_PRICE, 0)


def test_a_first_clip_that_is_paused_is_waited_for_and_the_page_says_so(admin: Principal, footage: Path) -> None:
    job = make_job(admin, shared_plan(admin))
    branch = job.branches.get(key="A")
    pause_branch(branch=branch, principal=admin, now=clock.now())
    assert dispatch() == []
    assert timeline(job=job, now=clock.now()).branches[1].clips[0].step.endswith("variant A, which is paused")
    resume_branch(branch=branch, principal=admin, now=clock.now())
    (first,) = dispatch()
    deliver(first, footage)
    (second,) = dispatch()
    assert second.provider == "local"


def test_a_rerun_of_the_second_is_made_anew_and_one_of_the_first_leaves_it(admin: Principal, footage: Path) -> None:
    job = make_job(admin, shared_plan(admin))
    (first,) = dispatch()
    deliver(first, footage)
    (brought,) = dispatch()
    tasks.render_attempt(brought.pk)
    one, two = clips_of(job)
    rerun_clip(clip=one, principal=admin, now=clock.now())
    (again,) = dispatch()
    assert (again.clip, again.provider) == (one, "kling")
    two.refresh_from_db()
    assert two.state == "ready"
    rerun_clip(clip=two, principal=admin, now=clock.now())
    (anew,) = dispatch()
    assert (anew.clip, anew.provider, anew.price_micro) == (two, "kling", KLING_PRICE)


def test_when_the_first_goes_to_another_vendor_the_second_does_not_wait_for_it(admin: Principal) -> None:
    from genengine.core.db import unit_of_work
    from jobs.execution.services.folding import lock_job

    job = make_job(admin, shared_plan(admin, 3))
    with unit_of_work():
        moved = move_clips(job=lock_job(job.pk), clips=clips_of(job)[:1], now=clock.now())
    assert moved is not None
    started = {attempt.clip_id: attempt.provider for attempt in dispatch()}
    one, two, three = clips_of(job)
    assert started[two.pk] == "kling"
    assert started[one.pk] != "kling"
    assert three.pk not in started


def test_a_newer_plan_without_the_equal_lets_the_second_go_its_own_way(admin: Principal) -> None:
    job = make_job(admin, shared_plan(admin))
    plan = plain_plan()
    changed = plan.with_changes(clips=(replace(plan.clips[0], prompt="Another picture"), plan.clips[1]))
    now = clock.now()
    revise_job(job=job, plan=with_reuse(changed, workspace=admin.workspace.pk, mode=job.mode), principal=admin, now=now)
    assert [(clip.provider, clip.waits_for_id) for clip in clips_of(job)] == [("kling", None)] * 2
    assert len(dispatch()) == 2
    assert books(job) == (2 * KLING_PRICE, 0)


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_start_only_the_first(process_environment: dict[str, str]) -> None:
    job = make_job(make_principal(make_workspace()), shared_plan(make_principal(make_workspace()), 3))
    ids = [str(clip.pk) for clip in clips_of(job)]
    orders = (ids, ids[::-1])
    racers = [
        subprocess.Popen([sys.executable, "-c", DISPATCHER, *order], cwd=REPOSITORY, env=process_environment)
        for order in orders
    ]
    assert [racer.wait(120) for racer in racers] == [0, 0]
    (attempt,) = Attempt.objects.all()
    assert str(attempt.clip_id) == ids[0]
    assert books(job) == (KLING_PRICE, 0)
