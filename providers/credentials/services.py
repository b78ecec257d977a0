"""Add, test, revoke and re-seal a workspace's vendor accounts. Credentials are tried before they are kept."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.correlation import correlation_id
from genengine.core.db import unit_of_work
from genengine.workspaces.models import Workspace
from providers.addresses import is_public
from providers.base import RemoteAdapter
from providers.catalogue import remote_class
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import current_key_id, seal, unseal
from providers.errors import ProviderError
from providers.sessions import is_listed_private, vendor_session


class CredentialsInvalid(ValueError):
    """The form of the credentials or the address is wrong; the message says how to put it right."""


def add_account(
    *,
    workspace: Workspace,
    provider: str,
    label: str,
    credentials: Mapping[str, str],
    actor: Actor,
    now: datetime,
    base_url: str = "",
) -> ProviderAccount:
    """Try the credentials at the vendor and keep them sealed. Raises the vendor's error when they do not hold."""
    kind = remote_class(provider)
    given = {name: value.strip() for name, value in credentials.items() if value and value.strip()}
    unknown = set(given) - set(kind.credential_fields)
    if unknown or (kind.needs_credentials and not given):
        raise CredentialsInvalid(f"{kind.label} takes {', '.join(kind.credential_fields)}; nothing else is kept.")
    if not base_url and not kind.live_url:
        raise CredentialsInvalid(f"{kind.label} runs on a server of your own; give its address.")
    check_base_url(base_url)
    _adapter(kind, given, base_url).check_credentials()
    with unit_of_work():
        account = ProviderAccount.objects.create(
            workspace=workspace,
            provider=provider,
            label=label.strip() or kind.label,
            base_url=base_url,
            fields=sorted(given),
            secret=seal(given),
            verified_at=now,
            created_at=now,
        )
        _record("provider_account.added", account, actor, now)
    return account


def verify_account(*, account: ProviderAccount, actor: Actor, now: datetime) -> ProviderAccount:
    """Try the kept credentials again; the outcome is stored, and a failure makes the account unusable."""
    kind = remote_class(account.provider)
    adapter = _adapter(kind, reveal(account), account.base_url)
    try:
        adapter.check_credentials()
        verified_at, last_error = now, ""
    except ProviderError as error:
        verified_at, last_error = None, adapter.redactor.text(str(error))[:300]
    with unit_of_work():
        account.verified_at, account.last_error = verified_at, last_error
        account.save(update_fields=["verified_at", "last_error"])
        _record("provider_account.verified", account, actor, now, holds=verified_at is not None)
    return account


def revoke_account(*, account: ProviderAccount, actor: Actor, now: datetime) -> None:
    """Forget the secret and disable the account; the row stays, so that old attempts keep their name."""
    with unit_of_work():
        account.enabled, account.verified_at, account.secret = False, None, seal({})
        account.save(update_fields=["enabled", "verified_at", "secret"])
        _record("provider_account.revoked", account, actor, now)


def rotate_secrets(*, actor: Actor, now: datetime) -> int:
    """Seal every secret with the newest key; returns how many were sealed with an older one."""
    newest, changed = current_key_id(), 0
    for pk in ProviderAccount.objects.exclude(secret__startswith=f"{newest}:").values_list("pk", flat=True):
        with unit_of_work():
            account = ProviderAccount.objects.select_for_update().get(pk=pk)
            account.secret = seal(unseal(account.secret))
            account.save(update_fields=["secret"])
            _record("provider_account.resealed", account, actor, now)
        changed += 1
    return changed


def reveal(account: ProviderAccount) -> dict[str, str]:
    """The credentials in clear, for an adapter about to use them and for nothing else."""
    return unseal(account.secret)


def _adapter(kind: type[RemoteAdapter], credentials: Mapping[str, str], base_url: str) -> RemoteAdapter:
    address = base_url or kind.live_url
    session = vendor_session(address)
    return kind(session=session, credentials=credentials, base_url=address, correlation_id=correlation_id())


def check_base_url(base_url: str) -> None:
    """An address other than the vendor's own must be public and https, unless the operator allowed it."""
    if not base_url or is_listed_private(base_url):
        return
    parts = urlsplit(base_url)
    if parts.scheme != "https" or not parts.hostname:
        raise CredentialsInvalid("The address must begin with https://; an operator can allow others.")
    if not all(is_public(address) for address in _addresses(parts.hostname)):
        raise CredentialsInvalid("The address leads into a private network; an operator must allow it first.")


def _addresses(host: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        return [str(item[4][0]) for item in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise CredentialsInvalid(f"The host {host} cannot be found; check the address.") from error


def _record(action: str, account: ProviderAccount, actor: Actor, now: datetime, **facts: object) -> None:
    audit.record(
        workspace_id=account.workspace_id,
        actor=actor,
        action=action,
        subject_kind="provider_account",
        subject_id=account.pk,
        now=now,
        provider=account.provider,
        **facts,
    )
