"""What the live page paints: one read, in words, in a constant number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from genengine.core import clock
from genengine.core.events.queries import last_sequence
from genengine.workspaces.policy import Principal
from jobs.execution.models import Job
from jobs.execution.services import cancel_clip, pause_job
from jobs.execution.states import ATTEMPT, CLIP, MASTER
from jobs.timeline.queries import timeline
from jobs.timeline.words import people_state, say
from tests.factories.jobs import KLING, KLING_PRICE, LOCAL, make_job, make_plan, make_principal, make_workspace
from tests.factories.masters import make_finished_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


def test_a_fresh_job_shows_its_board_its_money_and_when_it_should_be_done(admin: Principal) -> None:
    job = make_job(admin, make_plan(branches=(KLING, LOCAL)))
    view = timeline(job=job, now=clock.now())
    assert [b.name for b in view.branches] == ["Variant 0", "Variant 1"]
    assert {c.people for b in view.branches for c in b.clips} == {"Queued"}
    assert (view.spend.held_micro, view.spend.spent_micro) == (3 * KLING_PRICE, 0)
    assert view.spend.forecast_micro == 3 * KLING_PRICE
    assert view.eta_at is not None
    assert view.eta_at > clock.now()
    assert view.last_seq == last_sequence(subject_id=job.pk)
    assert view.log[0].text == "Job started"


def test_a_finished_job_has_takes_masters_and_no_eta(admin: Principal) -> None:
    job = make_finished_job(admin, ratios=("9:16", "1:1"))
    view = timeline(job=job, now=clock.now())
    assert (view.people, view.progress, view.eta_at) == ("Done", 1.0, None)
    assert all(c.selected is not None for b in view.branches for c in b.clips)
    assert [m.people for b in view.branches for m in b.masters] == ["Done", "Done"]


def test_a_clip_says_what_a_person_may_do_to_it(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=2))
    first, second = job.clips.order_by("position")
    cancel_clip(clip=first, principal=admin, now=clock.now())
    pause_job(job=job, principal=admin, now=clock.now())
    rows = timeline(job=job, now=clock.now()).branches[0].clips
    assert rows[0].actions == ("rerun", "lock")
    assert rows[1].actions == ("resume", "cancel", "lock")
    assert second.pk == rows[1].id


def count(job: Job) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        timeline(job=job, now=clock.now())
    return len(queries)


def test_the_number_of_queries_does_not_grow_with_the_job(admin: Principal) -> None:
    small = make_finished_job(admin, scenes=2)
    large = make_finished_job(admin, scenes=8, branches=(LOCAL, LOCAL, LOCAL))
    assert count(large) == count(small) <= 12


def test_every_event_of_the_machines_is_said_in_words_and_not_by_its_name(admin: Principal) -> None:
    from genengine.core.events.models import Event

    for row in (*CLIP.table, *ATTEMPT.table, *MASTER.table):
        event = Event(type=row.event, data={"scene": "s2", "provider": "kling", "ratio": "9:16", "state": "ready"})
        text, tone = say(event)
        assert text.startswith("Scene 2: ")
        assert "{" not in text
        assert tone in ("plain", "good", "warn", "bad")


def test_the_log_spells_providers_and_states_as_people_do() -> None:
    from genengine.core.events.models import Event

    assert say(Event(type="attempt.submitted", data={"provider": "runway"}))[0] == "Accepted by RunwayML"
    assert say(Event(type="job.updated", data={"state": "needs_attention"}))[0] == "Job: needs attention"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("held", "On hold: budget"),
        ("composing", "Rendering"),
        ("checking", "QC"),
        ("needs_attention", "Needs attention"),
    ],
)
def test_people_see_the_words_of_the_design(state: str, word: str) -> None:
    assert people_state(state) == word
