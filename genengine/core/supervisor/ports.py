"""Ports: the asked one or a clear refusal for people, the usual one or any free one for ourselves."""

import socket
from urllib.parse import urlsplit


class PortTaken(Exception):
    """Somebody else listens on the address that the web should have."""


def require_port(host: str, port: int) -> None:
    """Refuse a port that is taken, before anything is started."""
    if not _is_free(host, port):
        raise PortTaken(
            f"Port {port} of {host} is taken. Choose another: `make run PORT={port + 1}` or --port {port + 1}."
        )


def free_port(preferred_url: str) -> int:
    """The port that `preferred_url` names when nobody has it, else one that is free now."""
    preferred = urlsplit(preferred_url).port or 0
    if preferred and _is_free("127.0.0.1", preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
