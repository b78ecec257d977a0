"""A vendor account is proved before it is kept, sealed at rest, and never readable again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from genengine.core.actors import SYSTEM
from genengine.core.clock import now
from genengine.workspaces.models import Mode, Workspace
from providers.base import RemoteAdapter
from providers.credentials.models import ProviderAccount
from providers.credentials.queries import provider_readiness
from providers.credentials.services import (
    CredentialsInvalid,
    add_account,
    check_base_url,
    reveal,
    revoke_account,
    rotate_secrets,
    verify_account,
)
from providers.credentials.vault import SecretLost, seal, unseal
from providers.errors import CredentialsRejected
from providers.registry.services import build_adapter
from tests.contracts.emulator_process import EmulatorProcess

pytestmark = pytest.mark.django_db(transaction=True)
PLANTED = "planted-secret-8f2c"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("vendor")).start()
    yield running
    running.stop()


@pytest.fixture
def workspace() -> Workspace:
    return Workspace.objects.create(slug="aurora", name="Aurora", mode=Mode.LIVE)


@pytest.fixture
def address(vendor: EmulatorProcess, settings: object) -> str:
    url = f"{vendor.url}/kling"
    settings.GE_PRIVATE_ENDPOINTS = [url]  # type: ignore[attr-defined]
    return url


@pytest.fixture
def account(workspace: Workspace, address: str) -> ProviderAccount:
    return add_account(
        workspace=workspace,
        provider="kling",
        label="Main",
        credentials={"api_key": PLANTED},
        actor=SYSTEM,
        now=now(),
        base_url=address,
    )


def test_a_proved_account_is_kept_sealed(account: ProviderAccount) -> None:
    assert account.verified_at is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM providers_provideraccount p")
        row = cursor.fetchone()[0]
    assert PLANTED not in row
    assert reveal(account) == {"api_key": PLANTED}


def test_credentials_that_do_not_hold_are_not_kept(workspace: Workspace, address: str) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        add_account(
            workspace=workspace, provider="kling", label="x", credentials={"api_key": "invalid-one"}, actor=SYSTEM,
            now=now(), base_url=address,
        )  # fmt: skip
    assert "invalid-one" not in repr(caught.value.exchange)
    assert not ProviderAccount.objects.exists()


def test_fields_the_vendor_does_not_have_are_refused(workspace: Workspace) -> None:
    for wrong in ({"password": "x"}, {}, {"api_key": " "}):
        with pytest.raises(CredentialsInvalid):
            add_account(workspace=workspace, provider="kling", label="x", credentials=wrong, actor=SYSTEM, now=now())


@pytest.mark.parametrize("url", ["http://example.com", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.8"])
def test_an_address_in_a_private_network_needs_the_operator(url: str) -> None:
    with pytest.raises(CredentialsInvalid):
        check_base_url(url)


def test_an_address_that_was_allowed_once_is_not_called_when_it_no_longer_is(
    account: ProviderAccount, settings: object
) -> None:
    settings.GE_PRIVATE_ENDPOINTS = []  # type: ignore[attr-defined]
    verify_account(account=account, actor=SYSTEM, now=now())
    account.refresh_from_db()
    assert account.verified_at is None


def test_a_live_account_cannot_be_the_emulator(settings: object) -> None:
    settings.EMULATOR_URL = "http://127.0.0.1:8100"  # type: ignore[attr-defined]
    with pytest.raises(CredentialsInvalid):
        check_base_url("http://127.0.0.1:8100/kling")


def test_a_live_job_uses_the_workspaces_own_account_and_no_other(
    workspace: Workspace, account: ProviderAccount, address: str
) -> None:
    adapter = build_adapter(provider="kling", workspace=workspace, mode=Mode.LIVE, correlation_id="c-1")
    assert isinstance(adapter, RemoteAdapter)
    assert adapter.base_url == address
    assert adapter.check_credentials().ok
    stranger = Workspace.objects.create(slug="other", name="Other", mode=Mode.LIVE)
    with pytest.raises(CredentialsRejected):
        build_adapter(provider="kling", workspace=stranger, mode=Mode.LIVE)
    with pytest.raises(CredentialsRejected):
        build_adapter(provider="kling", workspace=stranger, mode=Mode.LIVE, account=account)


def test_a_simulated_job_goes_to_the_emulator_without_any_account(
    workspace: Workspace, vendor: EmulatorProcess, settings: object
) -> None:
    settings.EMULATOR_URL = vendor.url  # type: ignore[attr-defined]
    adapter = build_adapter(provider="kling", workspace=workspace, mode=Mode.SIMULATED)
    assert isinstance(adapter, RemoteAdapter)
    assert adapter.base_url == f"{vendor.url}/kling"
    assert adapter.check_credentials().ok


def test_readiness_says_why_a_live_workspace_cannot_use_a_provider(
    workspace: Workspace, account: ProviderAccount
) -> None:
    ready = provider_readiness(workspace=workspace)
    assert ready["kling"].ready
    assert ready["local"].ready
    revoke_account(account=account, actor=SYSTEM, now=now())
    after = provider_readiness(workspace=workspace)["kling"]
    assert not after.ready
    assert "add one under Providers" in after.reason
    assert provider_readiness(workspace=workspace, mode=Mode.SIMULATED)["kling"].ready


def test_a_revoked_secret_is_gone_from_the_row(account: ProviderAccount) -> None:
    revoke_account(account=account, actor=SYSTEM, now=now())
    account.refresh_from_db()
    assert reveal(account) == {}
    assert not account.enabled


def test_a_failed_proof_makes_an_account_unusable_and_says_why(account: ProviderAccount) -> None:
    account.secret = seal({"api_key": "revoked-key"})
    account.save()
    verify_account(account=account, actor=SYSTEM, now=now())
    account.refresh_from_db()
    assert account.verified_at is None
    assert "does not accept" in account.last_error
    assert "revoked-key" not in account.last_error


def test_rotation_seals_anew_while_old_values_still_open(account: ProviderAccount, settings: object) -> None:
    old = list(settings.GE_SECRET_KEYS)  # type: ignore[attr-defined]
    settings.GE_SECRET_KEYS = [f"k2:{Fernet.generate_key().decode()}", *old]  # type: ignore[attr-defined]
    assert reveal(account) == {"api_key": PLANTED}
    assert rotate_secrets(actor=SYSTEM, now=now()) == 1
    settings.GE_SECRET_KEYS = settings.GE_SECRET_KEYS[:1]  # type: ignore[attr-defined]
    account.refresh_from_db()
    assert reveal(account) == {"api_key": PLANTED}
    assert rotate_secrets(actor=SYSTEM, now=now()) == 0


def test_a_lost_or_altered_secret_says_what_to_do() -> None:
    sealed = seal({"api_key": "x"})
    with pytest.raises(SecretLost, match="GE_SECRET_KEYS"):
        unseal("k99:" + sealed.partition(":")[2])
    with pytest.raises(SecretLost, match="again"):
        unseal(sealed[:-4] + "AAAA")
