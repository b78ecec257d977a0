"""Who may open the socket of a job: a member's browser by session, a partner by key, anybody by a ticket for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie
from django.http.request import validate_host
from django.utils.module_loading import import_string

from genengine.workspaces.models import ApiKey, User
from genengine.workspaces.policy import Action, Principal, can, key_is_valid, principal_of_key, principal_of_user
from genengine.workspaces.services import authenticate_key, use_ticket
from jobs.execution.models import Job

MOST_AFTER = 2**62


class Close(IntEnum):
    """Why a socket is closed, in the range that applications may use (RFC 6455 §7.4.2)."""

    NOT_SIGNED_IN = 4401
    NOT_ALLOWED = 4403
    NO_SUCH_JOB = 4404


class SocketRefused(Exception):
    """The socket is not for who asks."""

    def __init__(self, code: Close) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True)
class Handshake:
    """What the client sent when it opened the socket."""

    headers: dict[str, str]
    query: dict[str, str]
    default_host: str

    @classmethod
    def of(cls, scope: dict[str, Any]) -> "Handshake":
        """Read it from the ASGI scope."""
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin1")).items()}
        host, port = scope.get("server") or ("", "")
        return cls(headers, query, f"{host}:{port}")

    @property
    def after(self) -> int:
        """The number after which events are wanted."""
        text = self.query.get("after", "0")
        return min(int(text), MOST_AFTER) if text.isdecimal() and len(text) < 20 else 0


@dataclass(frozen=True)
class Access:
    """An open door: whose it is and to what. `still_open` asks everything again."""

    job: Job
    user_id: UUID | None = None
    key_id: UUID | None = None
    session_key: str = ""

    def still_open(self, now: datetime) -> None:
        """Raise `SocketRefused` when the session ended, the key was revoked, or the right was taken away."""
        if self.session_key:
            user = _user_of_session(self.session_key)
            _open(self.job, _of_user(user, self.job))
        elif self.user_id:
            _open(self.job, _of_user(User.objects.filter(pk=self.user_id).first(), self.job))
        else:
            key = ApiKey.objects.select_related("workspace").filter(pk=str(self.key_id)).first()
            if key is None or not key_is_valid(key, now):
                raise SocketRefused(Close.NOT_SIGNED_IN)
            _open(self.job, principal_of_key(key))


def open_socket(handshake: Handshake, job_id: UUID, now: datetime) -> Access:
    """Decide whether a socket may be opened. A foreign job, a restricted one and one that never was look the same."""
    job = Job.objects.select_related("workspace").filter(pk=job_id).first()
    if ticket := handshake.query.get("ticket"):
        return _by_ticket(ticket, job, job_id, now)
    scheme, _, text = handshake.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        key = authenticate_key(text.strip(), now=now)
        if key is None:
            raise SocketRefused(Close.NOT_SIGNED_IN)
        return Access(_open(job, principal_of_key(key)), key_id=key.pk)
    return _by_session(handshake, job)


def _by_ticket(ticket: str, job: Job | None, job_id: UUID, now: datetime) -> Access:
    taken = use_ticket(token=ticket, subject_id=job_id, now=now)
    if taken is None:
        raise SocketRefused(Close.NOT_SIGNED_IN)
    if job is None or taken.workspace_id != job.workspace_id:
        raise SocketRefused(Close.NO_SUCH_JOB)
    access = Access(job, user_id=taken.user_id, key_id=taken.api_key_id)
    access.still_open(now)
    return access


def _by_session(handshake: Handshake, job: Job | None) -> Access:
    """A browser sends cookies from any page, so a session counts only with an Origin of ours."""
    if not origin_is_ours(handshake):
        raise SocketRefused(Close.NOT_ALLOWED)
    session_key = parse_cookie(handshake.headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME, "")
    user = _user_of_session(session_key)
    return Access(_open(job, _of_user(user, job)), session_key=session_key)


def origin_is_ours(handshake: Handshake) -> bool:
    """Say whether the page that opens the socket came from this installation."""
    origin = handshake.headers.get("origin", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host = handshake.headers.get("host", handshake.default_host)
    name = urlsplit(f"//{host}").hostname or ""
    shown = f"[{name}]" if ":" in name else name
    return bool(origin) and urlsplit(origin).netloc == host and validate_host(shown, settings.ALLOWED_HOSTS)


def _user_of_session(session_key: str) -> User:
    """Return the person of a session as a page would, its password hash checked."""
    request = HttpRequest()
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(session_key or None)
    user = get_user(request) if session_key else None
    if not isinstance(user, User):
        raise SocketRefused(Close.NOT_SIGNED_IN)
    return user


def _of_user(user: User | None, job: Job | None) -> Principal | None:
    if user is None:
        raise SocketRefused(Close.NOT_SIGNED_IN)
    return principal_of_user(user, job.workspace) if job is not None else None


def _open(job: Job | None, principal: Principal | None) -> Job:
    """Read the job again as the principal sees it: it may have been restricted since the socket was opened."""
    if job is None or principal is None:
        raise SocketRefused(Close.NO_SUCH_JOB)
    if not can(principal, Action.VIEW):
        raise SocketRefused(Close.NOT_ALLOWED)
    seen: Job | None = Job.objects.visible_to(principal).select_related("workspace").filter(pk=job.pk).first()
    if seen is None:
        raise SocketRefused(Close.NO_SUCH_JOB)
    return seen
