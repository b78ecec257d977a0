"""One correlation id from the request through tasks to the provider's log line."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_correlation: ContextVar[str] = ContextVar("correlation_id", default="")


def correlation_id() -> str:
    """Return the running correlation id, or an empty string outside of any."""
    return _correlation.get()


@contextmanager
def correlated(value: str = "") -> Iterator[str]:
    """Run a block under `value`, or under a fresh id."""
    token = _correlation.set(value or uuid.uuid4().hex)
    try:
        yield _correlation.get()
    finally:
        _correlation.reset(token)
