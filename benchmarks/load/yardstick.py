"""What one HTTP call costs on this machine: shares of a core say nothing without it."""

from __future__ import annotations

import time

import requests
from django.conf import settings

CALLS = 500


def bare_get_ms() -> float:
    """CPU milliseconds of one GET by a plain `requests` session to the emulator, answered by a few words of JSON.

    The goal for the pump, 0.15 of a core at 200 polls a second, was set where such a call took 0.44 ms.
    """
    session = requests.Session()
    address = f"{settings.EMULATOR_URL.rstrip('/')}/replicate/v1/predictions/none"
    session.get(address, timeout=20)
    begun = time.process_time()
    for _ in range(CALLS):
        session.get(address, timeout=20).json()
    return (time.process_time() - begun) / CALLS * 1000
