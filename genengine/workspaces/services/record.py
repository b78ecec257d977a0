"""How every write of workspaces is told: one event on the workspace's stream and one audit entry."""

import hashlib
from datetime import datetime

from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.events.services import append_event
from genengine.workspaces.models import Workspace


def digest(secret: str) -> str:
    """Return the SHA-256 under which a token or a key's secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def tell(
    workspace: Workspace,
    actor: Actor,
    action: str,
    *,
    subject_kind: str,
    subject_id: object,
    now: datetime,
    facts: dict[str, object] | None = None,
) -> None:
    """Append the event and the audit entry of one write. `facts` hold ids and figures, never names."""
    append_event(
        workspace.event_stream(),
        action,
        actor=actor,
        now=now,
        subject_kind=subject_kind,
        subject_id=subject_id,
        data=facts,
    )
    audit.record(
        workspace_id=workspace.pk,
        actor=actor,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        now=now,
        **(facts or {}),
    )
