"""How much a vendor lets one account do. Plain Python; what the vendor publishes is declared by the adapter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """Limits of one account, or of one model at it; 0 means none of its own. An account then has the setting's.

    ``parallel`` is tasks in flight at once, ``per_minute`` submits a minute, ``burst`` how many of them may go at once.
    """

    parallel: int = 0
    per_minute: int = 0
    burst: int = 0


def limit_words(limits: TrafficLimits) -> str:
    """Limits in one line for people."""
    parts = []
    if limits.per_minute:
        parts.append(f"{limits.per_minute} requests a minute")
        if limits.burst:
            parts.append(f"{limits.burst} at once")
    if limits.parallel:
        parts.append(f"{limits.parallel} tasks side by side")
    return ", ".join(parts) or "none published"
