"""Google sign-in: one exchange an hour, to Google's address only, and nothing of it kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from providers.errors import CredentialsRejected, Transient
from providers.google_tokens import TOKEN_URL, service_account_token
from providers.http import Redactor, VendorClient
from tests.contracts.cases import service_account

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def client() -> VendorClient:
    return VendorClient(requests.Session(), "https://vertex.example", Redactor(()))


def answer(web: responses.RequestsMock, **body: Any) -> Any:
    return web.post(TOKEN_URL, json={"access_token": "ya29.secret", "expires_in": 3600, **body})


def test_one_token_serves_for_its_hour_and_is_renewed_early(client: VendorClient) -> None:
    key = service_account()
    with responses.RequestsMock() as web:
        exchange = answer(web)
        for minutes in (0, 10, 54, 56):
            assert service_account_token(key, client=client, now=NOW + timedelta(minutes=minutes)) == "ya29.secret"
        assert exchange.call_count == 2
        assert web.calls[0].request.body != b""


def test_the_address_in_the_key_file_is_not_asked_and_nothing_is_kept(client: VendorClient) -> None:
    with responses.RequestsMock() as web:
        answer(web)
        service_account_token(service_account(), client=client, now=NOW)
        sent = parse_qs(str(web.calls[0].request.body))
    assert sent["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    (kept,) = client.exchanges
    assert kept.url == TOKEN_URL
    assert kept.request_body == kept.response_body == ""


def test_a_refusal_a_fault_and_a_wrong_file_are_told_apart(client: VendorClient) -> None:
    with responses.RequestsMock() as web:
        web.post(TOKEN_URL, json={"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, status=400)
        with pytest.raises(CredentialsRejected, match="Invalid JWT Signature"):
            service_account_token(service_account(), client=client, now=NOW)
    with responses.RequestsMock() as web:
        web.post(TOKEN_URL, status=503)
        with pytest.raises(Transient):
            service_account_token(service_account(), client=client, now=NOW)
    for wrong in ("", "{}", "[]", '{"client_email": "a", "private_key": "b"}'):
        with pytest.raises(CredentialsRejected):
            service_account_token(wrong, client=client, now=NOW)
