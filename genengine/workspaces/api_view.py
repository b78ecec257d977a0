"""The door of the API: who asks, in which workspace, whether they may. Every view of every app starts here."""

from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genengine.core.api.limits import Allowance
from genengine.core.api.pagination import Pages
from genengine.core.api.problems import NOT_ALLOWED, Point, Problem, kind, register
from genengine.workspaces.models import ApiKey, Membership, User, Workspace
from genengine.workspaces.policy import (
    Action,
    NotAllowed,
    Principal,
    can,
    principal_of_key,
    principal_of_user,
    require,
)
from genengine.workspaces.tenancy import TenantModel, get_or_404

T = TypeVar("T", bound=TenantModel)
HEADER = "X-Workspace"

register(NotAllowed, NOT_ALLOWED)
CHOOSE_WORKSPACE = kind(
    "choose_workspace", 400, "You are in more than one workspace", f"Send the header {HEADER} with its address."
)


class WorkspaceAPIView(APIView):
    """A view inside one workspace. `actions` says by method what is asked of the policy; a method without is refused.

    A key stands for its own workspace. A person names one in the header X-Workspace (or `?workspace=`), and need not
    with a single membership.
    """

    actions: ClassVar[dict[str, Action]] = {}
    principal: Principal
    allowance: Allowance | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, count, find the workspace, ask the policy: in this order, before any handler."""
        super().initial(request, *args, **kwargs)
        self.principal = _principal(request)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in self.actions:
            require(self.principal, self.actions[method])
        elif method != "OPTIONS" and hasattr(self, method.lower()):
            raise NotAllowed(Action.VIEW, self.principal.role.label, "nobody may do this here.")

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Say what is left of the limit, and keep shared caches away."""
        finished: Response = super().finalize_response(request, response, *args, **kwargs)
        if self.allowance is not None:
            for name, value in self.allowance.headers().items():
                finished[name] = value
        finished.setdefault("Cache-Control", "private, no-store")
        return finished

    @property
    def principal_name(self) -> str:
        """Whose idempotency keys are these."""
        actor = self.principal.actor
        return f"{actor.kind}:{actor.id}@{self.principal.workspace.pk.hex}"

    def row(self, model: type[T], pk: UUID | str, **lookups: Any) -> T:
        """Return a row of the workspace that is open to who asks; anything else is a 404."""
        return get_or_404(model, self.principal, pk, **lookups)

    def read(self, serializer: type[serializers.Serializer], **options: Any) -> dict[str, Any]:
        """Return the checked values of the body."""
        form = serializer(data=self.request.data, context=self.context(), **options)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def show(
        self, serializer: type[serializers.Serializer], row: Any, status: int = 200, *, location: str = "", **more: Any
    ) -> Response:
        """Answer with one object."""
        headers = {"Location": self.request.build_absolute_uri(location)} if location else None
        return Response(serializer(row, context=self.context() | more).data, status=status, headers=headers)

    def page(
        self, serializer: type[serializers.Serializer], rows: QuerySet[Any], ordering: str = "-created_at"
    ) -> Response:
        """Answer with a page of a list."""
        pages = Pages()
        pages.ordering = ordering
        found = pages.paginate_queryset(rows, self.request, view=self)
        return pages.get_paginated_response(serializer(found, many=True, context=self.context()).data)

    def context(self) -> dict[str, Any]:
        """What serializers need to know about who asks."""
        return {
            "request": self.request,
            "view": self,
            "principal": self.principal,
            "currency": self.principal.workspace.currency,
            "shows_cost": can(self.principal, Action.VIEW_COST),
        }


def flag(request: Request, name: str) -> bool:
    """Read a yes or no from the query."""
    return request.query_params.get(name, "").lower() in ("1", "true", "yes")


def number(request: Request, name: str, *, default: int, most: int) -> int:
    """Read a whole number from 0 to `most` from the query, or say how to write it."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 18:
        raise serializers.ValidationError({name: f"Send a whole number from 0 to {most}."})
    return min(int(text), most)


def _principal(request: Request) -> Principal:
    if isinstance(request.auth, ApiKey):
        return principal_of_key(request.auth)
    slug = request.headers.get(HEADER) or request.query_params.get("workspace", "")
    workspace = Workspace.objects.filter(slug=slug).first() if slug else _only_workspace(request)
    principal = principal_of_user(cast(User, request.user), workspace) if workspace else None
    if principal is None:
        raise Http404
    return principal


def _only_workspace(request: Request) -> Workspace | None:
    memberships = list(Membership.objects.filter(user=cast(User, request.user)).select_related("workspace")[:2])
    if len(memberships) > 1:
        fix = f"Send the header {HEADER} with the address of one of your workspaces."
        raise Problem(CHOOSE_WORKSPACE, fix, [Point(HEADER, "The workspace is not clear.", fix)])
    return memberships[0].workspace if memberships else None
