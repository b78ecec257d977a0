"""Provider health: active checks, what a rejected key means, what the page and the API show."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from genengine.core import clock
from genengine.workspaces.models import Mode, Workspace
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import seal
from providers.health.queries import provider_health
from providers.health.services import check_account, claim_checks, reject_account
from providers.traffic.models import Circuit, Signal, Throttle
from providers.traffic.queries import may_probe
from providers.traffic.services import circuit_of, note_signal
from tests.factories.jobs import make_principal, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def kling(workspace: Workspace) -> Circuit:
    return circuit_of(workspace=workspace, mode=workspace.mode, provider="kling", model="kling-2.6", now=clock.now())


def live(workspace: Workspace) -> ProviderAccount:
    """A live workspace with an account whose address nobody answers at."""
    workspace.mode = Mode.LIVE
    workspace.save()
    return ProviderAccount.objects.create(
        workspace=workspace, provider="kling", label="Ours", base_url="http://127.0.0.1:9", fields=["api_key"],
        secret=seal({"api_key": "k"}), verified_at=clock.now() - timedelta(days=1), created_at=clock.now(),
    )  # fmt: skip


def test_an_account_in_use_is_checked_once_an_interval(workspace: Workspace, settings: LazySettings) -> None:
    circuit, now = kling(workspace), clock.now()
    assert claim_checks(now=now) == [circuit.throttle_id]
    assert claim_checks(now=now) == []
    settings.GE_HEALTH_CHECK_S = 60
    assert claim_checks(now=now + timedelta(seconds=61)) == [circuit.throttle_id]
    assert claim_checks(now=now + timedelta(days=2)) == []


def test_a_vendor_that_does_not_answer_a_check_is_noted_and_nothing_is_switched_off(
    workspace: Workspace, settings: LazySettings
) -> None:
    settings.EMULATOR_URL = "http://127.0.0.1:9"
    circuit = kling(workspace)
    assert check_account(throttle_id=circuit.throttle_id, now=clock.now()) == "transient"
    (row,) = provider_health(workspace=workspace, now=clock.now())
    assert (row.check_worked, row.words) == (False, "Working")
    assert [t.call for t in row.troubles] == ["check"]


def test_a_rejected_key_is_not_used_until_a_person_has_tested_it_again(workspace: Workspace) -> None:
    account = live(workspace)
    circuit = kling(workspace)
    assert circuit.throttle.account == account
    note_signal(circuit=circuit, call="submit", kind="credentials_rejected", message="Unknown key.", now=clock.now())
    reject_account(account=account, kind="credentials_rejected", message="Unknown key.", now=clock.now())
    account.refresh_from_db()
    assert account.verified_at is None
    assert "tested again under Providers" in account.last_error
    (row,) = provider_health(workspace=workspace, now=clock.now())
    assert (row.words, row.needs_person, row.account) == ("Down", True, "Ours")
    later = clock.now() + timedelta(days=3)
    circuit = Circuit.objects.select_related("throttle__account").get()
    assert not may_probe(circuit, now=later)
    ProviderAccount.objects.update(verified_at=clock.now())
    assert may_probe(Circuit.objects.select_related("throttle__account").get(), now=later)


def test_an_account_without_credit_keeps_its_key(workspace: Workspace) -> None:
    account = live(workspace)
    reject_account(account=account, kind="quota_exhausted", message="No credit.", now=clock.now())
    account.refresh_from_db()
    assert account.verified_at is not None


def test_figures_of_a_day_and_the_history_of_the_circuit(workspace: Workspace) -> None:
    circuit, now = kling(workspace), clock.now()
    for seconds in (0.2, 0.4, 0.6):
        note_signal(circuit=circuit, call="submit", seconds=seconds, now=now)
        note_signal(circuit=circuit, call="task", seconds=seconds * 100, now=now)
    for _ in range(9):
        note_signal(circuit=circuit, call="submit", kind="transient", message="503", now=now)
    note_signal(circuit=circuit, call="submit", kind="rate_limited", retry_after_s=9, now=now)
    note_signal(circuit=circuit, call="submit", seconds=9, now=now - timedelta(days=2))
    (row,) = provider_health(workspace=workspace, now=now)
    (model,) = row.models
    assert (model.calls, model.success, model.submit_s, model.usual_s) == (15, 0.4, 0.4, 40.0)
    assert (row.words, row.history[0].event, row.history[0].reason) == ("Down", "opened", "503")


def test_the_page_shows_half_and_ninety_five_of_a_hundred_durations(client: Client, workspace: Workspace) -> None:
    circuit, now = kling(workspace), clock.now()
    for seconds in range(1, 41):
        note_signal(circuit=circuit, call="task", seconds=float(seconds), now=now)
    (row,) = provider_health(workspace=workspace, now=now)
    assert (row.models[0].usual_s, row.models[0].p95_s) == (21.0, 39.0)
    viewer = make_principal(workspace, "viewer")
    assert viewer.user is not None
    client.force_login(viewer.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/w/{workspace.slug}/settings/health").content.decode()
    assert ("Clip, p95" in page, "39 s" in page) == (True, True)


def test_live_and_simulated_are_kept_apart(workspace: Workspace) -> None:
    kling(workspace)
    live(workspace)
    assert provider_health(workspace=workspace, now=clock.now()) == ()
    kling(workspace)
    assert [r.mode for r in provider_health(workspace=workspace, now=clock.now())] == ["live"]
    assert Throttle.objects.count() == 2


def test_a_viewer_reads_the_page_and_the_api_and_sees_no_other_workspace(client: Client, workspace: Workspace) -> None:
    note_signal(circuit=kling(workspace), call="submit", kind="transient", message="it broke", now=clock.now())
    other = make_workspace("other")
    note_signal(circuit=kling(other), call="submit", kind="transient", message="their secret", now=clock.now())
    viewer = make_principal(workspace, "viewer")
    assert viewer.user is not None
    client.force_login(viewer.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/w/{workspace.slug}/settings/health").content.decode()
    assert "KlingAI" in page
    assert "it broke" in page
    assert "their secret" not in page
    (row,) = client.get("/api/v1/providers/health").json()
    assert (row["provider"], row["state"], row["models"][0]["success"]) == ("kling", "closed", 0.0)
    assert Signal.objects.count() == 2
