"""Sweeps of features above: registered in their `apps.py`, called by the pump."""

from collections.abc import Callable
from datetime import datetime

SWEEPS: list[Callable[[datetime], object]] = []


def register_sweep(sweep: Callable[[datetime], object]) -> None:
    """Let a feature bring its own due work on at every sweep."""
    if sweep not in SWEEPS:
        SWEEPS.append(sweep)
