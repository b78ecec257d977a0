"""Access tokens for a Google service account: a signed assertion exchanged once an hour, kept per process.

RFC 7523. The key file's own ``token_uri`` is not used: a forged file must not choose where its assertion goes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from providers.errors import CredentialsRejected, Transient
from providers.http import CallKind, VendorClient

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LIFETIME_S = 3600
EARLY_S = 300

_lock = threading.Lock()
_kept: dict[str, tuple[str, float]] = {}


def service_account_token(key_file: str, *, client: VendorClient, now: datetime, token_url: str = "") -> str:
    """A token for this key file, from the process's store or fresh; renewed five minutes early."""
    url, moment = token_url or TOKEN_URL, now.timestamp()
    name = hashlib.sha256(f"{url}\n{key_file}".encode()).hexdigest()
    with _lock:
        token, until = _kept.get(name, ("", 0.0))
        if moment < until - EARLY_S:
            return token
    token, seconds = _exchange(_read(key_file), client, url, int(moment))
    with _lock:
        _kept[name] = (token, moment + seconds)
    return token


def _read(key_file: str) -> Mapping[str, str]:
    try:
        account = json.loads(key_file)
        return {name: str(account[name]) for name in ("client_email", "private_key")}
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialsRejected("This is not a service-account key file; paste the JSON as downloaded.") from error


def _exchange(account: Mapping[str, str], client: VendorClient, url: str, moment: int) -> tuple[str, int]:
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(account, url, moment)}
    reply = client.call(CallKind.READ, "POST", url, data=form, quiet=True)
    if reply.status >= 500:
        raise Transient("Google's token service failed; try again later.", exchange=reply.exchange)
    token = str(reply.data.get("access_token") or "")
    if not reply.ok or not token:
        words = str(reply.data.get("error_description") or reply.data.get("error") or "")
        raise CredentialsRejected(f"Google does not accept this service account: {words}", exchange=reply.exchange)
    return token, int(reply.data.get("expires_in") or LIFETIME_S)


def _assertion(account: Mapping[str, str], url: str, moment: int) -> str:
    try:
        key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
    except ValueError as error:
        raise CredentialsRejected("The service account's private key cannot be read; download a new one.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CredentialsRejected("The service account's private key is not an RSA key; download a new one.")
    claims = {"iss": account["client_email"], "scope": SCOPE, "aud": url, "iat": moment, "exp": moment + LIFETIME_S}
    signed = f"{_segment({'alg': 'RS256', 'typ': 'JWT'})}.{_segment(claims)}"
    return f"{signed}.{_base64url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _segment(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
