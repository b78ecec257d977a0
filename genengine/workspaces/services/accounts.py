"""What an operator does to a person's account."""

from datetime import datetime

from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import User
from genengine.workspaces.services.record import tell


@retry_conflicts
def set_account_active(*, user: User, active: bool, actor: Actor, now: datetime) -> None:
    """Open or close an account. A closed one is signed out everywhere at its next request."""
    action = "account.opened" if active else "account.closed"
    with unit_of_work():
        User.objects.filter(pk=user.pk).update(is_active=active)
        for membership in user.memberships.select_related("workspace").order_by("workspace_id"):
            tell(membership.workspace, actor, action, subject_kind="user", subject_id=user.pk, now=now)
        audit.record(workspace_id=None, actor=actor, action=action, subject_kind="user", subject_id=user.pk, now=now)
