"""Work done in the workers. Each task carries an id, reads the row again and does nothing if the row has moved on."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F

from genengine.core import clock
from genengine.media import RenderCancelled
from jobs.execution import leases, making
from jobs.execution.bringing import bring_take
from jobs.execution.due import poll_interval
from jobs.execution.exchanges import keep_exchanges
from jobs.execution.leases import LeaseLost
from jobs.execution.models import Attempt, Clip, Master
from jobs.execution.observing import observe_submit, observe_task
from jobs.execution.polling import attempt_with_rows
from jobs.execution.pricing import agreed_card
from jobs.execution.requests import build_request, remote_task
from jobs.execution.services import collecting, masters, settling, submitting
from jobs.execution.states import AttemptState, ClipState, MasterState
from jobs.execution.working import workspace_folder
from providers.base import RemoteAdapter
from providers.errors import OutcomeUnknown, ProviderError, RateLimited
from providers.registry.services import build_adapter
from providers.values import Accepted, Artefact, Finished

log = logging.getLogger(__name__)
DATABASE_AWAY = (OperationalError, InterfaceError)  # the row stays leased and comes back by the sweep
MAX_STARTS = 5  # of one local render: a clip that kills its worker must not do so for ever


def adapter_of(attempt: Attempt) -> Any:
    """Return the adapter of an attempt's provider for its workspace, the job's mode and the account it went to."""
    adapter = build_adapter(
        provider=attempt.provider,
        workspace=attempt.workspace,
        mode=attempt.job.mode,
        account=attempt.circuit.throttle.account if attempt.circuit else None,
        correlation_id=attempt.correlation_id,
    )
    adapter.agreed = partial(agreed_card, attempt)
    return adapter


def submit_attempt(attempt_id: UUID) -> None:
    """Send the one paid call of an attempt. The mark that it may have been sent is committed before."""
    attempt, started = attempt_with_rows(attempt_id), time.monotonic()
    if attempt.state != AttemptState.INTENT or attempt.sent_at is not None:
        return  # the task came twice: nothing is prepared or uploaded again
    with workspace_folder("submit") as folder:
        try:
            adapter: RemoteAdapter = adapter_of(attempt)
            request = build_request(attempt, folder)
            staged = adapter.stage_inputs(request.inputs, ratio=request.ratio)
        except ProviderError as error:
            if submitting.claim_submit(attempt_id=attempt_id, now=clock.now()):
                observe_submit(attempt, error=error, seconds=time.monotonic() - started, now=clock.now())
                _refused(attempt_id, error)
            return
        if not submitting.claim_submit(attempt_id=attempt_id, now=clock.now()):
            return
        try:
            answer = adapter.submit(
                request, staged, idempotency_key=attempt.idempotency_key, callback_url=_callback(attempt), sink=folder
            )
        except OutcomeUnknown as error:
            observe_submit(attempt, error=error, seconds=time.monotonic() - started, now=clock.now())
            _lost(attempt, adapter, error)
        except ProviderError as error:
            observe_submit(attempt, error=error, seconds=time.monotonic() - started, now=clock.now())
            _refused(attempt_id, error)
        else:
            _answered(attempt, adapter, answer, folder)
            observe_submit(attempt, seconds=time.monotonic() - started, now=clock.now())
            if isinstance(answer, Finished):
                observe_task(attempt, now=clock.now())
        finally:
            keep_exchanges(attempt, "submit", adapter.take_exchanges(), now=clock.now())


def _callback(attempt: Attempt) -> str:
    """The address names the attempt: a vendor that cannot be asked by our key still tells us whose task it made."""
    base = settings.GE_PUBLIC_URL.rstrip("/")
    return f"{base}/hooks/{attempt.provider}/{attempt.workspace.slug}/{attempt.idempotency_key}/" if base else ""


def _answered(attempt: Attempt, adapter: RemoteAdapter, answer: Accepted | Finished, folder: Path) -> None:
    if isinstance(answer, Finished):
        making.store_finished(attempt, answer, folder)
        return
    settling.accept_attempt(
        attempt_id=attempt.pk,
        remote_id=answer.remote_id,
        details=dict(answer.details),
        poll_after=poll_interval(attempt, now=clock.now()),
        now=clock.now(),
    )


def _lost(attempt: Attempt, adapter: RemoteAdapter, error: OutcomeUnknown) -> None:
    settling.lose_attempt(attempt_id=attempt.pk, window=adapter.unknown_window, reason=str(error), now=clock.now())


def _refused(attempt_id: UUID, error: ProviderError) -> None:
    settling.refuse_attempt(
        attempt_id=attempt_id,
        error=error_values(error),
        retry_after_s=error.retry_after if isinstance(error, RateLimited) else None,
        now=clock.now(),
    )


def error_values(error: ProviderError) -> dict[str, str]:
    """Return a vendor's error as stored with the attempt."""
    return {
        "kind": error.kind.value,
        "message": error.message,
        "vendor_code": error.vendor_code,
        "vendor_message": error.vendor_message,
    }


def collect_attempt(attempt_id: UUID) -> None:
    """Fetch a paid result, check it and keep it. The address is asked for again each time: vendors' links expire."""
    with _leased(Attempt, attempt_id, {"state": AttemptState.SUCCEEDED}) as owner:
        if owner is None:
            return
        attempt = attempt_with_rows(attempt_id)
        adapter: RemoteAdapter = adapter_of(attempt)
        with workspace_folder("collect") as folder:
            try:
                artefacts = adapter.fetch_output(adapter.poll(remote_task(attempt)), folder)
                facts = making.check_take(attempt, _video(artefacts), folder)
            except DATABASE_AWAY:
                raise
            except Exception as problem:
                log.warning("collecting failed", extra={"attempt": str(attempt_id)}, exc_info=True)
                submitting.fetch_failed(attempt_id=attempt_id, owner=owner, cause=str(problem), now=clock.now())
                return
            finally:
                keep_exchanges(attempt, "fetch", adapter.take_exchanges(), now=clock.now())
        collecting.collect_take(attempt_id=attempt_id, owner=owner, facts=facts, now=clock.now())


