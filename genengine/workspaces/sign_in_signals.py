"""What Django says about sessions, handed to the one service that tells it."""

from typing import Any

import structlog
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from genengine.core import clock
from genengine.workspaces.models import User
from genengine.workspaces.services import record_session_event

log = structlog.get_logger("genengine.sign_in")


@receiver(user_logged_in)
def signed_in(sender: Any, user: User, **_: Any) -> None:
    """Allauth and the admin both send this."""
    record_session_event(user=user, event="session.signed_in", now=clock.now())


@receiver(user_logged_out)
def signed_out(sender: Any, user: User | None, **_: Any) -> None:
    """A session that had expired ends without a person."""
    if user is not None:
        record_session_event(user=user, event="session.signed_out", now=clock.now())


@receiver(user_login_failed)
def failed(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    """The address is looked up, never stored; the password is not in `credentials`."""
    address = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=address).first() if address else None
    if user is None:
        log.info("sign_in.failed", known=False)
        return
    record_session_event(user=user, event="session.refused", now=clock.now())
