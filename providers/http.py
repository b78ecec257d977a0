"""The one way an adapter talks HTTP: timeouts, redaction, correlation, and what a lost answer means.

Plain Python on ``requests``. Nothing here retries or sleeps: the dispatcher decides that.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import exceptions as rx
from urllib3 import exceptions as ux

from providers.addresses import PublicOnlyTransport
from providers.errors import Exchange, OutcomeUnknown, Transient

CORRELATION_HEADER = "X-Correlation-ID"
BODY_LIMIT = 4_000
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "xi-api-key", "x-goog-api-key", "cookie", "set-cookie"})
HIDDEN = "[removed]"
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")
SIGNED_QUERY = re.compile(
    r"([?&](?:key|token|sig|signature|x-amz-[a-z-]+|x-goog-[a-z-]+|expires|policy)=)[^&\s\"']+", re.IGNORECASE
)


class CallKind(StrEnum):
    """What a call may cost when its answer is lost."""

    SUBMIT = "submit"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, to wait for an answer, and for a submit's answer."""

    connect: float = 5.0
    read: float = 20.0
    submit: float = 60.0
    upload: float = 120.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's answer. ``json`` is ``None`` when the body is not JSON."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    exchange: Exchange
    json: Any = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def data(self) -> dict[str, Any]:
        """The body as an object; anything else is an empty one."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds the vendor asked us to wait, when it said so as a number."""
        try:
            return max(0.0, float(self.headers.get("Retry-After", "")))
        except ValueError:
            return None


class Redactor:
    """Removes the planted secrets, known header names, signed query values and long base64 from what is kept."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({item for item in secrets if len(item) >= 6}, key=len, reverse=True)

    def text(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, HIDDEN)
        return value

    def url(self, value: str) -> str:
        return SIGNED_QUERY.sub(rf"\g<1>{HIDDEN}", self.text(value))

    def headers(self, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, HIDDEN if name.lower() in SECRET_HEADERS else self.text(str(value)))
            for name, value in values.items()
        )

    def body(self, value: bytes | str | None, media_type: str = "application/json") -> str:
        if not value:
            return ""
        if isinstance(value, bytes):
            if not _is_text(media_type):
                return f"[{len(value)} bytes of {media_type or 'unnamed content'}]"
            value = value[: BODY_LIMIT * 8].decode("utf-8", "replace")
        short = LONG_BASE64.sub(lambda match: f"[{len(match.group())} characters of base64]", value)
        return SIGNED_QUERY.sub(rf"\g<1>{HIDDEN}", self.text(short))[:BODY_LIMIT]


def _is_text(media_type: str) -> bool:
    return any(word in media_type for word in ("json", "text", "xml", "x-www-form-urlencoded"))


@dataclass
class VendorClient:
    """Sends one request and keeps its redacted record; raises only for answers that never came."""

    session: requests.Session
    base_url: str
    redactor: Redactor
    correlation_id: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)
    exchanges: list[Exchange] = field(default_factory=list)

    def call(
        self,
        kind: CallKind,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        data: Any = None,
        files: Any = None,
        read_timeout: float | None = None,
        quiet: bool = False,
    ) -> Reply:
        """One call. ``body`` is sent as JSON. A lost submit raises ``OutcomeUnknown``, a lost read ``Transient``.

        ``quiet`` keeps both bodies out of the record: sign-in exchanges are secrets from end to end.
        """
        url = path if path.startswith(("http://", "https://")) else self.base_url.rstrip("/") + path
        prepared = self.session.prepare_request(
            requests.Request(
                method, url, headers=self._headers(headers), params=params, json=body, data=data, files=files
            )
        )
        started = time.monotonic()
        try:
            answer = self.session.send(
                prepared,
                timeout=(self.timeouts.connect, read_timeout or self._patience(kind)),
                allow_redirects=False,
            )
            content = answer.content
        except rx.RequestException as error:
            raise self._lost(kind, prepared, error, time.monotonic() - started) from error
        kept = b"" if quiet else content
        exchange = self._record(prepared, answer.status_code, started, answer.headers, kept, quiet=quiet)
        return Reply(answer.status_code, answer.headers, content, exchange, _as_json(content))

    def _patience(self, kind: CallKind) -> float:
        return {
            CallKind.SUBMIT: self.timeouts.submit,
            CallKind.READ: self.timeouts.read,
            CallKind.WRITE: self.timeouts.upload,
        }[kind]

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        sent = {"Accept": "application/json", "User-Agent": "generation-engine/1"}
        if self.correlation_id:
            sent[CORRELATION_HEADER] = self.correlation_id
        sent.update(headers or {})
        return sent

    def _lost(
        self, kind: CallKind, prepared: requests.PreparedRequest, error: rx.RequestException, seconds: float
    ) -> Transient | OutcomeUnknown:
        words = self.redactor.text(f"{type(error).__name__}: {error}")[:300]
        exchange = self._record(prepared, 0, time.monotonic() - seconds, {}, b"", note=words)
        host = urlsplit(prepared.url or "").hostname
        if kind is CallKind.SUBMIT and not never_sent(error):
            return OutcomeUnknown(
                f"The request went out to {host} but its answer was lost; look it up before anything is sent again.",
                exchange=exchange,
            )
        return Transient(f"No answer from {host}: {type(error).__name__}. Try again later.", exchange=exchange)

    def _record(
        self,
        prepared: requests.PreparedRequest,
        status: int,
        started: float,
        headers: Mapping[str, str],
        content: bytes,
        note: str = "",
        quiet: bool = False,
    ) -> Exchange:
        sent = prepared.body if isinstance(prepared.body, (bytes, str)) and not quiet else None
        exchange = Exchange(
            method=prepared.method or "",
            url=self.redactor.url(prepared.url or ""),
            status=status,
            seconds=round(time.monotonic() - started, 4),
            correlation_id=self.correlation_id,
            request_headers=self.redactor.headers(prepared.headers),
            request_body=self.redactor.body(sent, str(prepared.headers.get("Content-Type", ""))),
            response_headers=self.redactor.headers(headers),
            response_body=self.redactor.body(content, str(headers.get("Content-Type", "application/json"))),
            note=note,
        )
        self.exchanges.append(exchange)
        return exchange


def new_session(base_url: str, *, public_only: bool = False) -> requests.Session:
    """A session that takes the environment's proxy for this address, but no netrc login and no cookies kept.

    ``public_only`` refuses to connect into a private network, whatever a name resolves to at that moment.
    """
    session = requests.Session()
    if public_only:
        session.mount("https://", PublicOnlyTransport())
        session.mount("http://", PublicOnlyTransport())
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.proxies = requests.utils.get_environ_proxies(base_url)
    return session


def never_sent(error: Exception) -> bool:
    """True when no byte of the request can have reached the vendor: no connection was made."""
    if isinstance(error, (rx.ConnectTimeout, rx.InvalidURL, rx.MissingSchema, rx.InvalidSchema)):
        return True
    if not isinstance(error, rx.ConnectionError) or not error.args:
        return False
    cause = error.args[0]
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, (ux.NewConnectionError, ux.ConnectTimeoutError, ux.NameResolutionError))


def _as_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
