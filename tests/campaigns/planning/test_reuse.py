"""A plan shows which clips earlier results stand for, and takes it back on one click."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.test import Client

from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import newest_revision, plan_suggestions
from campaigns.planning.services import launch, make_plan, revise_plan
from campaigns.planning.types import ChangeBranchModel, EditClip, ReuseResults
from genengine.assets.services import store_blob
from genengine.workspaces.models import ReusePolicy
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Job
from jobs.execution.services import settling, submitting
from jobs.execution.services.collecting import TakeFacts, collect_take
from jobs.execution.services.dispatching import dispatch_clip
from jobs.routing.savings import savings_of
from providers.catalogue import get_card

pytestmark = pytest.mark.django_db


def planned(brief: Brief, editor: Principal, now: datetime) -> PlanRevision:
    """A plan of one variant led by a model that takes a seed, whoever's turn it is among equals."""
    brief = update_brief(brief=brief, values={"variants": 1}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    change = ChangeBranchModel(revision.plan.branches[0].key, "veo-3.1-lite-generate-001")
    return revise_plan(revision=revision, change=change, principal=editor, now=now)


def make_paid_clips(job: Job, now: datetime) -> int:
    """Bring the clips of vendors to their end, as worker and pump do; returns how many there were."""
    clips = list(job.clips.exclude(provider="local"))
    for clip in clips:
        attempt = dispatch_clip(clip_id=clip.pk, now=now + timedelta(minutes=clip.position))
        assert attempt is not None
        assert submitting.claim_submit(attempt_id=attempt.pk, now=now)
        settling.accept_attempt(
            attempt_id=attempt.pk, remote_id=f"r-{attempt.pk}", details={}, poll_after=timedelta(seconds=5), now=now
        )
        settling.succeed_attempt(
            attempt_id=attempt.pk, cost_micro=attempt.price_micro, vendor_amount=None, vendor_currency="", now=now
        )
        owner = uuid.uuid4().hex
        Attempt.objects.filter(pk=attempt.pk).update(lease_owner=owner)
        blob = store_blob(workspace=attempt.workspace, media_type="video/mp4", content=attempt.pk.bytes)
        facts = TakeFacts(blob, None, 720, 1280, "30/1", clip.position + 1, None)
        collect_take(attempt_id=attempt.pk, owner=owner, facts=facts, now=now)
    return len(clips)


def test_a_second_plan_of_the_same_brief_pays_nothing_twice_and_can_be_told_to(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    first = planned(brief, editor, now)
    made = make_paid_clips(launch(revision=first, principal=editor, now=now), now)
    assert made > 0
    again = planned(brief, editor, now)
    reused = [clip for clip in again.plan.clips if clip.reuse]
    saved = sum(part.amount_micro for part in savings_of(again.plan).parts if part.kind == "reuse")
    assert len(reused) == made
    assert first.price_micro - again.price_micro == saved > 0
    browser = Client()
    assert editor.user is not None
    browser.force_login(editor.user)
    page = f"/w/{editor.workspace.slug}/briefs/{brief.pk}/plan"
    assert "reuses an earlier result, saves" in browser.get(page).content.decode()
    browser.post(f"{page}/saving", {"seen": again.number, "saving": "make-anew"})
    anew = newest_revision(brief)
    assert anew is not None
    assert (anew.price_micro, anew.plan.reuse) == (first.price_micro, "off")
    (offered,) = [s for s in browser.get(page).context["suggestions"] if s.kind == "reuse"]
    browser.post(f"{page}/saving", {"seen": anew.number, "saving": offered.key})
    taken = newest_revision(brief)
    assert taken is not None
    assert anew.price_micro - taken.price_micro == offered.saves_micro


def test_an_equal_whose_results_are_here_leads_although_it_is_anothers_turn(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    editor.workspace.reuse_policy = ReusePolicy.ALL
    editor.workspace.save()
    brief.workspace.refresh_from_db()
    brief = update_brief(brief=brief, values={"variants": 1, "quality_profile": "quality"}, principal=editor, now=now)
    first = make_plan(brief=brief, principal=editor, now=now)
    (lead,) = first.plan.branches
    assert len({get_card(model).provider for model in lead.peers}) > 1
    made = make_paid_clips(launch(revision=first, principal=editor, now=now), now)
    assert made > 0
    again = make_plan(brief=brief, principal=editor, now=now)
    assert again.plan.branches[0].model == lead.model
    assert again.plan.price_micro == 0
    assert "are here already" in again.plan.clips[0].reason
    off = revise_plan(revision=again, change=ReuseResults(ReusePolicy.OFF), principal=editor, now=now)
    anew = make_plan(brief=brief, principal=editor, now=now)
    assert off.price_micro > 0
    assert anew.plan.branches[0].provider != lead.provider


def test_variants_that_ask_the_same_are_planned_once_and_no_saving_is_offered_that_would_undo_it(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    editor.workspace.reuse_policy = ReusePolicy.ALL
    editor.workspace.save()
    brief.workspace.refresh_from_db()
    brief = update_brief(brief=brief, values={"variants": 2}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    first, second = (branch.key for branch in revision.plan.branches)
    for key in (first, second):
        change = ChangeBranchModel(key, "kling-2.6")  # it takes no seed
        revision = revise_plan(revision=revision, change=change, principal=editor, now=now)
    scene = next(c.scene for c in revision.plan.clips_of(first) if c.price_micro and not _pictures(revision, c.scene))
    for key in (first, second):
        words = EditClip(scene, key, prompt="One and the same picture")
        revision = revise_plan(revision=revision, change=words, principal=editor, now=now)
    one, two = revision.plan.clip(scene, first), revision.plan.clip(scene, second)
    assert two.reuse is not None
    assert (one.price_micro > 0, two.price_micro, two.reuse.branch) == (True, 0, first)
    offered = {s.change for s in plan_suggestions(revision=revision, now=now) if s.kind == "cheaper_model"}
    assert first not in {getattr(change, "branch", "") for change in offered}
    browser = Client()
    assert editor.user is not None
    browser.force_login(editor.user)
    page = browser.get(f"/w/{editor.workspace.slug}/briefs/{brief.pk}/plan").content.decode()
    assert ("made once with another clip" in page, "The same clip as scene" in page) == (True, True)


def _pictures(revision: PlanRevision, scene: str) -> bool:
    """Whether the variants start this scene from different pictures."""
    return len({clip.inputs for clip in revision.plan.clips if clip.scene == scene}) > 1
