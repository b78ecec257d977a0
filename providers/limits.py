"""How much a vendor lets one account do, as the vendor publishes it. Plain Python, declared by the adapter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """Published limits of one account; 0 means that the vendor publishes none and the installation's setting holds.

    ``parallel`` is tasks in flight at once, ``per_minute`` submits a minute, ``burst`` how many of them may go at once.
    """

    parallel: int = 0
    per_minute: int = 0
    burst: int = 0
