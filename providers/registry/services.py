"""From a provider's name, a workspace and a mode to an adapter that can be called."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from genengine.core.correlation import correlation_id as running_id
from genengine.workspaces.models import Mode, Workspace
from providers.adapters.local import LocalEngine
from providers.base import InProcessEngine, ProviderAdapter, RemoteAdapter
from providers.catalogue import adapter_class, remote_class
from providers.credentials.models import ProviderAccount
from providers.credentials.queries import usable_account
from providers.credentials.services import reveal
from providers.emulator.accounts import simulated_credentials
from providers.engines import engine_policy, engines
from providers.errors import CredentialsRejected
from providers.sessions import vendor_session


def build_adapter(
    *, provider: str, workspace: Workspace, mode: str, account: ProviderAccount | None = None, correlation_id: str = ""
) -> ProviderAdapter:
    """The adapter for a job of this mode: the emulator's address when simulated, the vendor's own when live.

    Raises ``CredentialsRejected`` when a live workspace has no proved credentials for the provider.
    """
    kind = adapter_class(provider)
    if issubclass(kind, LocalEngine):
        return kind(engines=engines(), policy=engine_policy(workspace), key=f"{workspace.pk}:{correlation_id}")
    if issubclass(kind, InProcessEngine):
        return kind()
    return remote_adapter(
        provider=provider, workspace=workspace.pk, mode=mode, account=account, correlation_id=correlation_id
    )


def remote_adapter(
    *, provider: str, workspace: UUID, mode: str, account: ProviderAccount | None = None, correlation_id: str = ""
) -> RemoteAdapter:
    """The same for a vendor over HTTP, from a workspace's id alone; with an account, or simulated, no row is read."""
    if mode == Mode.SIMULATED:
        return _simulated(provider, workspace, correlation_id or running_id())
    return _live(provider, workspace, account, correlation_id or running_id())


def _simulated(provider: str, workspace: UUID, correlation_id: str) -> RemoteAdapter:
    kind = remote_class(provider)
    base_url = f"{settings.EMULATOR_URL.rstrip('/')}/{kind.emulated_as or provider}"
    return kind(
        session=vendor_session(base_url),
        credentials=simulated_credentials(provider, str(workspace)),
        base_url=base_url,
        correlation_id=correlation_id,
    )


def _live(provider: str, workspace: UUID, account: ProviderAccount | None, correlation_id: str) -> RemoteAdapter:
    kind = remote_class(provider)
    chosen = account or usable_account(workspace=workspace, provider=provider)
    if chosen is None or chosen.workspace_id != workspace or not chosen.enabled:
        raise CredentialsRejected(f"This workspace has no working {kind.label} key; add one under Providers.")
    base_url = chosen.base_url or kind.live_url
    return kind(
        session=vendor_session(base_url), credentials=reveal(chosen), base_url=base_url, correlation_id=correlation_id
    )
