"""The door of every page: who asks, in which workspace, whether they may. One decorator, the one policy.

Not signed in → sign-in page. Not a member, or another tenant's id → 404. A member without the right → a 403 page
that names the role that is needed.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from genengine.workspaces.models import User, Workspace
from genengine.workspaces.policy import Action, NotAllowed, Principal, can, principal_of_user, require

View = Callable[..., HttpResponseBase]


class WorkspaceRequest(HttpRequest):
    """A request inside a workspace: `principal` is set and allowed."""

    principal: Principal
    user: User
    htmx: Any


def workspace_page(action: Action = Action.VIEW, *, write: Action | None = None) -> Callable[[View], View]:
    """Guard a view under `/w/<slug>/`. `action` opens it, `write` (when given) is asked for every method but GET."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: WorkspaceRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.principal = _principal(request.user, slug)
            safe = request.method in ("GET", "HEAD", "OPTIONS")
            try:
                require(request.principal, action if safe or write is None else write)
                return view(request, *args, **kwargs)
            except NotAllowed as refusal:
                raise PermissionDenied(_sentence(refusal)) from refusal

        return guarded

    return decorate


def rights(principal: Principal) -> dict[str, bool]:
    """Return every action with whether the principal may do it, for templates."""
    return {action.value: can(principal, action) for action in Action}


def workspace_context(request: HttpRequest) -> dict[str, Any]:
    """Template context of pages inside a workspace: `workspace`, `principal`, `may`; and the person's theme."""
    context: dict[str, Any] = {"theme": _theme(request)}
    principal: Principal | None = getattr(request, "principal", None)
    if principal is not None:
        context |= {"workspace": principal.workspace, "principal": principal, "may": rights(principal)}
    return context


def poke(event: str, text: str = "", level: str = "success") -> HttpResponse:
    """Answer an htmx write that swaps nothing: tell the page that `event` happened and show a toast."""
    return with_toast(HttpResponse(status=204), text, level, event)


def with_toast(response: HttpResponse, text: str = "", level: str = "success", *events: str) -> HttpResponse:
    """Let an htmx answer show a toast (success, warning, error) and tell the page of `events`."""
    triggers: dict[str, object] = {event: {} for event in events if event}
    if text:
        triggers["toast"] = {"text": text, "level": level}
    if triggers:
        response["HX-Trigger"] = json.dumps(triggers)
    return response


def _principal(user: User, slug: str) -> Principal:
    workspace = Workspace.objects.filter(slug=slug).first()
    principal = principal_of_user(user, workspace) if workspace else None
    if principal is None:
        raise Http404("no such workspace")
    return principal


def _sentence(refusal: NotAllowed) -> str:
    text = str(refusal)
    return text[0].upper() + text[1:]


def _theme(request: HttpRequest) -> str:
    theme = request.COOKIES.get("theme", "")
    return theme if theme in ("light", "dark") else ""
