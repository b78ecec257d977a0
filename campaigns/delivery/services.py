"""Exports: asked for, blocked by a checklist or built, checked, ready to download."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from campaigns.delivery.checklist import open_points
from campaigns.delivery.models import Export
from campaigns.delivery.states import EXPORT, ExportState
from genengine.assets.models import Blob
from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.states import TransitionRefused
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.leases import LEASE, LeaseLost
from jobs.execution.models import Job, Master
from jobs.execution.queue import DEFAULT, enqueue
from jobs.execution.retry import failure
from jobs.execution.services.folding import lock_job

MAX_TRIES = 3


class ExportRefused(Exception):
    """Nothing can be exported from this choice; the sentence says what to choose."""


@retry_conflicts
def request_export(*, job: Job, masters: Sequence[Master], principal: Principal, now: datetime) -> Export:
    """Ask for a package of some masters, as they are now. Open points block it and are listed with their fix."""
    with unit_of_work():
        job = lock_job(job.pk)
        require(principal, Action.REQUEST_EXPORT, job)
        chosen = list(Master.objects.filter(pk__in=[m.pk for m in masters], job=job).select_related("branch"))
        if not chosen:
            raise ExportRefused("choose at least one finished video of this job")
        export = Export.objects.create(
            workspace_id=job.workspace_id,
            job=job,
            hashes={str(m.pk): m.sha256 for m in chosen},
            state_changed_at=now,
            simulated=job.mode == Mode.SIMULATED,
            requested_by=principal.user,
            created_at=now,
        )
        export.masters.set(chosen)
        _start(export, chosen, principal, now)
        audit.record(
            workspace_id=job.workspace_id, actor=principal.actor, action="export.requested", subject_kind="export",
            subject_id=export.pk, now=now, masters=sorted(export.hashes), hashes=sorted(export.hashes.values()),
        )  # fmt: skip
    return export


@retry_conflicts
def retry_export(*, export: Export, principal: Principal, now: datetime) -> Export:
    """Check a blocked export again and build it when its points are cleared."""
    with unit_of_work():
        job = lock_job(export.job_id)
        require(principal, Action.REQUEST_EXPORT, job)
        export = Export.objects.get(pk=export.pk)
        chosen = list(export.masters.select_related("branch"))
        EXPORT.apply(
            export, "clear", actor=principal.actor, now=now, checklist=[],
            hashes={str(m.pk): m.sha256 for m in chosen},
        )  # fmt: skip
        _start(export, chosen, principal, now)
    return export


def _start(export: Export, masters: list[Master], principal: Principal, now: datetime) -> None:
    points = open_points(masters)
    if points:
        EXPORT.apply(export, "block", actor=principal.actor, now=now, reason=points[0]["message"], checklist=points)
    else:
        enqueue("campaigns.delivery.tasks.build_export", export.pk, cluster=DEFAULT)


@retry_conflicts
def claim_export(*, export_id: UUID, owner: str, now: datetime) -> Export | None:
    """Take an export to build it; nothing when it has moved on."""
    with unit_of_work():
        try:
            export = Export.objects.select_related("job", "workspace").get(pk=export_id)
            EXPORT.apply(
                export, "build", actor=SYSTEM, now=now, lease_owner=owner, lease_until=now + LEASE,
                tries=export.tries + 1,
            )  # fmt: skip
        except TransitionRefused:
            return None
    return export


@retry_conflicts
def finish_export(*, export_id: UUID, owner: str, package: Blob, manifest: dict[str, Any], now: datetime) -> None:
    """The package is stored and its checksums agree: ready."""
    with unit_of_work():
        export = _held(export_id, owner)
        EXPORT.apply(export, "check", actor=SYSTEM, now=now)
        EXPORT.apply(
            export, "deliver", actor=SYSTEM, now=now, data={"sha256": package.sha256, "simulated": export.simulated},
            package=package, manifest=manifest, ready_at=now, lease_owner="", lease_until=None,
        )  # fmt: skip


@retry_conflicts
def export_failed(*, export_id: UUID, owner: str, cause: str, now: datetime) -> None:
    """Building failed: again, or after three tries it is said why."""
    with unit_of_work():
        export = _held(export_id, owner)
        _again_or_fail(export, cause, now)


@retry_conflicts
def sweep_exports(now: datetime) -> None:
    """Bring on exports whose builder died and those whose task was lost."""
    late = now - timedelta(seconds=20)
    dead = Export.objects.filter(state__in=(ExportState.BUILDING, ExportState.CHECKING), lease_until__lt=now)
    for export in dead:
        with unit_of_work():
            _again_or_fail(export, "its worker died", now)
    for export in Export.objects.filter(state=ExportState.REQUESTED, state_changed_at__lt=late):
        with unit_of_work():
            Export.objects.filter(pk=export.pk).update(state_changed_at=now)
            enqueue("campaigns.delivery.tasks.build_export", export.pk, cluster=DEFAULT)


def _again_or_fail(export: Export, cause: str, now: datetime) -> None:
    if export.tries < MAX_TRIES:
        EXPORT.apply(export, "requeue", actor=SYSTEM, now=now, reason=cause, lease_owner="", lease_until=None)
        enqueue("campaigns.delivery.tasks.build_export", export.pk, cluster=DEFAULT)
    else:
        EXPORT.apply(
            export, "fail", actor=SYSTEM, now=now, reason=cause, lease_owner="", lease_until=None,
            failure=failure(
                stage="export", cause=cause, who_pays="nobody: packaging is free",
                next_step="ask for the export again; if it fails again, tell an operator",
            ),
        )  # fmt: skip


def _held(export_id: UUID, owner: str) -> Export:
    export = Export.objects.get(pk=export_id)
    if export.lease_owner != owner:
        raise LeaseLost(str(export_id))
    return export
