"""Savings of a plan: measured against the naive choice, offered with an amount, applied with one click."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import newest_revision, plan_suggestions
from campaigns.planning.services import launch, make_plan, revise_plan
from campaigns.planning.types import ChangeBranchModel, ChangeRefused, PlanStale, StartOffPeak
from genengine.core.actors import SYSTEM
from genengine.workspaces.policy import Principal
from jobs.execution.models import Clip
from jobs.routing.savings import savings_of
from providers.registry.revisions import revise_card

MODEL = "kling-3.0"


def planned(brief: Brief, editor: Principal, now: datetime, model: str = MODEL) -> PlanRevision:
    """A plan of one variant that a vendor makes."""
    update_brief(brief=brief, values={"variants": 1}, principal=editor, now=now)
    brief.refresh_from_db()
    revision = make_plan(brief=brief, principal=editor, now=now)
    branch = revision.plan.branches[0]
    if branch.model == model:
        return revision
    return revise_plan(revision=revision, change=ChangeBranchModel(branch.key, model), principal=editor, now=now)


def terms(now: datetime, **changed: object) -> None:
    revise_card(model=MODEL, terms=dict(changed), effective_from=now, note="contract", actor=SYSTEM, now=now)


def test_a_plan_says_what_it_saves_against_the_naive_choice(brief: Brief, editor: Principal, now: datetime) -> None:
    terms(now, volume_tiers=[{"from_units": 1, "percent_off": "10"}], off_peak=None)
    plan = planned(brief, editor, now).plan
    report = savings_of(plan)
    assert report.naive_micro == sum(clip.naive_micro for clip in plan.clips)
    assert report.saved_micro == sum(part.amount_micro for part in report.parts)
    assert report.naive_micro - plan.price_micro == report.saved_micro


def test_the_plan_names_the_card_revision_of_its_prices(brief: Brief, editor: Principal, now: datetime) -> None:
    before = planned(brief, editor, now).plan
    terms(now, price={"shape": "per_second", "amount": "1", "currency": "USD", "tiers": {}})
    after = planned(brief, editor, now).plan

    def of(plan: object) -> set[int]:
        return {clip.card_revision for clip in plan.clips if clip.model == MODEL}  # type: ignore[attr-defined]

    assert (of(before), of(after)) == ({0}, {1})
    assert after.price_micro > before.price_micro


def test_a_cheaper_model_is_offered_and_saves_what_it_says(brief: Brief, editor: Principal, now: datetime) -> None:
    revision = planned(brief, editor, now, "veo-3.1-generate-001")
    offered = next(s for s in plan_suggestions(revision=revision, now=now) if s.kind == "cheaper_model")
    assert offered.change is not None
    assert offered.saves_micro > 0
    cheaper = revise_plan(revision=revision, change=offered.change, principal=editor, now=now)
    assert revision.price_micro - cheaper.price_micro == offered.saves_micro


def test_clips_wait_for_off_peak_hours_when_the_deadline_leaves_the_time(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    terms(now, off_peak={"from": "22:00", "to": "06:00", "percent_off": "50"})
    revision = planned(brief, editor, now)
    offered = next(s for s in plan_suggestions(revision=revision, now=now) if s.kind == "off_peak")
    later = revise_plan(revision=revision, change=StartOffPeak(), principal=editor, now=now)
    assert revision.price_micro - later.price_micro == offered.saves_micro > 0
    start = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
    job = launch(revision=later, principal=editor, now=now)
    waiting = Clip.objects.filter(job=job, not_before=start).count()
    assert waiting == sum(clip.model == MODEL for clip in later.plan.clips)


def test_off_peak_is_not_offered_past_the_deadline(brief: Brief, editor: Principal, now: datetime) -> None:
    terms(now, off_peak={"from": "22:00", "to": "06:00", "percent_off": "50"})
    update_brief(brief=brief, values={"deadline_at": now + timedelta(hours=2)}, principal=editor, now=now)
    brief.refresh_from_db()
    revision = planned(brief, editor, now)
    assert not [s for s in plan_suggestions(revision=revision, now=now) if s.kind == "off_peak"]


def test_refuses_to_launch_a_plan_whose_off_peak_hours_have_come(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    terms(now, off_peak={"from": "22:00", "to": "06:00", "percent_off": "50"})
    later = revise_plan(revision=planned(brief, editor, now), change=StartOffPeak(), principal=editor, now=now)
    with pytest.raises(PlanStale, match="plan it again"):
        launch(revision=later, principal=editor, now=now + timedelta(days=1))


def test_refuses_to_wait_where_nothing_is_cheaper_later(brief: Brief, editor: Principal, now: datetime) -> None:
    with pytest.raises(ChangeRefused, match="cheaper later"):
        revise_plan(revision=planned(brief, editor, now), change=StartOffPeak(), principal=editor, now=now)


def test_the_distance_to_the_next_volume_tier_is_said_in_money(brief: Brief, editor: Principal, now: datetime) -> None:
    terms(
        now,
        price={"shape": "per_second", "amount": "0.1", "currency": "USD", "tiers": {}},
        volume_tiers=[{"from_units": 10_000, "percent_off": "10"}],
    )
    revision = planned(brief, editor, now)
    seconds = sum(clip.duration_ms for clip in revision.plan.clips if clip.model == MODEL) // 1000
    (said,) = [s.sentence for s in plan_suggestions(revision=revision, now=now) if s.kind == "volume"]
    assert f"${(10_000 - seconds) * 0.1:,.2f} more with KlingAI 3.0 this month" in said
    assert "falls by 10 %" in said


def test_one_click_on_the_plan_page_applies_a_saving(
    brief: Brief, editor: Principal, now: datetime, person: Callable[..., Principal]
) -> None:
    revision = planned(brief, editor, now, "veo-3.1-generate-001")
    browser = Client()
    browser.force_login(editor.user)
    page = f"/w/{editor.workspace.slug}/briefs/{brief.pk}/plan"
    shown = browser.get(page)
    offered = next(s for s in shown.context["suggestions"] if s.change)
    assert offered.sentence in shown.content.decode()
    browser.post(f"{page}/saving", {"seen": revision.number, "saving": offered.key})
    newest = newest_revision(brief)
    assert newest is not None
    assert newest.price_micro == revision.price_micro - offered.saves_micro
    gone = browser.post(f"{page}/saving", {"seen": newest.number, "saving": "cheaper_model-A-never"}, follow=True)
    assert "not on offer any more" in gone.content.decode()
