"""Secrets at rest: Fernet under keys with ids, so that keys can be changed without losing what they sealed.

A sealed value reads ``<key id>:<token>``. The first key of ``GE_SECRET_KEYS`` seals; any listed key opens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class SecretLost(Exception):
    """The key that sealed this secret is no longer among GE_SECRET_KEYS, or the value was altered."""


def _keys() -> dict[str, Fernet]:
    pairs = (line.partition(":") for line in settings.GE_SECRET_KEYS)
    return {name: Fernet(key.encode()) for name, _, key in pairs}


def current_key_id() -> str:
    """The id of the key that seals new secrets."""
    return next(iter(_keys()))


def seal(values: Mapping[str, str]) -> str:
    """Encrypt named secrets with the newest key."""
    name, key = next(iter(_keys().items()))
    return f"{name}:{key.encrypt(json.dumps(dict(values), sort_keys=True).encode()).decode()}"


def unseal(sealed: str) -> dict[str, str]:
    """Decrypt; the result never leaves the process and is never logged."""
    name, _, token = sealed.partition(":")
    key = _keys().get(name)
    if key is None:
        raise SecretLost(f"The key {name!r} is not in GE_SECRET_KEYS; add it back or enter the credentials again.")
    try:
        opened = json.loads(key.decrypt(token.encode()))
    except InvalidToken as error:
        raise SecretLost("A stored secret does not open with its key; enter the credentials again.") from error
    return {str(field): str(value) for field, value in opened.items()}
