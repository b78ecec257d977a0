"""The one way an adapter talks HTTP: timeouts, redaction, correlation, and what a lost answer means.

Plain Python on ``requests``; reads below the vendor's own address go over warm connections. Nothing here retries or
sleeps: the dispatcher decides that.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests import exceptions as rx
from urllib3 import exceptions as ux

from providers.addresses import PublicOnlyTransport
from providers.errors import Exchange, OutcomeUnknown, Transient
from providers.warm import ReadPool, read_pool, with_query

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


class VendorSession(requests.Session):
    """A session of one vendor's address. ``reads`` is how its reads go; without one they go like everything else."""

    reads: ReadPool | None = None


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request as it went out."""

    method: str
    url: str
    headers: Mapping[str, Any]
    body: Any = None


class _Answer(NamedTuple):
    """What came back; status 0 when nothing did."""

    status: int
    headers: Mapping[str, str]
    content: bytes


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
        patience = read_timeout or self._patience(kind)
        reads = self._warm(kind, method, url) if body is data is files is None else None
        if reads is not None:
            sent = _Sent(method, with_query(url, params), self._headers(headers))
            send = partial(self._read_warm, reads, sent, patience)
        else:
            asked = requests.Request(
                method, url, headers=self._headers(headers), params=params, json=body, data=data, files=files
            )
            prepared = self.session.prepare_request(asked)
            sent = _Sent(method, prepared.url or "", prepared.headers, prepared.body)
            send = partial(self._send, prepared, patience)
        started = time.monotonic()
        try:
            answer = send()
        except rx.RequestException as error:
            raise self._lost(kind, sent, error, started) from error
        exchange = self._record(sent, answer, started, quiet=quiet)
        return Reply(answer.status, answer.headers, answer.content, exchange, _as_json(answer.content))

    def _warm(self, kind: CallKind, method: str, url: str) -> ReadPool | None:
        """The warm connections for this call: only reads, and only below the address that the session was made for."""
        reads = self.session.reads if isinstance(self.session, VendorSession) else None
        fits = reads is not None and kind is CallKind.READ and method == "GET" and reads.serves(url)
        return reads if fits else None

    def _read_warm(self, reads: ReadPool, sent: _Sent, patience: float) -> _Answer:
        warm = reads.get(sent.url, sent.headers, connect_s=self.timeouts.connect, read_s=patience)
        return _Answer(warm.status, warm.headers, warm.data)

    def _send(self, prepared: requests.PreparedRequest, patience: float) -> _Answer:
        timeout = (self.timeouts.connect, patience)
        answer = self.session.send(prepared, timeout=timeout, allow_redirects=False)
        return _Answer(answer.status_code, answer.headers, answer.content)

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
        self, kind: CallKind, sent: _Sent, error: rx.RequestException, started: float
    ) -> Transient | OutcomeUnknown:
        words = self.redactor.text(f"{type(error).__name__}: {error}")[:300]
        exchange = self._record(sent, _Answer(0, {}, b""), started, note=words)
        host = urlsplit(sent.url).hostname
        if kind is CallKind.SUBMIT and not never_sent(error):
            return OutcomeUnknown(
                f"The request went out to {host} but its answer was lost; look it up before anything is sent again.",
                exchange=exchange,
            )
        return Transient(f"No answer from {host}: {type(error).__name__}. Try again later.", exchange=exchange)

    def _record(self, sent: _Sent, answer: _Answer, started: float, *, note: str = "", quiet: bool = False) -> Exchange:
        asked = sent.body if isinstance(sent.body, (bytes, str)) and not quiet else None
        told = b"" if quiet else answer.content
        exchange = Exchange(
            method=sent.method,
            url=self.redactor.url(sent.url),
            status=answer.status,
            seconds=round(time.monotonic() - started, 4),
            correlation_id=self.correlation_id,
            request_headers=self.redactor.headers(sent.headers),
            request_body=self.redactor.body(asked, str(sent.headers.get("Content-Type", ""))),
            response_headers=self.redactor.headers(answer.headers),
            response_body=self.redactor.body(told, str(answer.headers.get("Content-Type", "application/json"))),
            note=note,
        )
        self.exchanges.append(exchange)
        return exchange


def new_session(base_url: str, *, public_only: bool = False) -> VendorSession:
    """A session that takes the environment's proxy for this address, but no netrc login and no cookies kept.

    ``public_only`` refuses to connect into a private network, whatever a name resolves to at that moment.
    """
    session = VendorSession()
    if public_only:
        session.mount("https://", PublicOnlyTransport())
        session.mount("http://", PublicOnlyTransport())
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.proxies = requests.utils.get_environ_proxies(base_url)
    return session


def keep_warm(session: VendorSession, base_url: str, *, public_only: bool) -> VendorSession:
    """Let reads below this address go over connections that all threads share; through a proxy they go as before."""
    if not requests.utils.select_proxy(base_url, session.proxies):
        session.reads = read_pool(base_url, public_only=public_only)
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