def _video(artefacts: list[Artefact]) -> Path:
    for artefact in artefacts:
        if artefact.kind == "video":
            return artefact.path
    raise making.TakeUnusable("the vendor's result holds no video")


def render_attempt(attempt_id: UUID) -> None:
    """Make a clip with the local engine, or bring the earlier result that stands for it."""

    def wanted() -> bool:
        clip = Clip.objects.filter(attempts=attempt_id).values_list("state", flat=True).first()
        return clip in (ClipState.GENERATING, ClipState.NEEDS_ATTENTION)

    starts = {"fetches": F("fetches") + 1}
    with _leased(Attempt, attempt_id, {"state": AttemptState.INTENT}, wanted=wanted, **starts) as owner:
        if owner is None:
            return
        attempt = attempt_with_rows(attempt_id)
        if attempt.fetches > MAX_STARTS:
            error = {"kind": "unsupported", "message": "the process that rendered it died each time"}
            settling.fail_render(attempt_id=attempt_id, owner=owner, error=error, now=clock.now())
            return
        if not wanted():
            submitting.withdraw_render(attempt_id=attempt_id, owner=owner, now=clock.now())
            return
        stop = _stops[owner]
        with workspace_folder("render") as folder:
            try:
                if attempt.reuses:
                    facts = bring_take(attempt, folder)
                else:
                    progress = submitting.progress_writer(Attempt, attempt_id, owner)
                    facts = making.render_clip(attempt, folder, progress, stop)
            except RenderCancelled:
                submitting.withdraw_render(attempt_id=attempt_id, owner=owner, now=clock.now())
                return
            except DATABASE_AWAY:
                raise
            except Exception as problem:
                log.warning("render failed", extra={"attempt": str(attempt_id)}, exc_info=True)
                error = {"kind": "render_failed", "message": str(problem)[:500]}
                settling.fail_render(attempt_id=attempt_id, owner=owner, error=error, now=clock.now())
                return
        collecting.collect_take(attempt_id=attempt_id, owner=owner, facts=facts, now=clock.now())


def compose_master(master_id: UUID) -> None:
    """Compose one master from the selected takes, check it, keep it; after three failures something plain stands in."""
    owner = leases.new_owner()
    claimed = masters.claim_master(master_id=master_id, owner=owner, now=clock.now())
    if claimed is None:
        return

    def wanted() -> bool:
        states = (MasterState.COMPOSING, MasterState.CHECKING)
        return Master.objects.filter(pk=master_id, state__in=states).exists()

    with leases.heartbeat(Master, master_id, owner, wanted=wanted) as stop, workspace_folder("compose") as folder:
        try:
            _compose(claimed, owner, folder, stop)
        except (LeaseLost, RenderCancelled):
            return
        except DATABASE_AWAY:
            raise
        except Exception as problem:
            log.warning("composing failed", extra={"master": str(master_id)}, exc_info=True)
            masters.fail_master(master_id=master_id, owner=owner, cause=str(problem)[:500], now=clock.now())


def _compose(master: Master, owner: str, folder: Path, stop: Callable[[], bool]) -> None:
    """Compose a claimed master; once the tries are over, what stands in for it."""
    cause = "the process that composed it died each time"
    if master.tries <= masters.MAX_TRIES:
        try:
            making.compose(master.pk, owner=owner, folder=folder, cancelled=stop)
            return
        except (LeaseLost, RenderCancelled, *DATABASE_AWAY):
            raise
        except Exception as problem:
            if master.tries < masters.MAX_TRIES:
                raise
            log.warning("composing failed for good", extra={"master": str(master.pk)}, exc_info=True)
            cause = str(problem)[:500]
    making.compose_stand_in(master.pk, owner=owner, folder=folder, cause=cause, cancelled=stop)


def cancel_attempt(attempt_id: UUID) -> None:
    """Ask the vendor to stop a task whose clip was cancelled; the poll goes on until the vendor's verdict."""
    attempt = attempt_with_rows(attempt_id)
    if attempt.state != AttemptState.SUBMITTED:
        return
    adapter: RemoteAdapter = adapter_of(attempt)
    try:
        outcome = adapter.cancel(remote_task(attempt))
        submitting.note_cancel(attempt=attempt, outcome=outcome.message, now=clock.now())
    except ProviderError as error:
        submitting.note_cancel(attempt=attempt, outcome=str(error), now=clock.now())
    finally:
        keep_exchanges(attempt, "cancel", adapter.take_exchanges(), now=clock.now())


_stops: dict[str, Callable[[], bool]] = {}


@contextmanager
def _leased(
    model: type[Attempt],
    pk: UUID,
    where: dict[str, Any],
    *,
    wanted: Callable[[], bool] = lambda: True,
    **changes: Any,
) -> Iterator[str | None]:
    """Hold a row's lease for the block, or yield nothing when somebody else does or it has moved on."""
    owner = leases.new_owner()
    if not leases.claim(model.objects.filter(pk=pk, **where), owner=owner, now=clock.now(), **changes):
        yield None
        return
    with leases.heartbeat(model, pk, owner, wanted=wanted) as stop:
        _stops[owner] = stop
        try:
            yield owner
        except LeaseLost:
            log.info("lease lost", extra={"row": str(pk)})
        finally:
            _stops.pop(owner, None)
