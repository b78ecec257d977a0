"""Secrets that are planted through the public ways in show up nowhere in clear, whatever vendors answer.

The vendor is a real HTTP server that tells every header back, as some vendors' gateways do. Logs are read as a process
writes them, the database row by row.
"""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import structlog
from django.db import connection
from django.test import Client

from genengine.core import clock
from genengine.core.logging import logging_configuration
from genengine.workspaces.models import Mode, Workspace
from genengine.workspaces.policy import Principal
from jobs.execution import due, polling, tasks
from jobs.execution.models import Attempt, Job
from jobs.execution.services.dispatching import dispatch_clip
from providers.base import RemoteAdapter
from providers.catalogue import adapters
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import seal
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "planted-password-Qz81-mountain"
WRONG_PASSWORD = "planted-mistyped-Qz82-mountain"
PLANTED_KEY = "planted-{provider}-{field}-5c1d77e0a9"
ANSWERS = (401, 400, 403, 404, 422, 429, 500, 0)  # 0 cuts the line


class _Telltale(BaseHTTPRequestHandler):
    """Answers with `status` and everything it was told, in the places where vendors put their words."""

    status: ClassVar[int] = 401
    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"bad request with {dict(self.headers.items())} at {self.path}"
        self.heard.append(told)
        if self.status == 0:
            self.connection.close()
            return
        words = dict.fromkeys(("message", "detail", "error", "title", "msg"), told)
        body = json.dumps({**words, "code": 1201, "error_code": told, "errors": [words]}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Request-Echo", told.replace("\n", " ")[:2000])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (names of http.server)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def vendor(settings: Any) -> Iterator[str]:
    """The address of a vendor that tells everything back; the operator allows it."""
    _Telltale.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Telltale)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    settings.GE_PRIVATE_ENDPOINTS = [address]
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All log lines of this process, down to debug, in the form in which a process writes them."""
    values = dict(logging_configuration(level="DEBUG", pretty=False)["formatters"]["structured"])
    values.pop("()")
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**values))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def principal() -> Principal:
    found = make_principal(make_workspace("vault", mode=Mode.LIVE))
    assert found.user is not None
    found.user.set_password(PASSWORD)
    found.user.save()
    return found


@pytest.fixture
def visitor(principal: Principal) -> Client:
    """Signed in by the form, after one mistyped try."""
    client = Client(raise_request_exception=False)
    assert principal.user is not None
    for password in (WRONG_PASSWORD, PASSWORD):
        client.post("/accounts/login/", {"login": principal.user.email, "password": password})
    assert "_auth_user_id" in client.session
    return client


def test_no_planted_secret_is_found_in_logs_pages_answers_or_the_database(
    vendor: str, logs: io.StringIO, principal: Principal, visitor: Client
) -> None:
    secrets = [PASSWORD, WRONG_PASSWORD, *_planted_keys()]
    seen = list(_offer_keys(visitor, principal.workspace, vendor))
    key = _make_api_key(visitor, principal.workspace)
    job = _run_work(principal, vendor)
    seen += _look_everywhere(visitor, principal.workspace, job, key)
    assert any(_planted("kling", "api_key") in words for words in _Telltale.heard), "the vendor heard no key at all"
    assert Attempt.objects.filter(job=job).exclude(error=None).exists()
    places = {"logs": logs.getvalue(), "database": _database_text(), **{f"page {n}": t for n, t in enumerate(seen)}}
    found = [(place, secret) for place, text in places.items() for secret in [*secrets, key] if secret in text]
    assert found == []


def _planted(provider: str, field: str) -> str:
    return PLANTED_KEY.format(provider=provider, field=field)


def _kinds() -> dict[str, type[RemoteAdapter]]:
    return {name: kind for name, kind in adapters().items() if issubclass(kind, RemoteAdapter)}


def _fields(kind: type[RemoteAdapter]) -> list[str]:
    return [name for name in kind.credential_fields if name.endswith(("key", "secret", "token", "value"))]


def _planted_keys() -> list[str]:
    return [_planted(name, field) for name, kind in _kinds().items() for field in _fields(kind)]


def _offer_keys(visitor: Client, workspace: Workspace, vendor: str) -> Iterator[str]:
    """Offer a key of every vendor on the page while the vendor says no in different ways."""
    for name, kind in _kinds().items():
        values = {field: _planted(name, field) for field in _fields(kind)}
        for status in (401, 400, 500):
            _Telltale.status = status
            address = f"/w/{workspace.slug}/settings/providers/{name}/add"
            answer = visitor.post(address, {**values, "base_url": vendor}, follow=True)
            assert answer.status_code == 200, (name, status)
            yield answer.content.decode()


def _make_api_key(visitor: Client, workspace: Workspace) -> str:
    """Make a key on the page, where it is shown this once."""
    values = {"name": "partner", "role": "editor", "scopes": ["read", "jobs"], "days": ""}
    page = visitor.post(f"/w/{workspace.slug}/settings/keys/create", values, follow=True).content.decode()
    match = re.search(r"ge_[A-Za-z0-9_-]{20,}", page)
    assert match, page[:500]
    return match[0]


def _run_work(principal: Principal, vendor: str) -> Job:
    """A clip for each way of failing, through a kept account whose vendor tells everything back."""
    fields = {field: _planted("kling", field) for field in ("api_key", "webhook_secret")}
    now = clock.now()
    account = ProviderAccount.objects.create(
        workspace=principal.workspace, provider="kling", label="Kept", secret=seal(fields), fields=sorted(fields),
        base_url=vendor, verified_at=now, created_at=now,
    )  # fmt: skip
    job = make_job(principal, make_plan(branches=(KLING,), scenes=len(ANSWERS)))
    for status, clip in zip(ANSWERS, job.clips.order_by("position"), strict=True):
        _Telltale.status = status
        ProviderAccount.objects.filter(pk=account.pk).update(enabled=True, verified_at=clock.now(), last_error="")
        attempt = dispatch_clip(clip_id=clip.pk, now=clock.now())
        if attempt is not None:
            tasks.submit_attempt(attempt.pk)
            Attempt.objects.filter(pk=attempt.pk, state="unknown").update(next_poll_at=clock.now())
            for claimed in due.claim_polls(now=clock.now(), limit=5):
                polling.poll_attempt(claimed.attempt)
    logging.getLogger("planted").exception("with the account %s", account)
    return job


def _look_everywhere(visitor: Client, workspace: Workspace, job: Job, key: str) -> Iterator[str]:
    """Pages for people, answers for partners, and what an error shows."""
    base, clips = f"/w/{workspace.slug}", job.clips.all()
    pages = ["", "/settings", "/settings/providers", "/settings/keys", "/settings/health", "/jobs", f"/jobs/{job.pk}"]
    for path in [*pages, f"/jobs/{job.pk}/events", *(f"/jobs/{job.pk}/clips/{clip.pk}" for clip in clips), "/no-page"]:
        yield visitor.get(base + path, follow=True).content.decode()
    account = ProviderAccount.objects.get(workspace=workspace, label="Kept")
    for status in (401, 500):
        _Telltale.status = status
        yield visitor.post(
            f"{base}/settings/providers/accounts/{account.pk}", {"do": "test"}, follow=True
        ).content.decode()
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("me", "jobs", f"jobs/{job.pk}", f"jobs/{job.pk}/events", f"jobs/{job.pk}/timeline", "none"):
        yield visitor.get(f"/api/v1/{path}", headers=headers).content.decode()


def _database_text() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        rows: list[str] = []
        for name in names:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {connection.ops.quote_name(name)} t")
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)
