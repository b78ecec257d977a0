"""The audit port: services say what was done; the implementation is named in `AUDIT_SINK` like an e-mail backend."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from genengine.core.actors import Actor


class AuditSink(Protocol):
    def __call__(
        self,
        *,
        workspace_id: UUID | None,
        actor: Actor,
        action: str,
        subject_kind: str,
        subject_id: str,
        now: datetime,
        facts: Mapping[str, object],
    ) -> None: ...


def record(
    *,
    workspace_id: UUID | None,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: object,
    now: datetime,
    **facts: object,
) -> None:
    """Append one audit record inside the caller's transaction. `facts` hold ids and figures, never names or prompts."""
    sink: AuditSink = import_string(settings.AUDIT_SINK)
    sink(
        workspace_id=workspace_id,
        actor=actor,
        action=action,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        now=now,
        facts=facts,
    )
