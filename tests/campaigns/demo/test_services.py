from datetime import datetime, timedelta

import pytest

from campaigns.briefs.models import BrandKit, Brief
from campaigns.demo.services import demo_progress, seed_demo
from genengine.workspaces.models import Mode, User, Workspace
from jobs.execution.models import Job, Master
from jobs.execution.states import JobState, MasterState

pytestmark = pytest.mark.django_db


def test_the_first_start_makes_the_demo_later_ones_change_nothing_and_its_end_is_said(now: datetime) -> None:
    email = seed_demo(password="only-for-this-test", now=now)
    workspace = Workspace.objects.get(slug="aurora")
    assert workspace.mode == Mode.SIMULATED
    assert User.objects.get(email=email).check_password("only-for-this-test")
    assert workspace.memberships.count() == 4
    assert Brief.objects.of(workspace).count() == 3
    assert BrandKit.objects.of(workspace).count() == 1
    job = Job.objects.get()
    plan = job.plan
    assert {branch.provider for branch in plan.branches} == {"local", "kling"}
    assert plan.length_ms == 15_000
    assert Master.objects.filter(job=job).count() == 2
    assert plan.price_upper_micro <= job.cap_micro

    before = [model.objects.count() for model in (User, Brief, Job, BrandKit)]
    seed_demo(password="another-password", now=now + timedelta(days=1))
    assert [model.objects.count() for model in (User, Brief, Job, BrandKit)] == before
    assert User.objects.get(email=email).check_password("only-for-this-test")

    assert demo_progress() == ""
    Master.objects.update(state=MasterState.READY)
    Job.objects.update(state=JobState.READY, finished_at=now + timedelta(seconds=41))
    assert demo_progress().startswith("demo ad finished: “I was wrong about orange coffee”, 2 of 2 videos in 41 s")
    Job.objects.update(state=JobState.NEEDS_ATTENTION)
    assert demo_progress().startswith("demo ad finished with problems (needs attention)")


def test_before_there_is_a_demo_there_is_no_line() -> None:
    assert demo_progress() == ""
