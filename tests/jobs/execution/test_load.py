"""What waits for a model and what it is making, as the health page shows it."""

import pytest
from django.test import Client

from genengine.core import clock
from jobs.execution import due
from jobs.execution.services import pause_job
from jobs.execution.services.dispatching import dispatch_clip
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
