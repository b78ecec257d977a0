"""Standard Webhooks, held against the vector that Kling publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from providers.errors import WebhookRejected
from providers.webhooks import sign_standard_webhook, verify_standard_webhook

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
BODY = b'{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}'
SENT = datetime.fromtimestamp(1781080794, UTC)
HEADERS = {
    "Webhook-Id": "9876543210",
    "Webhook-Timestamp": "1781080794",
    "Webhook-Signature": "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=",
}


def test_the_published_vector_holds() -> None:
    verify_standard_webhook(SECRET, HEADERS, BODY, now=SENT)


def test_one_fitting_signature_of_several_is_enough_while_secrets_rotate() -> None:
    both = {**HEADERS, "Webhook-Signature": f"v1,AAAA v2,zzzz {HEADERS['Webhook-Signature']}"}
    verify_standard_webhook(SECRET, both, BODY, now=SENT)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_far_from_ours_is_rejected(minutes: int) -> None:
    with pytest.raises(WebhookRejected, match="five minutes"):
        verify_standard_webhook(SECRET, HEADERS, BODY, now=SENT + timedelta(minutes=minutes))


@pytest.mark.parametrize("missing", list(HEADERS))
def test_each_header_is_needed(missing: str) -> None:
    rest = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(WebhookRejected):
        verify_standard_webhook(SECRET, rest, BODY, now=SENT)


def test_another_body_or_secret_is_rejected() -> None:
    with pytest.raises(WebhookRejected):
        verify_standard_webhook(SECRET, HEADERS, BODY + b" ", now=SENT)
    with pytest.raises(WebhookRejected):
        verify_standard_webhook("whsec_b3RoZXI=", HEADERS, BODY, now=SENT)
    with pytest.raises(WebhookRejected, match="base64"):
        verify_standard_webhook("whsec_%%", HEADERS, BODY, now=SENT)


def test_the_reference_library_signs_the_same() -> None:
    theirs = Webhook(SECRET).sign("9876543210", SENT, BODY.decode())
    assert theirs == "v1," + sign_standard_webhook(SECRET, "9876543210", "1781080794", BODY)
