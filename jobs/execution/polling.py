"""One poll: ask the vendor where a task stands, then take what is new.

Asking touches no row, and most answers are "still running": such a poll costs its claim and one call over a warm
connection. Taking news is the only writer of the verdict, from fresh rows, in a transaction of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from genengine.core import clock
from jobs.execution.exchanges import is_worth_keeping, keep_exchanges
from jobs.execution.models import Attempt
from jobs.execution.observing import observe_poll, observe_task, observe_withdrawn
from jobs.execution.pricing import agreed_card
from jobs.execution.requests import build_request
from jobs.execution.services import settling, submitting
from jobs.execution.states import AttemptState
from jobs.execution.working import workspace_folder
from providers.base import RemoteAdapter
from providers.credentials.models import ProviderAccount
from providers.errors import Exchange, ProviderError, Unsupported
from providers.registry.services import remote_adapter
from providers.values import ModelCard, RemoteState, RemoteTask, Task, TaskReport

log = logging.getLogger(__name__)
POLLED = (AttemptState.SUBMITTED, AttemptState.UNKNOWN, AttemptState.PRESUMED_SPENT)
RUNNING = (RemoteState.QUEUED, RemoteState.RUNNING)


@dataclass(frozen=True, slots=True)
class DuePoll:
    """An attempt whose poll was just claimed: what asking needs. ``polls`` counts this one."""

    attempt: UUID
    workspace: UUID
    mode: str
    provider: str
    model: str
    state: str
    task: str
    remote_id: str
    details: Mapping[str, Any]
    correlation_id: str
    polls: int
    progress: float
    account: ProviderAccount | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What the vendor said: a report, or the error that came instead."""

    due: DuePoll
    report: TaskReport | None
    error: ProviderError | None
    calls: tuple[Exchange, ...]

    @property
    def is_news(self) -> bool:
        """Whether a row changes by it. "Still running" is none, nor is progress too small to be seen."""
        if self.report is None or self.report.state not in RUNNING:
            return True
        return submitting.is_visible_step(self.due.progress, self.report.progress)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether the call is kept although the task just goes on."""
        return is_worth_keeping(self.due.polls)


def due_poll(attempt: Attempt) -> DuePoll:
    """Return an attempt as what asking needs."""
    return DuePoll(
        attempt.pk, attempt.workspace_id, attempt.job.mode, attempt.provider, attempt.model, attempt.state,
        attempt.request["task"], attempt.remote_id, attempt.details, attempt.correlation_id, attempt.polls,
        attempt.progress or 0.0, attempt.circuit.throttle.account if attempt.circuit else None,
    )  # fmt: skip


def ask(due: DuePoll) -> Heard:
    """Ask the vendor about a submitted task. Writes nothing."""
    adapter: RemoteAdapter | None = None
    report, trouble = None, None
    try:
        adapter = _adapter(due)
        report = adapter.poll(RemoteTask(due.remote_id, Task(due.task), due.model, due.details))
    except ProviderError as error:
        trouble = error
    return Heard(due, report, trouble, adapter.take_exchanges() if adapter else ())


def poll_attempt(attempt_id: UUID) -> None:
    """Ask about one attempt now and take what is new, unless it has moved on."""
    attempt = attempt_with_rows(attempt_id)
    if attempt.state == AttemptState.SUBMITTED:
        heard = ask(due_poll(attempt))
        if heard.is_news or heard.is_worth_keeping:
            take(heard)
    elif attempt.state in POLLED:
        look_up(attempt_id)


def take(heard: Heard) -> None:
    """Write what is new, unless the attempt has moved on meanwhile; the call is kept beside it."""
    attempt = attempt_with_rows(heard.due.attempt)
    try:
        if heard.error is not None:
            log.info("poll failed", extra={"attempt": str(attempt.pk), "error": str(heard.error)})
            observe_poll(attempt, heard.error, now=clock.now())
        elif heard.report is not None and attempt.state == AttemptState.SUBMITTED:
            _take_report(attempt, heard.report)
    finally:
        keep_exchanges(attempt, "poll", heard.calls, now=clock.now())


def attempt_with_rows(attempt_id: UUID) -> Attempt:
    """Read an attempt with the rows that its calls need."""
    related = ("workspace", "job", "clip", "circuit__throttle__account")
    return Attempt.objects.select_related(*related).get(pk=attempt_id)


def _adapter(due: DuePoll) -> RemoteAdapter:
    adapter = remote_adapter(
        provider=due.provider, workspace=due.workspace, mode=due.mode, account=due.account,
        correlation_id=due.correlation_id,
    )  # fmt: skip
    adapter.agreed = partial(_agreed, due.attempt)
    return adapter


def _agreed(attempt_id: UUID) -> ModelCard:
    return agreed_card(Attempt.objects.get(pk=attempt_id))


def _take_report(attempt: Attempt, report: TaskReport) -> None:
    if report.state is RemoteState.SUCCEEDED:
        submitting.succeed(attempt, report, now=clock.now())
        observe_task(attempt, now=clock.now())
    elif report.state is RemoteState.CANCELLED:
        observe_withdrawn(attempt, now=clock.now())
        submitting.fail(attempt, report, now=clock.now())
    elif report.state is RemoteState.FAILED:
        error = report.error
        kind, words = (error.kind.value, error.message) if error else ("transient", "the task ended without a result")
        observe_task(attempt, kind=kind, message=words, now=clock.now())
        submitting.fail(attempt, report, now=clock.now())
    elif report.progress is not None:
        submitting.note_progress(attempt=attempt, progress=report.progress, now=clock.now())


def look_up(attempt_id: UUID) -> None:
    """Find a lost submit: by what a callback told, else at the vendor by our key; after its window it counts as spent.

    One that is presumed spent already is looked for once more; found late, its result becomes an extra take.
    """
    attempt = attempt_with_rows(attempt_id)
    adapter = _adapter(due_poll(attempt))
    try:
        _settle_lost(attempt, adapter)
    except ProviderError as error:
        log.info("poll failed", extra={"attempt": str(attempt.pk), "error": str(error)})
        observe_poll(attempt, error, now=clock.now())
    finally:
        keep_exchanges(attempt, "poll", adapter.take_exchanges(), now=clock.now())


def _settle_lost(attempt: Attempt, adapter: RemoteAdapter) -> None:
    now = clock.now()
    over = attempt.unknown_until is not None and now > attempt.unknown_until
    can_look = adapter.can_find_by_key
    try:
        task = _found(attempt, adapter)
    except Unsupported:  # the vendor lists tasks by our key, but not those of this model
        task, can_look = None, False
    except ProviderError:
        if over and attempt.state == AttemptState.UNKNOWN:
            settling.presume_spent(attempt_id=attempt.pk, now=now)
        raise
    if task is not None:
        settling.accept_attempt(
            attempt_id=attempt.pk, remote_id=task.remote_id, details=dict(task.details),
            poll_after=timedelta(0), now=now,
        )  # fmt: skip
    elif attempt.state == AttemptState.PRESUMED_SPENT:
        submitting.look_no_more(attempt_id=attempt.pk)
    elif can_look and attempt.sent_at and now - attempt.sent_at > submitting.ARRIVAL_GRACE:
        settling.find_nothing(attempt_id=attempt.pk, now=now)
    elif over:
        settling.presume_spent(attempt_id=attempt.pk, now=now)


def _found(attempt: Attempt, adapter: RemoteAdapter) -> RemoteTask | None:
    if attempt.told_remote_id:
        return RemoteTask(attempt.told_remote_id, Task(attempt.request["task"]), attempt.model)
    if not adapter.can_find_by_key:
        return None
    with workspace_folder("find") as folder:
        return adapter.find_by_key(attempt.idempotency_key, request=build_request(attempt, folder))
