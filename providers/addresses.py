"""Which addresses may be connected to: the public internet, judged at the moment of connecting.

A name is resolved once per connection and that very address is used, so it cannot change between check and use.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

# All that the internet routes; old forms outside of it (::127.0.0.1, fec0::) count as global for the standard library.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


def is_public(address: str) -> bool:
    """True for an address on the public internet; IPv4 hidden in IPv6 forms is looked at as IPv4."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.ip_address(int(ip) & 0xFFFFFFFF)
        if inner is None and ip not in GLOBAL_UNICAST:
            return False
        ip = inner or ip
    return bool(ip.is_global) and not ip.is_multicast


class PrivateAddressRefused(NewConnectionError):
    """The name leads into a private network."""


def _guarded_socket(connection: Any) -> socket.socket:
    """Resolve once, connect to that very address: a name cannot change between check and use."""
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NameResolutionError(connection.host, connection, error) from error  # type: ignore[arg-type]
    addresses = [str(item[4][0]) for item in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise PrivateAddressRefused(connection, f"{connection.host} is not a public address")
    try:
        return create_connection((addresses[0], connection.port), connection.timeout)
    except OSError as error:
        raise NewConnectionError(connection, f"could not connect: {error}") from error


class _GuardedHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _guarded_socket(self)


class _GuardedHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _guarded_socket(self)


class GuardedHTTPPool(HTTPConnectionPool):
    """Connections to public addresses only."""

    ConnectionCls = _GuardedHTTP


class GuardedHTTPSPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = _GuardedHTTPS


class PublicOnlyTransport(HTTPAdapter):
    """A transport that connects to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": GuardedHTTPPool, "https": GuardedHTTPSPool}
