"""Access-key accounts sign each call with a short-lived HS256 token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

TOKEN_LIFETIME_S = 1800
CLOCK_SLACK_S = 5


def access_token(access_key: str, secret_key: str, now: int) -> str:
    """A fresh token: 30 minutes long, valid from five seconds ago against clock skew. ``now`` in Unix seconds."""
    claims = {"iss": access_key, "exp": now + TOKEN_LIFETIME_S, "nbf": now - CLOCK_SLACK_S}
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
    return f"{signed}.{_base64url(hmac.new(secret_key.encode(), signed.encode(), hashlib.sha256).digest())}"


def _segment(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
