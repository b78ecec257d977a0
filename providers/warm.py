"""Warm connections for reads: asking a vendor where a task stands is the call that is made most.

``requests`` prepares cookies, hooks, proxies and redirects for each call, which costs more than the call. A read below
the vendor's own address needs none of them. What protects such a call is kept: connections are made by the same rules
(public addresses only, judged at the moment of connecting; certificates checked against the same roots), no redirect
is followed, nothing is tried twice.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from requests import exceptions as rx
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import BaseHTTPResponse, Timeout
from urllib3 import exceptions as ux
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from providers.addresses import GuardedHTTPPool, GuardedHTTPSPool

MOST_IDLE = 512  # as many threads as a pump may have; further connections are closed after their call


class ReadPool:
    """Connections to one origin, shared by all threads of a process; the warmest is used first.

    Raises ``requests`` exceptions, so that a lost read looks the same whichever way it went.
    """

    def __init__(self, origin: str, *, public_only: bool) -> None:
        parts = urlsplit(origin)
        self.origin = origin
        self._pool: HTTPConnectionPool
        if parts.scheme == "https":
            context = create_urllib3_context()
            context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
            kind = GuardedHTTPSPool if public_only else HTTPSConnectionPool
            self._pool = kind(
                parts.hostname or "", parts.port, maxsize=MOST_IDLE, ssl_context=context, cert_reqs="CERT_REQUIRED"
            )
        else:
            plain = GuardedHTTPPool if public_only else HTTPConnectionPool
            self._pool = plain(parts.hostname or "", parts.port, maxsize=MOST_IDLE)

    def serves(self, url: str) -> bool:
        """True for an address of this very origin."""
        return url.startswith(self.origin + "/")

    def get(self, url: str, headers: Mapping[str, str], *, connect_s: float, read_s: float) -> BaseHTTPResponse:
        """One GET, its answer read whole. A redirect is an answer like any other."""
        try:
            return self._pool.urlopen(
                "GET",
                url[len(self.origin) :],
                headers={"Accept-Encoding": "gzip, deflate", **headers},
                timeout=Timeout(connect=connect_s, read=read_s),
                redirect=False,
                retries=False,
                assert_same_host=False,
            )
        except (ux.HTTPError, ValueError) as error:
            raise _as_requests_error(error) from error


def with_query(url: str, params: Mapping[str, Any] | None) -> str:
    """The address with these parameters, spelled as ``requests`` spells them."""
    given = [(name, value) for name, value in (params or {}).items() if value is not None]
    if not given:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}"


def _as_requests_error(error: Exception) -> rx.RequestException:
    if isinstance(error, ux.ConnectTimeoutError) and not isinstance(error, ux.NewConnectionError):
        return rx.ConnectTimeout(error)
    if isinstance(error, ux.ReadTimeoutError):
        return rx.ReadTimeout(error)
    if isinstance(error, ux.SSLError):
        return rx.SSLError(error)
    if isinstance(error, ux.HTTPError):
        return rx.ConnectionError(error)
    return rx.InvalidHeader(error)  # a key or an id that no header may hold


_lock = threading.Lock()
_pools: dict[tuple[str, bool], ReadPool] = {}
os.register_at_fork(after_in_child=partial(_pools.clear))  # a forked worker must not share its parent's connections


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
