"""What waits for a model and what it is making, as the health page shows it."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from genengine.core import clock
from genengine.workspaces.models import Workspace
from jobs.execution import due
from jobs.execution.models import Attempt, Job
from jobs.execution.services import pause_job
from jobs.execution.services.dispatching import dispatch_clip
from jobs.quality.models import QualityReport
from providers.health.checks import PassRate
from providers.health.queries import ModelHealth, provider_health
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace

pytestmark = pytest.mark.django_db


def test_the_health_page_counts_the_clips_that_wait_and_those_in_the_making(client: Client) -> None:
    admin = make_principal(make_workspace())
    job = make_job(admin, make_plan(scenes=3, branches=(KLING,)))
    first, *_ = due.dispatchable(now=clock.now(), limit=50)
    dispatch_clip(clip_id=first, now=clock.now())

    def model() -> ModelHealth:
        (row,) = provider_health(workspace=admin.workspace, now=clock.now())
        return row.models[0]

    before = model()
    assert (before.waiting, before.running) == (2, 1)
    assert 0 < before.left <= before.per_minute
    assert before.parallel > 0
    assert admin.user is not None
    client.force_login(admin.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/w/{admin.workspace.slug}/settings/health").content.decode()
    assert f"1 of {before.parallel}" in page
    pause_job(job=job, principal=admin, now=clock.now())
    assert model().waiting == 0


def test_the_health_page_tells_the_share_of_first_checks_that_passed_and_the_month_before(client: Client) -> None:
    admin, now = make_principal(make_workspace()), clock.now()
    make_job(admin, make_plan(scenes=4, branches=(KLING,)))
    attempts = [dispatch_clip(clip_id=pk, now=now) for pk in due.dispatchable(now=now, limit=50)]
    days = (1, 1, 1, 40)
    for attempt, first, age in zip(attempts, ("pass", "fail", "warn", "fail"), days, strict=True):
        assert attempt is not None
        at = now - timedelta(days=age)
        report(attempt, first, at)
        report(attempt, "pass", at + timedelta(minutes=1))  # fetched once more: not the first check

    def model(workspace: Workspace) -> ModelHealth:
        (row,) = provider_health(workspace=workspace, now=now)
        return row.models[0]

    shown = model(admin.workspace)
    assert (shown.checks, shown.checks_before) == (PassRate(2, 3), PassRate(0, 1))
    assert admin.user is not None
    client.force_login(admin.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/w/{admin.workspace.slug}/settings/health").content.decode()
    assert ("67 %" in page, "before: 0 % of 1" in page) == (True, True)
    Job.objects.update(mode="live")
    assert model(admin.workspace).checks == PassRate()


def report(attempt: Attempt, verdict: str, at: datetime) -> None:
    QualityReport.objects.create(
        workspace_id=attempt.workspace_id, job_id=attempt.job_id, subject_kind="take", subject_id=attempt.clip_id,
        attempt_id=attempt.pk, sha256="0" * 64, verdict=verdict, created_at=at,
    )  # fmt: skip
