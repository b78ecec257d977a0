"""Keep provider calls, already redacted by the adapter, beside the attempt."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from jobs.execution.models import Attempt, Exchange
from providers.errors import Exchange as Call

KEPT_AT_FIRST = 3  # polls that say "still running"; after these one at each doubling tells as much
MOST_POLLS = 40  # of an attempt, whatever they say


def is_worth_keeping(poll: int) -> bool:
    """Whether an attempt's poll of this number (1 is the first) is kept although the task just goes on."""
    return poll <= KEPT_AT_FIRST or poll & (poll - 1) == 0


def keep_exchanges(attempt: Attempt, purpose: str, calls: Iterable[Call], *, now: datetime) -> None:
    """Store the calls of one step."""
    rows = [
        Exchange(workspace_id=attempt.workspace_id, attempt=attempt, at=now, purpose=purpose, record=asdict(call))
        for call in calls
    ]
    if purpose == "poll" and Exchange.objects.filter(attempt=attempt, purpose="poll").count() >= MOST_POLLS:
        return
    Exchange.objects.bulk_create(rows)


def keep_polls(asked: Iterable[tuple[UUID, UUID, Call]], *, now: datetime) -> None:
    """Store calls of many attempts' polls in one statement: (workspace, attempt, call).

    What ``is_worth_keeping`` lets through is few enough that no attempt's number need be counted.
    """
    Exchange.objects.bulk_create(
        Exchange(workspace_id=workspace, attempt_id=attempt, at=now, purpose="poll", record=asdict(call))
        for workspace, attempt, call in asked
    )
