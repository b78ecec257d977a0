"""Waiting for a condition, with a deadline and without blind sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T | None], *, seconds: float = 60.0, every: float = 0.05) -> T:
    """The first true value of ``condition``; fails when none comes in time."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        pause.wait(every)
    raise AssertionError(f"nothing after {seconds} s")
