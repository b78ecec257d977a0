"""Caps of campaigns, members and providers: asked at launch and at every dispatch, set in amounts that people write."""

import pytest

from billing.caps.models import Cap, CapScope
from billing.caps.services import set_cap
from billing.ledger.models import Reservation
from billing.ledger.queries import ledger_problems
from billing.ledger.services import CapReached
from campaigns.briefs.models import Campaign
from campaigns.briefs.services import create_brief, create_campaign
from campaigns.planning.services import launch, make_plan
from genengine.core import clock
from genengine.core.db import unit_of_work
from genengine.workspaces.models import Role
from genengine.workspaces.policy import Principal
from jobs.execution.models import Clip, Job
from jobs.execution.paying import affordable_clips
from jobs.execution.services import launch_job
from jobs.execution.services.control import release_held
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.settling import release_money
from jobs.execution.states import ClipState
from tests.access_world import browser_of
from tests.factories.jobs import KLING, KLING_PRICE, make_principal, make_workspace
from tests.factories.jobs import make_plan as make_job_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace(), Role.ADMIN)


@pytest.fixture
def summer(admin: Principal) -> Campaign:
    return create_campaign(name="Summer", principal=admin, now=clock.now())


def cap(admin: Principal, scope: CapScope, scope_id: object, limit_micro: int) -> Cap:
    return set_cap(
        workspace=admin.workspace, book=admin.workspace.mode, scope=scope, scope_id=str(scope_id),
        limit_micro=limit_micro, actor=admin.actor, now=clock.now(),
    )  # fmt: skip


def start(admin: Principal, campaign: Campaign | None = None, scenes: int = 2) -> Job:
    """Launch a job of clips that cost KLING_PRICE each."""
    return launch_job(
        workspace=admin.workspace, plan=make_job_plan(scenes=scenes, branches=(KLING,)), title="Ad",
        cap_micro=10_000_000, actor=admin.actor, user=admin.user, now=clock.now(),
        campaign_id=campaign.pk if campaign else None,
    )  # fmt: skip


def owner_of(scope: CapScope, admin: Principal, summer: Campaign) -> object:
    assert admin.user is not None
    return {CapScope.CAMPAIGN: summer.pk, CapScope.MEMBER: admin.user.pk, CapScope.PROVIDER: "kling"}[scope]


NAMES = {
    CapScope.CAMPAIGN: "Campaign “Summer”",
    CapScope.MEMBER: "Member “admin@aurora.example”",
    CapScope.PROVIDER: "Provider “KlingAI”",
}


@pytest.mark.parametrize("scope", NAMES)
def test_a_launch_that_would_pass_a_cap_is_refused_with_its_name_and_who_may_raise_it(
    admin: Principal, summer: Campaign, scope: CapScope
) -> None:
    row = cap(admin, scope, owner_of(scope, admin, summer), 2 * KLING_PRICE)
    start(admin, summer)
    row.refresh_from_db()
    assert row.held_micro == 2 * KLING_PRICE
    with pytest.raises(CapReached) as refused:
        start(admin, summer)
    words = str(refused.value)
    assert words.startswith(f"{NAMES[scope]} budget: $0.21 is needed and $0.00 of $0.42 is left.")
    assert "An Admin can raise it under Settings, Caps" in words
    assert (Job.objects.count(), Reservation.objects.count()) == (1, 2)
    assert ledger_problems() == []


def test_other_campaigns_members_and_providers_are_not_asked(admin: Principal, summer: Campaign) -> None:
    winter = create_campaign(name="Winter", principal=admin, now=clock.now())
    other = make_principal(admin.workspace, Role.EDITOR)
    assert other.user is not None
    rows = [cap(admin, CapScope.CAMPAIGN, winter.pk, 0), cap(admin, CapScope.MEMBER, other.user.pk, 0),
            cap(admin, CapScope.PROVIDER, "runway", 0)]  # fmt: skip
    start(admin, summer)
    assert [Cap.objects.get(pk=row.pk).held_micro for row in rows] == [0, 0, 0]


def test_a_job_pays_from_its_briefs_campaign(admin: Principal, summer: Campaign) -> None:
    cap(admin, CapScope.CAMPAIGN, summer.pk, 5_000_000)
    values = {"title": "Ad", "script": "One.\nTwo.\nThree.", "length_ms": 6000, "variants": 1, "campaign": summer}
    brief = create_brief(principal=admin, now=clock.now(), values=values)
    job = launch(revision=make_plan(brief=brief, principal=admin, now=clock.now()), principal=admin, now=clock.now())
    assert (job.campaign_id, job.owners.member_id) == (summer.pk, job.created_by_id)
    held = Reservation.objects.filter(job_id=job.pk)
    assert held
    assert all(r.caps.filter(scope=CapScope.CAMPAIGN).exists() for r in held)


