"""Standard Webhooks (HMAC-SHA256), as several vendors sign their callbacks. https://www.standardwebhooks.com"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from providers.errors import WebhookRejected

TOLERANCE = timedelta(minutes=5)


def verify_standard_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime, prefix: str = "webhook"
) -> None:
    """Raise ``WebhookRejected`` unless one signature fits and the time is within five minutes of ours."""
    lower = {name.lower(): value for name, value in headers.items()}
    message_id, moment = lower.get(f"{prefix}-id", ""), lower.get(f"{prefix}-timestamp", "")
    signatures = lower.get(f"{prefix}-signature", "")
    if not (message_id and moment and signatures):
        raise WebhookRejected("The callback is not signed; set a webhook secret at the vendor and here.")
    if not moment.isdigit() or abs(now.timestamp() - int(moment)) > TOLERANCE.total_seconds():
        raise WebhookRejected("The callback's time is more than five minutes from ours; it may be a replay.")
    wanted = sign_standard_webhook(secret, message_id, moment, body)
    for given in signatures.split():
        version, _, signature = given.partition(",")
        if version == "v1" and hmac.compare_digest(signature, wanted):
            return
    raise WebhookRejected("The callback's signature does not fit; it was not sent by the vendor.")


def sign_standard_webhook(secret: str, message_id: str, moment: str, body: bytes) -> str:
    """The base64 signature of ``id.timestamp.body`` under a ``whsec_`` secret."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookRejected("The webhook secret kept here is not base64; copy it again from the vendor.") from error
    signed = f"{message_id}.{moment}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
