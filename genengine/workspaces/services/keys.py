"""API keys: made once, shown once, kept as a hash, checked in constant time."""

import hmac
import re
import secrets
from datetime import datetime, timedelta

from django.db.models import Q

from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import ApiKey, Role
from genengine.workspaces.policy import RANK, SCOPES, Action, Principal, key_is_valid, require
from genengine.workspaces.services.record import digest, tell

KEY_START = "ge"
KEY_SHAPE = re.compile(rf"{KEY_START}_([0-9a-f]{{10}})_([A-Za-z0-9_-]{{43}})")
USE_NOTED_EVERY = timedelta(minutes=1)
NO_KEY = digest("no key has this secret")  # compared against when the prefix is unknown, to take as long


class KeyRefused(Exception):
    """The key cannot be made like that; the text says what to change."""


@retry_conflicts
def create_api_key(
    *,
    principal: Principal,
    name: str,
    role: Role,
    scopes: list[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a partner's key; return it with the key's text, `ge_<prefix>_<secret>`, which is not kept."""
    require(principal, Action.MANAGE_KEYS)
    _check(principal, name, role, scopes, expires_at, now)
    prefix, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
    with unit_of_work():
        key = ApiKey.objects.create(
            workspace=principal.workspace,
            name=name.strip()[:120],
            prefix=prefix,
            secret_hash=digest(secret),
            role=role,
            scopes=sorted(set(scopes)),
            created_by=principal.user,
            expires_at=expires_at,
        )
        facts: dict[str, object] = {"role": str(role), "scopes": key.scopes}
        tell(
            principal.workspace, principal.actor, "api_key.created",
            subject_kind="api_key", subject_id=key.pk, now=now, facts=facts,
        )  # fmt: skip
    return key, f"{KEY_START}_{prefix}_{secret}"


@retry_conflicts
def revoke_api_key(*, key: ApiKey, principal: Principal, now: datetime) -> None:
    """End a key at once."""
    require(principal, Action.MANAGE_KEYS, key)
    with unit_of_work():
        if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
            tell(
                principal.workspace, principal.actor, "api_key.revoked",
                subject_kind="api_key", subject_id=key.pk, now=now,
            )  # fmt: skip


def authenticate_key(raw: str, *, now: datetime) -> ApiKey | None:
    """Return the standing key with this text, noting its use at most once a minute; nothing for any other text."""
    shape = KEY_SHAPE.fullmatch(raw)
    prefix, secret = shape.groups() if shape else ("", "")
    key = ApiKey.objects.select_related("workspace").filter(prefix=prefix).first() if prefix else None
    right = hmac.compare_digest(digest(secret), key.secret_hash if key else NO_KEY)
    if key is None or not right or not key_is_valid(key, now):
        return None
    unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY:
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)
    return key


def _check(
    principal: Principal, name: str, role: Role, scopes: list[str], expires_at: datetime | None, now: datetime
) -> None:
    if not name.strip():
        raise KeyRefused("Name the key after who uses it.")
    if RANK[Role(role)] > RANK[principal.role]:
        raise KeyRefused(f"A key cannot do more than who makes it; choose at most {principal.role.label}.")
    if not scopes or any(scope not in SCOPES for scope in scopes):
        raise KeyRefused(f"Choose at least one of: {', '.join(SCOPES)}.")
    if expires_at is not None and expires_at <= now:
        raise KeyRefused("The end of the key lies in the past.")
