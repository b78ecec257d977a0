"""A test call proves a model whose facts are not verified: a real, capped, agreed call. No vendor is reached here; the
steps that workers take are called as they call them."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing.caps.queries import spend_of_job
from compliance.trail.models import AuditEntry
from genengine.assets.services import store_blob
from genengine.core import clock
from genengine.workspaces.models import FallbackPolicy, Mode
from genengine.workspaces.policy import NotAllowed, Principal
from jobs.execution.models import Attempt, Clip, Job
from jobs.execution.services import settling, submitting
from jobs.execution.services.collecting import TakeFacts, collect_take
from jobs.execution.services.dispatching import dispatch_clip
from jobs.routing.queries import candidates
from jobs.trials.offers import TestRefused, offer_test
from jobs.trials.services import start_test, take_outcomes
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import seal
from providers.registry.models import ModelTest, ModelTestState
from tests.factories.jobs import make_principal, make_workspace

pytestmark = pytest.mark.django_db
MODEL = "kling-3.0-turbo"


@pytest.fixture
def live() -> Principal:
    principal = make_principal(make_workspace(mode=Mode.LIVE))
    ProviderAccount.objects.create(
        workspace=principal.workspace, provider="kling", label="Kling", secret=seal({}), verified_at=clock.now(),
        created_at=clock.now(),
    )  # fmt: skip
    return principal


def started(principal: Principal) -> ModelTest:
    offer = offer_test(workspace=principal.workspace, model=MODEL, now=clock.now())
    return start_test(offer=offer, agreed_micro=offer.price_upper_micro, principal=principal, now=clock.now())


def sent(test: ModelTest) -> Attempt:
    """The attempt as a worker leaves it after the vendor took it."""
    attempt = dispatch_clip(clip_id=Clip.objects.get(job_id=test.job_id).pk, now=clock.now())
    assert attempt is not None
    assert submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id="r1", details={}, poll_after=timedelta(hours=1), now=clock.now()
    )
    return attempt


def refusal_here(principal: Principal) -> str:
    return next(c.refusal for c in candidates(principal.workspace) if c.card.id == MODEL)


def test_the_cheapest_call_is_offered_with_its_price(live: Principal) -> None:
    offer = offer_test(workspace=live.workspace, model=MODEL, now=clock.now())
    assert (offer.duration_s, offer.resolution) == (3, "720p")
    assert offer.price_micro == 336_000
    assert "One clip of 3 s at 720p from KlingAI 3.0 Turbo, for $0.34" in offer.sentence


def test_a_result_that_is_here_opens_the_model_for_live_money(live: Principal) -> None:
    assert "test call under Providers" in refusal_here(live)
    test = started(live)
    job = Job.objects.get(pk=test.job_id)
    spend = spend_of_job(job_id=job.pk)
    assert spend is not None
    assert spend.held_micro == spend.limit_micro == 369_600
    assert job.fallback_policy == FallbackPolicy.ASK
    attempt = sent(test)
    assert take_outcomes(clock.now()) == 0
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=336_000, vendor_amount=None, vendor_currency="", now=clock.now()
    )
    Attempt.objects.filter(pk=attempt.pk).update(lease_owner="w")
    blob = store_blob(workspace=live.workspace, media_type="video/mp4", content=b"video")
    facts = TakeFacts(blob, None, 1280, 720, "30/1", 3000, None)
    collect_take(attempt_id=attempt.pk, owner="w", facts=facts, now=clock.now())
    assert take_outcomes(clock.now()) == 1
    test.refresh_from_db()
    assert (test.state, test.cost_micro) == (ModelTestState.PASSED, 336_000)
    assert refusal_here(live) == ""
    assert AuditEntry.objects.filter(action="model_test.passed").exists()
    assert take_outcomes(clock.now()) == 0


def test_a_failed_call_proves_nothing_and_says_why(live: Principal) -> None:
    test = started(live)
    attempt = sent(test)
    error = {"kind": "invalid_request", "message": "unknown model"}
    settling.fail_attempt(attempt_id=attempt.pk, error=error, stage="generate", now=clock.now())
    assert take_outcomes(clock.now()) == 1
    test.refresh_from_db()
    assert (test.state, test.message) == (ModelTestState.FAILED, "unknown model")
    assert "test call under Providers" in refusal_here(live)


def test_refuses_a_call_that_has_become_dearer_than_what_was_agreed(live: Principal) -> None:
    offer = offer_test(workspace=live.workspace, model=MODEL, now=clock.now())
    with pytest.raises(TestRefused, match="price has changed"):
        start_test(offer=offer, agreed_micro=offer.price_upper_micro - 1, principal=live, now=clock.now())
    assert not Job.objects.exists()


def test_refuses_a_second_call_while_one_is_under_way(live: Principal) -> None:
    started(live)
    with pytest.raises(TestRefused, match="under way already"):
        started(live)
    assert Job.objects.count() == 1


def test_refuses_where_nothing_can_be_proved() -> None:
    simulated = make_workspace("simulated", mode=Mode.SIMULATED)
    with pytest.raises(TestRefused, match="the emulator proves nothing"):
        offer_test(workspace=simulated, model=MODEL, now=clock.now())
    with pytest.raises(TestRefused, match="no working KlingAI key"):
        offer_test(workspace=make_workspace("keyless", mode=Mode.LIVE), model=MODEL, now=clock.now())


def test_refuses_an_editor(live: Principal) -> None:
    editor = make_principal(live.workspace, "editor")
    with pytest.raises(NotAllowed):
        started(editor)


def test_the_page_shows_the_price_and_makes_the_call_that_was_agreed(live: Principal) -> None:
    browser = Client()
    assert live.user is not None
    browser.force_login(live.user)
    page = f"/w/{live.workspace.slug}/settings/models"
    shown = browser.get(page)
    assert "One clip of 3 s at 720p from KlingAI 3.0 Turbo" in shown.content.decode()
    refused = browser.post(f"{page}/test", {"model": MODEL, "agreed": "1"}, follow=True)
    assert "price has changed" in refused.content.decode()
    made = browser.post(f"{page}/test", {"model": MODEL, "agreed": "369600"})
    test = ModelTest.objects.get()
    assert str(test.job_id) in made["Location"]


def test_the_command_asks_for_a_workspace_and_says_why_it_refuses(live: Principal) -> None:
    with pytest.raises(CommandError, match="Name the model and the live workspace"):
        call_command("registry", "test", MODEL)
    with pytest.raises(CommandError, match="No provider has the model"):
        call_command("registry", "test", "nothing", workspace=live.workspace.slug, yes=True)
