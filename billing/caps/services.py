"""Set limits of money."""

from datetime import datetime

from billing.caps.models import Cap, CapScope
from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.db import LockRank, lock_rows, retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.models import Workspace


class CapTooLow(Exception):
    """A limit below what is already held and spent."""


@retry_conflicts
def set_cap(
    *,
    workspace: Workspace,
    book: str,
    scope: CapScope,
    limit_micro: int,
    actor: Actor,
    now: datetime,
    scope_id: str = "",
) -> Cap:
    """Create or change a cap. It cannot go below what is already held and spent."""
    with unit_of_work():
        Cap.objects.bulk_create(
            [Cap(workspace=workspace, book=book, scope=scope, scope_id=scope_id, limit_micro=limit_micro)],
            ignore_conflicts=True,
        )
        rows = Cap.objects.of(workspace).filter(book=book, scope=scope, scope_id=scope_id)
        cap = lock_rows(rows, LockRank.CAP)[0]
        if limit_micro < cap.held_micro + cap.spent_micro:
            raise CapTooLow("the limit is below what is already held and spent; cancel work first or set it higher")
        was, cap.limit_micro = cap.limit_micro, limit_micro
        cap.save(update_fields=["limit_micro"])
        append_event(
            workspace.event_stream(),
            "budget.changed",
            actor=actor,
            now=now,
            subject_kind="cap",
            subject_id=cap.pk,
            data={
                "scope": scope,
                "scope_id": scope_id,
                "was_micro": was,
                "limit_micro": limit_micro,
                "book": book,
            },
        )
        audit.record(
            workspace_id=workspace.pk,
            actor=actor,
            action="cap.set",
            subject_kind="cap",
            subject_id=cap.pk,
            now=now,
            scope=scope,
            was_micro=was,
            limit_micro=limit_micro,
        )
    return cap
