"""A revision made after the launch is given to the running job, on the page and through the API."""

from datetime import datetime

import pytest
from django.test import Client

from campaigns.briefs.models import Brief
from campaigns.planning.queries import is_in_job
from campaigns.planning.services import apply_to_job, launch, make_plan, revise_plan
from campaigns.planning.types import AddBranch, EditClip, EditScene
from genengine.workspaces.policy import Principal
from jobs.execution.models import Clip, Job
from jobs.execution.services import RevisionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(brief: Brief, editor: Principal, now: datetime) -> Job:
    return launch(revision=make_plan(brief=brief, principal=editor, now=now), principal=editor, now=now)


def test_words_and_variants_changed_after_the_launch_reach_the_job_with_their_price(
    brief: Brief, job: Job, editor: Principal, now: datetime
) -> None:
    first = brief.plan_revisions.latest("number")
    assert is_in_job(first)
    second = revise_plan(
        revision=first,
        change=EditScene(first.plan.scenes[0].key, on_screen_text="New words"),
        principal=editor,
        now=now,
    )
    third = revise_plan(revision=second, change=AddBranch(), principal=editor, now=now)
    assert not is_in_job(third)
    before = Clip.objects.filter(job=job).count()
    applied = apply_to_job(revision=third, job=job, principal=editor, now=now)
    assert applied.price_difference_micro == third.price_micro - first.price_micro
    assert Clip.objects.filter(job=job).count() == before + len(third.plan.scenes)
    assert job.plan.scenes[0].on_screen_text == "New words"
    assert is_in_job(third)


def test_the_page_offers_what_can_be_done_with_a_revision(
    client: Client, brief: Brief, job: Job, editor: Principal, now: datetime
) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    page = f"/w/{brief.workspace.slug}/briefs/{brief.pk}/plan"
    assert "Open its job" in client.get(page).content.decode()
    first = brief.plan_revisions.latest("number")
    clip = first.plan.clips[0]
    revise_plan(revision=first, change=EditClip(clip.scene, clip.branch, prompt="Another"), principal=editor, now=now)
    assert "Apply to the running job" in client.get(page).content.decode()
    answer = client.post(f"{page}/apply", {"seen": first.number + 1})
    assert (answer.status_code, answer["location"]) == (302, f"/w/{brief.workspace.slug}/jobs/{job.pk}")
    assert job.plans.count() == 2


def test_another_order_of_scenes_asks_for_a_job_of_its_own(
    brief: Brief, job: Job, editor: Principal, now: datetime
) -> None:
    from campaigns.planning.types import ReorderScenes

    first = brief.plan_revisions.latest("number")
    order = tuple(reversed([s.key for s in first.plan.scenes]))
    moved = revise_plan(revision=first, change=ReorderScenes(order), principal=editor, now=now)
    with pytest.raises(RevisionRefused, match="job of its own"):
        apply_to_job(revision=moved, job=job, principal=editor, now=now)
