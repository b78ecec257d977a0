"""Warm HTTP sessions for vendors' addresses; only what the operator allows may be in a private network."""

from __future__ import annotations

import threading

import requests
from django.conf import settings

from providers.http import keep_warm, new_session

_local = threading.local()


def is_listed_private(base_url: str) -> bool:
    """True for the addresses in GE_PRIVATE_ENDPOINTS. The emulator is not one: its work must not pass for real."""
    return base_url.rstrip("/") in {item.rstrip("/") for item in settings.GE_PRIVATE_ENDPOINTS}


def is_emulator(base_url: str) -> bool:
    """True for the emulator's own address and what lies below it."""
    address, emulator = base_url.rstrip("/"), settings.EMULATOR_URL.rstrip("/")
    return address == emulator or address.startswith(emulator + "/")


def vendor_session(base_url: str) -> requests.Session:
    """One session a thread and address: connections are kept, nothing else. Those of reads are all threads' own."""
    sessions: dict[tuple[str, bool], requests.Session] = _local.__dict__.setdefault("sessions", {})
    key = (base_url, not (is_listed_private(base_url) or is_emulator(base_url)))
    if key not in sessions:
        sessions[key] = keep_warm(new_session(base_url, public_only=key[1]), base_url, public_only=key[1])
    return sessions[key]


def operator_session(base_url: str) -> requests.Session:
    """One session a thread for an address that the operator set: it may be in a private network."""
    sessions: dict[tuple[str, bool], requests.Session] = _local.__dict__.setdefault("sessions", {})
    key = (base_url, False)
    if key not in sessions:
        sessions[key] = new_session(base_url)
    return sessions[key]
