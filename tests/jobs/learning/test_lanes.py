"""A plan that is made during an outage avoids the sick vendor and says so."""

from datetime import timedelta

import pytest
from django.conf import LazySettings

from genengine.core import clock
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Principal
from jobs.execution.models import Job
from jobs.learning.queries import measured
from jobs.routing.choose import choose_models
from jobs.routing.queries import candidates
from jobs.routing.types import BranchNeed, Candidate, Lane, Limits, Profile, Routing, SceneNeed
from providers.traffic.models import Circuit
from providers.traffic.services import circuit_of, note_signal
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace
from tests.jobs.execution.test_control import accept, dispatch

pytestmark = pytest.mark.django_db
SCENE = SceneNeed("s1", 4_000, 5)
RIVALS = ("kling", "runway")


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


def circuit(admin: Principal, mode: str = Mode.SIMULATED) -> Circuit:
    provider, model = KLING
    return circuit_of(workspace=admin.workspace, mode=mode, provider=provider, model=model, now=clock.now())


def take_down(admin: Principal, kind: str = "transient", message: str = "KlingAI answered 503.") -> Circuit:
    row = circuit(admin)
    for _ in range(3):
        note_signal(circuit=row, call="submit", kind=kind, message=message, now=clock.now())
    row.refresh_from_db()
    assert row.state == "open"
    return row


def on_offer(admin: Principal, minutes: float = 0) -> list[Candidate]:
    at = clock.now() + timedelta(minutes=minutes)
    known = measured(workspace=admin.workspace, at=at)
    return [c for c in candidates(admin.workspace, at=at, measured=known) if c.card.provider in RIVALS]


def lane(admin: Principal, model: str = KLING[1], minutes: float = 0) -> Lane:
    return next(c.lane for c in on_offer(admin, minutes) if c.card.id == model)


def plan(admin: Principal, lead: str = "") -> Routing:
    return choose_models(
        scenes=[SCENE],
        branches=[BranchNeed("A", lead)],
        candidates=on_offer(admin),
        limits=Limits(Profile.ECONOMY, 50_000_000),
    )


def test_a_vendor_that_fails_now_does_not_lead_and_the_plan_says_why(admin: Principal) -> None:
    before = plan(admin)
    assert before.choices[0].provider == "kling"
    assert not [note for note in before.notes if "came behind" in note]
    take_down(admin)
    during = plan(admin)
    assert during.choices[0].provider == "runway"
    told = "\n".join(during.choices[0].rejected)
    assert "it fails now (KlingAI answered 503), until" in told
    assert any(note.startswith("KlingAI") and "came behind when this plan was made" in note for note in during.notes)


def test_a_person_may_still_choose_it_and_reads_its_health(admin: Principal) -> None:
    take_down(admin)
    choice = plan(admin, lead=KLING[1]).choices[0]
    assert choice.provider == "kling"
    assert choice.score.health == 0
    assert "health 0.00: it fails now" in choice.reason


def test_what_else_the_account_makes_is_doubted_but_less(admin: Principal) -> None:
    take_down(admin)
    others = {c.card.id: c.lane for c in on_offer(admin) if c.card.provider == "kling" and c.card.id != KLING[1]}
    assert others
    assert {one.health for one in others.values()} == {0.5}
    assert all("kling-2.6 at the same account" in one.words for one in others.values())


def test_doubt_fades_so_that_a_vendor_is_asked_again(admin: Principal) -> None:
    retry = take_down(admin).retry_at
    assert retry is not None
    minutes = (retry - clock.now()).total_seconds() / 60
    soon, later = lane(admin, minutes=minutes + 1), lane(admin, minutes=minutes + 6)
    assert 0.2 < soon.health < later.health < 1
    assert lane(admin, minutes=minutes + 11) == Lane()


def test_an_account_that_waits_for_a_person_is_shut(admin: Principal) -> None:
    take_down(admin, kind="quota_exhausted", message="no credit is left")
    assert lane(admin).health == 0
    assert "waits for a person (no credit is left)" in lane(admin).words


def test_a_busy_vendor_is_marked_down_a_little_for_as_long_as_it_asked(admin: Principal) -> None:
    note_signal(circuit=circuit(admin), call="submit", kind="rate_limited", retry_after_s=50, now=clock.now())
    assert 0.5 < lane(admin).health < 1
    assert "asked to wait" in lane(admin).words
    assert lane(admin, minutes=1) == Lane()


def test_an_account_whose_places_are_taken_says_how_many_come_first(admin: Principal, settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 2
    job: Job = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    assert lane(admin).words.startswith("its account is full (3 clips come first")
    for attempt in dispatch(job):
        accept(attempt)
    assert lane(admin).words.startswith("its account is full (3 clips come first")
    settings.GE_PROVIDER_PARALLEL = 4
    assert lane(admin) == Lane()


def test_another_workspaces_or_modes_trouble_does_not_count(admin: Principal) -> None:
    take_down(make_principal(make_workspace("other")))
    row = circuit(admin, Mode.LIVE)
    for _ in range(3):
        note_signal(circuit=row, call="submit", kind="transient", message="down", now=clock.now())
    assert lane(admin) == Lane()
