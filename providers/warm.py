"""Warm connections for reads: asking a vendor where a task stands is the call that is made most.

``requests`` spends most of such a call in Python: on cookies, hooks, redirects, and on headers read by the mail parser.
A read below the vendor's own address needs none of them and goes through libcurl, at a tenth of the CPU. What protects
a call is kept: connections are made by the same rules (public addresses only, judged at the moment of connecting;
certificates checked against the same roots), no proxy of the environment and no redirect is followed. libcurl repeats a
read by itself only when a kept connection turns out to be closed.
"""

from __future__ import annotations

import math
import os
import socket
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pycurl
from requests import exceptions as rx
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, requote_uri

from providers.addresses import is_public

MOST_IDLE = 512  # as many threads as a pump may have; further connections are closed after their call
SSL_FAULTS = frozenset(
    (
        pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT, pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER, pycurl.E_SSL_CACERT_BADFILE, pycurl.E_SSL_ISSUER_ERROR,
    )
)  # fmt: skip
NO_ADDRESS = frozenset((pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL))


class Answer(NamedTuple):
    """What a vendor answered, its body decoded."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class ReadPool:
    """Connections to one origin, shared by all threads of a process; the warmest is used first.

    Raises ``requests`` exceptions, so that a lost read looks the same whichever way it went.
    """

    def __init__(self, origin: str, *, public_only: bool) -> None:
        self.origin = origin
        self.public_only = public_only
        self._idle: deque[Any] = deque(maxlen=MOST_IDLE)

    def serves(self, url: str) -> bool:
        """True for an address of this very origin."""
        return url.startswith(self.origin + "/")

    def get(self, url: str, headers: Mapping[str, str], *, connect_s: float, read_s: float) -> Answer:
        """One GET, its answer read whole; lost when nothing comes for ``read_s``, counted in whole seconds."""
        lines = [_header_line(name, value) for name, value in headers.items()]
        try:
            curl = self._idle.pop()
        except IndexError:
            curl = _new_curl(public_only=self.public_only)
        head: list[bytes] = []
        body: list[bytes] = []
        curl.setopt(pycurl.URL, requote_uri(url))
        curl.setopt(pycurl.HTTPHEADER, lines)
        curl.setopt(pycurl.HEADERFUNCTION, head.append)
        curl.setopt(pycurl.WRITEFUNCTION, body.append)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil(connect_s * 1000))
        curl.setopt(pycurl.LOW_SPEED_TIME, max(1, math.ceil(read_s)))
        try:
            curl.perform()
            answer = Answer(curl.getinfo(pycurl.RESPONSE_CODE), _headers(head), b"".join(body))
        except pycurl.error as error:
            raise _as_requests_error(curl, error) from error
        curl.setopt(pycurl.WRITEFUNCTION, _nowhere)  # a kept connection keeps no answer
        self._idle.append(curl)
        return answer


def _new_curl(*, public_only: bool) -> Any:
    curl = pycurl.Curl()
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, ""),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.ACCEPT_ENCODING, "gzip, deflate"),
        (pycurl.CAINFO, DEFAULT_CA_BUNDLE_PATH),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
        (pycurl.LOW_SPEED_LIMIT, 1),
    ):
        curl.setopt(option, value)
    if public_only:
        curl.setopt(pycurl.OPENSOCKETFUNCTION, _public_socket)
    return curl


def _public_socket(purpose: int, address: Any) -> socket.socket | int:
    """Make the socket for an address that a name was found to have; refused, the connection is not made."""
    family, kind, protocol, place = address
    if not is_public(str(place[0])):
        return int(pycurl.SOCKET_BAD)
    return socket.socket(family, kind, protocol)


def _header_line(name: str, value: str) -> bytes:
    """One line of a request's head. libcurl sends what it is given: a line break would smuggle a header."""
    line = f"{name}: {value}" if value else f"{name};"
    if any(sign in line for sign in "\r\n\0"):
        raise rx.InvalidHeader(f"the value of {name} holds a line break")
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError as error:
        raise rx.InvalidHeader(f"the value of {name} holds signs that no header may hold") from error


def _headers(lines: list[bytes]) -> Mapping[str, str]:
    """The headers of the answer itself, without those of an interim one (100, 103) before it."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            if found and name.startswith("HTTP/"):
                found.clear()
            continue
        word = value.strip()
        found[name] = f"{found[name]}, {word}" if name in found else word
    return found


def _nowhere(data: bytes) -> int:
    return len(data)


def with_query(url: str, params: Mapping[str, Any] | None) -> str:
    """The address with these parameters, spelled as ``requests`` spells them."""
    given = [(name, value) for name, value in (params or {}).items() if value is not None]
    if not given:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}"


def _as_requests_error(curl: Any, error: pycurl.error) -> rx.RequestException:
    code, words = error.args[0], str(error.args[1])
    if code == pycurl.E_OPERATION_TIMEDOUT:
        connected = curl.getinfo(pycurl.PRETRANSFER_TIME) > 0
        return rx.ReadTimeout(words) if connected else rx.ConnectTimeout(words)
    if code in SSL_FAULTS:
        return rx.SSLError(words)
    if code in NO_ADDRESS:
        return rx.InvalidURL(words)
    return rx.ConnectionError(words)


_lock = threading.Lock()
_pools: dict[tuple[str, bool], ReadPool] = {}
_inherited: list[dict[tuple[str, bool], ReadPool]] = []


def _leave_to_the_parent() -> None:
    """A forked worker must not use its parent's connections, nor close them: over TLS, that would be heard."""
    _inherited.append(dict(_pools))
    _pools.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)


def read_pool(base_url: str, *, public_only: bool) -> ReadPool | None:
    """The process's pool for an address; ``None`` for one that only ``requests`` should spell (a login, an IDN)."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.netloc.isascii():
        return None
    key = (f"{parts.scheme}://{parts.netloc}", public_only)
    with _lock:
        if key not in _pools:
            _pools[key] = ReadPool(key[0], public_only=public_only)
        return _pools[key]
