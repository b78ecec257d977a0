"""Which of a workspace's vendor accounts can be used, which providers are ready, and why others are not."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from genengine.workspaces.models import Mode, Workspace
from providers.base import ProviderAdapter
from providers.catalogue import adapters
from providers.credentials.models import ProviderAccount


def usable_account(*, workspace: Workspace | UUID, provider: str) -> ProviderAccount | None:
    """The enabled account whose credentials held when last tried, the newest proof first."""
    rows = ProviderAccount.objects.of(workspace).filter(provider=provider, enabled=True, verified_at__isnull=False)
    return rows.order_by("-verified_at").first()


@dataclass(frozen=True, slots=True)
class Readiness:
    """One provider as seen from one workspace; ``reason`` is a sentence when it is not ready."""

    provider: str
    label: str
    ready: bool
    reason: str = ""


def provider_readiness(*, workspace: Workspace, mode: str = "") -> dict[str, Readiness]:
    """Every provider by name. In live mode a remote one needs credentials that have been proved."""
    chosen = mode or workspace.mode
    proved = set(
        ProviderAccount.objects.of(workspace)
        .filter(enabled=True, verified_at__isnull=False)
        .values_list("provider", flat=True)
    )
    return {
        name: _readiness(name, kind.label, _is_ready(kind, chosen, name in proved)) for name, kind in adapters().items()
    }


def _is_ready(kind: type[ProviderAdapter], mode: str, is_proved: bool) -> bool:
    """The emulator stands for every vendor, but not for a server that nobody has."""
    stood_for = mode == Mode.SIMULATED and not kind.is_self_hosted
    return kind.is_local or stood_for or is_proved


def _readiness(name: str, label: str, ready: bool) -> Readiness:
    reason = "" if ready else f"No working {label} key in this workspace; add one under Providers."
    return Readiness(name, label, ready, reason)