def test_a_dispatch_asks_again_waits_for_the_cap_and_goes_on_when_it_is_raised(
    admin: Principal, summer: Campaign
) -> None:
    job = start(admin, summer, scenes=1)
    clip = Clip.objects.get(job=job)
    with unit_of_work():
        release_money(clip, clock.now())  # as after a failed attempt: the next one passes the gate again
    cap(admin, CapScope.CAMPAIGN, summer.pk, KLING_PRICE - 1)
    assert dispatch_clip(clip_id=clip.pk, now=clock.now()) is None
    clip.refresh_from_db()
    assert clip.state == ClipState.HELD
    assert clip.failure is not None
    assert "Campaign “Summer”" in clip.failure["cause"]
    assert affordable_clips(now=clock.now(), limit=50) == []
    cap(admin, CapScope.CAMPAIGN, summer.pk, KLING_PRICE)
    assert affordable_clips(now=clock.now(), limit=50) == [clip]
    release_held(clip=clip, now=clock.now())
    assert dispatch_clip(clip_id=clip.pk, now=clock.now()) is not None


def test_only_as_many_clips_on_hold_go_on_as_there_is_room_for(admin: Principal, summer: Campaign) -> None:
    job = start(admin, summer, scenes=3)
    for clip in Clip.objects.filter(job=job):
        with unit_of_work():
            release_money(clip, clock.now())
    cap(admin, CapScope.CAMPAIGN, summer.pk, 0)
    for clip in Clip.objects.filter(job=job):
        dispatch_clip(clip_id=clip.pk, now=clock.now())
    assert Clip.objects.filter(job=job, state=ClipState.HELD).count() == 3
    cap(admin, CapScope.CAMPAIGN, summer.pk, 2 * KLING_PRICE)
    assert len(affordable_clips(now=clock.now(), limit=50)) == 2


def test_an_admin_sets_a_limit_in_an_amount_and_sees_what_is_left(admin: Principal, summer: Campaign) -> None:
    browser = browser_of(admin)
    answer = browser.post("/w/aurora/settings/caps", {"owner": f"campaign:{summer.pk}", "limit": "$1,250.50"})
    assert answer.status_code == 302
    assert Cap.objects.get(scope=CapScope.CAMPAIGN).limit_micro == 1_250_500_000
    start(admin, summer)
    page = browser.get("/w/aurora/settings/caps").content.decode()
    assert "Campaign “Summer”" in page
    assert "$0.42 held, $1,250.08 free" in page


def test_a_limit_is_refused_with_the_remedy_for_what_is_not_there_and_for_what_is_no_amount(
    admin: Principal, summer: Campaign
) -> None:
    foreign = create_campaign(name="Theirs", principal=make_principal(make_workspace("nord")), now=clock.now())
    browser = browser_of(admin)
    for body, words in (
        ({"owner": f"campaign:{foreign.pk}", "limit": "5"}, "Choose a campaign, a member or a provider of the list."),
        ({"owner": f"campaign:{summer.pk}", "limit": "many"}, "write it like 12.50"),
        ({"owner": f"campaign:{summer.pk}", "limit": "-5"}, "A limit is zero or more."),
    ):
        answer = browser.post("/w/aurora/settings/caps", body)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not Cap.objects.exists()
    assert "Theirs" not in browser.get("/w/aurora/settings/caps").content.decode()
    viewer = browser_of(make_principal(admin.workspace, Role.VIEWER))
    assert viewer.post("/w/aurora/settings/caps", {"owner": f"campaign:{summer.pk}", "limit": "5"}).status_code == 403


def test_the_admin_form_takes_and_shows_amounts_in_currency(admin: Principal, summer: Campaign) -> None:
    row = cap(admin, CapScope.CAMPAIGN, summer.pk, 70_000_000)
    browser, address = browser_of(admin), f"/admin/billing/cap/{row.pk}/change/"
    assert 'value="70.00"' in browser.get(address).content.decode()
    assert "Campaign “Summer”" in browser.get("/admin/billing/cap/").content.decode()
    assert browser.post(address, {"limit_micro": "1,250.50"}).status_code == 302
    row.refresh_from_db()
    assert row.limit_micro == 1_250_500_000
    assert "write it like 12.50" in browser.post(address, {"limit_micro": "a lot"}).content.decode()
