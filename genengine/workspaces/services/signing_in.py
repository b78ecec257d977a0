"""Sign-ins, sign-outs and failed tries, told on the stream of every workspace of the person."""

from datetime import datetime

from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import Membership, User
from genengine.workspaces.services.record import tell


@retry_conflicts
def record_session_event(*, user: User, event: str, now: datetime) -> None:
    """Tell that a person signed in or out, or that somebody failed to sign in as that person.

    A failed try by an address that nobody has is only logged: there is no workspace that it concerns.
    """
    with unit_of_work():
        memberships = Membership.objects.filter(user=user).select_related("workspace").order_by("workspace_id")
        for membership in memberships:
            tell(
                membership.workspace, user.as_actor(), event,
                subject_kind="user", subject_id=user.pk, now=now,
            )  # fmt: skip
