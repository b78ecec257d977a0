"""A task that the queue brings twice does its work once."""

import pytest

from genengine.core import clock
from jobs.execution import tasks
from jobs.execution.models import Attempt
from jobs.execution.services import submitting
from tests.factories.jobs import KLING, make_asset, make_job, make_plan, make_principal, make_workspace
from tests.jobs.execution.test_control import dispatch

pytestmark = pytest.mark.django_db


def test_a_submit_that_was_sent_prepares_and_uploads_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = make_principal(make_workspace())
    job = make_job(admin, make_plan(make_asset(admin), scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    assert submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    sent = Attempt.objects.get(pk=attempt.pk)
    asked: list[Attempt] = []
    monkeypatch.setattr(tasks, "adapter_of", asked.append)
    tasks.submit_attempt(attempt.pk)
    again = Attempt.objects.get(pk=attempt.pk)
    assert asked == []
    assert (again.state, again.sent_at, again.lease_until) == (sent.state, sent.sent_at, sent.lease_until)
