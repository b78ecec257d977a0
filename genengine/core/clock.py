"""The clock of the edges: services receive `now`, only views, tasks and commands ask for it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present as aware UTC."""
    return datetime.now(UTC)
