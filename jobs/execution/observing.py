"""What calls of attempts tell about their vendors: kept as signals, told on when a vendor falls over or comes back."""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError

from jobs.execution.models import Attempt
from jobs.execution.services.rebalancing import tell_recovered
from providers.errors import ProviderError, RateLimited
from providers.health.services import reject_account
from providers.traffic.models import Signal
from providers.traffic.services import free_probe, note_signal
from providers.traffic.types import Verdict, verdict_of

log = logging.getLogger(__name__)
POLL_SIGNAL_EVERY = timedelta(seconds=15)  # of one model: failing polls tell the same thing over and over


def observe_submit(attempt: Attempt, *, now: datetime, seconds: float, error: ProviderError | None = None) -> None:
    """Note how the paid call, or what had to go before it, went and how long it took."""
    retry_after = error.retry_after if isinstance(error, RateLimited) else None
    _note(attempt, Signal.Call.SUBMIT, now, error, seconds=seconds, retry_after_s=retry_after)


def observe_task(attempt: Attempt, *, now: datetime, kind: str = "", message: str = "") -> None:
    """Note how a task ended at the vendor, and how long it took from acceptance."""
    began = attempt.sent_at or attempt.submitted_at
    seconds = max(0.0, (now - began).total_seconds()) if began else None
    _note(attempt, Signal.Call.TASK, now, None, kind=kind, message=message, seconds=seconds)


def observe_withdrawn(attempt: Attempt, *, now: datetime) -> None:
    """A task that was called off tells nothing about its vendor; was it the probe, the next request finds out."""
    if attempt.circuit is not None:
        free_probe(circuit=attempt.circuit, holder=attempt.clip_id, now=now)


def observe_poll(attempt: Attempt, error: ProviderError, *, now: datetime) -> None:
    """Note a poll that failed. It does not open a circuit: work in flight is not sent again."""
    if attempt.circuit is None or verdict_of(error.kind.value) is Verdict.WELL:
        return
    newest = Signal.objects.filter(
        throttle_id=attempt.circuit.throttle_id, model=attempt.model, call=Signal.Call.POLL,
        at__gt=now - POLL_SIGNAL_EVERY,
    )  # fmt: skip
    if not newest.exists():
        _note(attempt, Signal.Call.POLL, now, error)


def _note(
    attempt: Attempt,
    call: str,
    now: datetime,
    error: ProviderError | None,
    *,
    kind: str = "",
    message: str = "",
    seconds: float | None = None,
    retry_after_s: float | None = None,
) -> None:
    """A signal that cannot be kept must not change what becomes of the attempt."""
    if attempt.circuit is None:
        return
    try:
        change = note_signal(
            circuit=attempt.circuit,
            call=call,
            now=now,
            holder=attempt.clip_id,
            kind=error.kind.value if error else kind,
            message=error.message if error else message,
            seconds=seconds,
            retry_after_s=retry_after_s,
        )
        account = attempt.circuit.throttle.account
        if error is not None and account is not None:
            reject_account(account=account, kind=error.kind.value, message=error.message, now=now)
        if change.closed:
            tell_recovered(circuit=change.circuit, now=now)
    except (DatabaseError, InterfaceError):
        log.warning("a signal was not kept", extra={"attempt": str(attempt.pk)}, exc_info=True)
