"""The page and the schema of events say what the code really writes."""

import json
import uuid
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator, ValidationError

from genengine.assets.services import store_blob
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.core.events.queries import as_dict
from genengine.core.reference.event_types import collect_event_types
from genengine.workspaces.policy import Principal
from jobs.execution import due
from jobs.execution.models import Attempt, Job
from jobs.execution.services import cancel_job, pause_job, raise_cap, rerun_job, resume_job, settling, submitting
from jobs.execution.services.collecting import TakeFacts, collect_take
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.states import ATTEMPT, CLIP, MASTER
from tests.factories.jobs import KLING, LOCAL, make_job, make_plan, make_principal, make_workspace
from tests.support.processes import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    document = json.loads((REFERENCE / "events.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@pytest.fixture
def admin(db: None) -> Principal:
    return make_principal(make_workspace())


def test_every_event_that_a_job_leaves_fits_the_published_schema(
    admin: Principal, schema: Draft202012Validator
) -> None:
    job = make_job(admin, make_plan(scenes=2, branches=(LOCAL, KLING)))
    for control in (pause_job, resume_job):
        control(job=job, principal=admin, now=clock.now(), reason="as a test")
    raise_cap(job=job, limit_micro=20_000_000, principal=admin, now=clock.now())
    _make_what_is_queued(job)
    cancel_job(job=make_job(admin), principal=admin, now=clock.now())
    rerun_job(job=Job.objects.latest("created_at"), principal=admin, now=clock.now())
    rows = list(Event.objects.all())
    for event in rows:
        schema.validate(as_dict(event))
    assert {"job.created", "branch.dispatched", "clip.ready", "attempt.unknown", "attempt.never_arrived"} <= {
        event.type for event in rows
    }


def test_a_field_that_nobody_writes_does_not_fit(admin: Principal, schema: Draft202012Validator) -> None:
    make_job(admin)
    event = as_dict(Event.objects.filter(type="job.created").get())
    with pytest.raises(ValidationError):
        schema.validate({**event, "data": {**event["data"], "surprise": 1}})
    with pytest.raises(ValidationError):
        schema.validate({**event, "type": "job.exploded"})


def test_every_transition_leaves_an_event_of_the_page() -> None:
    page = (REFERENCE / "events.md").read_text(encoding="utf-8")
    for machine in (CLIP, ATTEMPT, MASTER):
        for row in machine.table:
            assert f"| `{row.event}` |" in page


def test_every_type_has_its_stream_and_its_subject() -> None:
    for one in collect_event_types():
        assert one.streams, one.name
        assert one.subjects, one.name


def _make_what_is_queued(job: Job) -> None:
    """Bring clips to their takes, the first paid one by way of an answer that was lost."""
    now, lost = clock.now(), False
    for clip_id in due.dispatchable(now=now, limit=50):
        attempt = dispatch_clip(clip_id=clip_id, now=now)
        assert attempt is not None
        if attempt.provider != "local":
            assert submitting.claim_submit(attempt_id=attempt.pk, now=now)
            if not lost:
                lost = True
                settling.lose_attempt(attempt_id=attempt.pk, window=timedelta(hours=1), reason="a cut line", now=now)
                settling.find_nothing(attempt_id=attempt.pk, now=now)
                continue
            settling.accept_attempt(
                attempt_id=attempt.pk, remote_id="r", details={}, poll_after=timedelta(seconds=5), now=now
            )
            settling.succeed_attempt(
                attempt_id=attempt.pk, cost_micro=1, vendor_amount=None, vendor_currency="", now=now
            )
        owner = uuid.uuid4().hex
        Attempt.objects.filter(pk=attempt.pk).update(lease_owner=owner)
        blob = store_blob(workspace=job.workspace, media_type="video/mp4", content=attempt.pk.bytes)
        facts = TakeFacts(blob, None, 360, 640, "30/1", 2500, None)
        collect_take(attempt_id=attempt.pk, owner=owner, facts=facts, now=now)
