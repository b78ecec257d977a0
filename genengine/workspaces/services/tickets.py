"""Single-use tickets: a partner's browser opens one socket with one, and never sees the key."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import SocketTicket
from genengine.workspaces.policy import Action, Principal, require
from genengine.workspaces.services.record import digest

TICKET_LIFE = timedelta(seconds=30)


@retry_conflicts
def issue_ticket(*, principal: Principal, subject_id: UUID, now: datetime) -> tuple[SocketTicket, str]:
    """Make a ticket to watch one object; return it with its text, which is not kept. It works once, for 30 s."""
    require(principal, Action.VIEW)
    token = secrets.token_urlsafe(32)
    with unit_of_work():
        SocketTicket.objects.filter(workspace=principal.workspace, expires_at__lt=now).delete()
        ticket = SocketTicket.objects.create(
            workspace=principal.workspace,
            token_hash=digest(token),
            subject_id=subject_id,
            user=principal.user,
            api_key=principal.api_key,
            expires_at=now + TICKET_LIFE,
        )
    return ticket, token


def use_ticket(*, token: str, subject_id: UUID, now: datetime) -> SocketTicket | None:
    """Take a ticket for this object; nothing when it is used, too old, or for another object."""
    standing = SocketTicket.objects.filter(
        token_hash=digest(token), subject_id=subject_id, used_at__isnull=True, expires_at__gt=now
    )
    if not standing.update(used_at=now):
        return None
    rows = SocketTicket.objects.select_related("workspace", "user", "api_key__workspace")
    return rows.get(token_hash=digest(token))
