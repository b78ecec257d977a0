"""Keep provider calls, already redacted by the adapter, beside the attempt."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from jobs.execution.models import Attempt, Exchange
from providers.errors import Exchange as Call

KEPT_POLLS = 20  # of an attempt; the rest tell nothing new


def keep_exchanges(attempt: Attempt, purpose: str, calls: Iterable[Call], *, now: datetime) -> None:
    """Store the calls of one step."""
    rows = [
        Exchange(workspace_id=attempt.workspace_id, attempt=attempt, at=now, purpose=purpose, record=asdict(call))
        for call in calls
    ]
    if purpose == "poll" and Exchange.objects.filter(attempt=attempt, purpose="poll").count() >= KEPT_POLLS:
        return
    Exchange.objects.bulk_create(rows)
