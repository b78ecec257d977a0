"""Callbacks hurry a poll and can do nothing else."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from genengine.core import clock
from genengine.core.events.queries import events_after
from jobs.execution import polling
from jobs.execution.models import Attempt
from jobs.execution.services import settling, submitting
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.webhooks import name_task
from providers.emulator.accounts import TEST_WEBHOOK_SECRET
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt() -> Attempt:
    job = make_job(make_principal(make_workspace()), make_plan(scenes=1, branches=(KLING,)))
    started = dispatch_clip(clip_id=job.clips.get().pk, now=clock.now())
    assert started is not None
    submitting.claim_submit(attempt_id=started.pk, now=clock.now())
    settling.accept_attempt(
        attempt_id=started.pk, remote_id="893", details={}, poll_after=timedelta(hours=1), now=clock.now()
    )
    started.refresh_from_db()
    return started


def send(
    client: Client, body: dict[str, Any], *, secret: str = TEST_WEBHOOK_SECRET, slug: str = "aurora", **kw: Any
) -> int:
    """Post as the vendor does, by the Standard Webhooks scheme."""
    text, at = json.dumps(body), str(int(kw.get("at", time.time())))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"m1.{at}.{text}".encode(), hashlib.sha256).digest()).decode()
    key_part = f"{kw['key']}/" if "key" in kw else ""
    return client.post(
        f"/hooks/{kw.get('provider', 'kling')}/{slug}/{key_part}",
        data=text,
        content_type="application/json",
        headers={"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"},
    ).status_code


DONE = {"id": "893", "status": "succeeded", "message": "", "create_time": 1, "update_time": 2}


def test_a_verified_callback_makes_the_poll_due_and_changes_nothing_else(client: Client, attempt: Attempt) -> None:
    assert send(client, DONE) == 202
    after = Attempt.objects.get(pk=attempt.pk)
    assert after.next_poll_at <= clock.now()
    assert (after.state, after.remote_id) == ("submitted", "893")
    assert [e.purpose for e in after.exchanges.all()] == ["webhook"]


def test_a_forged_old_or_foreign_callback_is_a_404_and_hurries_nothing(client: Client, attempt: Attempt) -> None:
    make_workspace("other")
    forged = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
    assert send(client, DONE, secret=forged) == 404
    assert send(client, DONE, at=time.time() - 3600) == 404
    assert send(client, DONE, slug="nowhere") == 404
    assert send(client, DONE, provider="local") == 404
    assert send(client, DONE, provider="unknown") == 404
    assert send(client, DONE, slug="other") == 202
    assert Attempt.objects.get(pk=attempt.pk).next_poll_at == attempt.next_poll_at


def test_a_doubled_and_a_late_callback_are_harmless(client: Client, attempt: Attempt) -> None:
    assert [send(client, DONE), send(client, DONE)] == [202, 202]
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=1, vendor_amount=None, vendor_currency="", now=clock.now()
    )
    assert send(client, DONE) == 202
    after = Attempt.objects.get(pk=attempt.pk)
    assert (after.state, after.next_poll_at) == ("succeeded", None)


def test_a_huge_callback_is_not_read(client: Client, attempt: Attempt) -> None:
    assert send(client, {**DONE, "message": "x" * 1_100_000}) == 413


def lose(attempt: Attempt) -> Attempt:
    """A second attempt, at a vendor that cannot be asked by our key, whose answer was lost."""
    job = make_job(make_principal(make_workspace()), make_plan(scenes=1, branches=(("fal", "fal-ai/pika/v2.2"),)))
    lost = dispatch_clip(clip_id=job.clips.get().pk, now=clock.now())
    assert lost is not None
    submitting.claim_submit(attempt_id=lost.pk, now=clock.now())
    settling.lose_attempt(attempt_id=lost.pk, window=timedelta(minutes=30), reason="the line was cut", now=clock.now())
    Attempt.objects.filter(pk=lost.pk).update(next_poll_at=clock.now() + timedelta(hours=1))
    return lost


def test_a_callback_names_the_task_of_a_submit_whose_answer_was_lost(attempt: Attempt) -> None:
    lost = lose(attempt)
    name_task(lost.workspace, "fal", lost.idempotency_key, "req-77")
    polling.poll_attempt(lost.pk)
    after = Attempt.objects.get(pk=lost.pk)
    assert (after.state, after.remote_id) == ("submitted", "req-77")
    assert [e.type for e in events_after(subject_id=lost.job_id) if e.type == "attempt.found"] == ["attempt.found"]
    name_task(lost.workspace, "fal", lost.idempotency_key, "req-78")
    assert Attempt.objects.get(pk=lost.pk).remote_id == "req-77"


def test_a_callback_before_the_answer_is_kept_until_the_answer_is_known_to_be_lost(attempt: Attempt) -> None:
    job = make_job(make_principal(make_workspace()), make_plan(scenes=1, branches=(("fal", "fal-ai/pika/v2.2"),)))
    early = dispatch_clip(clip_id=job.clips.get().pk, now=clock.now())
    assert early is not None
    submitting.claim_submit(attempt_id=early.pk, now=clock.now())
    name_task(early.workspace, "fal", early.idempotency_key, "req-1")
    assert Attempt.objects.get(pk=early.pk).state == "intent"
    settling.lose_attempt(attempt_id=early.pk, window=timedelta(minutes=30), reason="it died", now=clock.now())
    polling.poll_attempt(early.pk)
    after = Attempt.objects.get(pk=early.pk)
    assert (after.state, after.remote_id) == ("submitted", "req-1")


def test_a_callback_sent_again_to_another_attempts_address_names_nothing(attempt: Attempt) -> None:
    lost, other = lose(attempt), make_workspace("other")
    Attempt.objects.filter(pk=lost.pk).update(provider="kling")
    name_task(lost.workspace, "kling", lost.idempotency_key, attempt.remote_id)
    name_task(other, "kling", lost.idempotency_key, "req-9")
    assert Attempt.objects.get(pk=lost.pk).told_remote_id == ""


def test_the_address_with_our_key_is_proved_like_the_other(client: Client, attempt: Attempt) -> None:
    settling.lose_attempt(attempt_id=attempt.pk, window=timedelta(hours=1), reason="lost", now=clock.now())
    Attempt.objects.filter(pk=attempt.pk).update(remote_id="")
    forged = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
    assert send(client, DONE, secret=forged, key=attempt.idempotency_key) == 404
    assert Attempt.objects.get(pk=attempt.pk).told_remote_id == ""
    assert send(client, DONE, key=attempt.idempotency_key) == 202
    assert Attempt.objects.get(pk=attempt.pk).told_remote_id == "893"
