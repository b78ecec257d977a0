"""A task that was counted as spent and comes back after all: its money is corrected once, its result is an extra."""

from datetime import timedelta

import pytest

from billing.ledger.models import Entry, EntryKind
from billing.ledger.services import SettlementRefused, correct_late
from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.core.states import TransitionRefused
from genengine.workspaces.models import FallbackPolicy
from genengine.workspaces.policy import Principal
from jobs.execution import polling
from jobs.execution.models import Attempt, Job, TakeKind
from jobs.execution.services import settling, submitting
from jobs.execution.services.dispatching import dispatch_clip
from tests.factories.jobs import KLING, KLING_PRICE, make_job, make_plan, make_principal, make_workspace
from tests.jobs.execution.test_control import books, deliver, states, types

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


def presumed(job: Job) -> Attempt:
    attempt = dispatch_clip(clip_id=job.clips.get().pk, now=clock.now())
    assert attempt is not None
    submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    settling.lose_attempt(attempt_id=attempt.pk, window=timedelta(hours=1), reason="lost", now=clock.now())
    settling.presume_spent(attempt_id=attempt.pk, now=clock.now())
    return attempt


def surface(attempt: Attempt) -> None:
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id="late-1", details={}, poll_after=timedelta(0), now=clock.now()
    )


def finish(attempt: Attempt, cost_micro: int) -> None:
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=cost_micro, vendor_amount=None, vendor_currency="", now=clock.now()
    )
    deliver(attempt, b"late")


def test_the_money_is_corrected_once_and_the_result_is_an_extra_take(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    attempt = presumed(job)
    deliver(Attempt.objects.get(fallback=True))
    assert books(job) == (0, KLING_PRICE)
    surface(attempt)
    with pytest.raises(TransitionRefused):
        surface(attempt)
    finish(attempt, 150_000)
    assert books(job) == (0, 150_000)
    assert list(Entry.objects.filter(kind=EntryKind.LATE).values_list("spent_delta_micro", flat=True)) == [
        150_000 - KLING_PRICE
    ]
    clip = job.clips.get()
    assert (clip.state, clip.selected_take.kind, job.takes.count()) == ("ready", TakeKind.FALLBACK, 2)
    assert {"attempt.surfaced", "take.extra"} <= set(types(job))
    attempt.refresh_from_db()
    with pytest.raises(SettlementRefused), unit_of_work():
        correct_late(reservation=attempt.reservation, attempt_id=attempt.pk, actual_micro=1, now=clock.now())
    assert books(job) == (0, 150_000)


def test_one_that_failed_at_the_vendor_gives_its_money_back_and_changes_nothing_else(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    attempt = presumed(job)
    surface(attempt)
    error = {"kind": "transient", "message": "it failed"}
    settling.fail_attempt(attempt_id=attempt.pk, error=error, stage="generate", now=clock.now())
    assert books(job) == (0, 0)
    assert states(job) == ["needs_attention"]
    assert job.attempts.filter(fallback=True).count() == 1


def test_a_clip_that_a_person_was_asked_about_keeps_waiting_for_the_person(admin: Principal) -> None:
    admin.workspace.fallback_policy = FallbackPolicy.ASK
    admin.workspace.save()
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    attempt = presumed(job)
    surface(attempt)
    finish(attempt, KLING_PRICE)
    clip = job.clips.get()
    assert (clip.state, clip.selected_take, job.takes.count()) == ("needs_attention", None, 1)


def test_a_vendor_that_can_be_asked_is_asked_once_more(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    attempt = presumed(job)
    attempt.refresh_from_db()
    assert attempt.next_poll_at is not None
    assert attempt.next_poll_at - clock.now() > settling.LATE_LOOK - timedelta(minutes=1)
    submitting.look_no_more(attempt_id=attempt.pk)
    attempt.refresh_from_db()
    assert attempt.next_poll_at is None


def test_a_model_whose_tasks_are_not_listed_is_given_up_after_one_late_look(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(("heygen", "heygen-video-1"),)))
    attempt = presumed(job)
    Attempt.objects.filter(pk=attempt.pk).update(next_poll_at=clock.now())
    polling.poll_attempt(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_poll_at) == ("presumed_spent", None)
