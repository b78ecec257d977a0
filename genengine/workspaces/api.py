"""Who asks, as the API sees them."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action
from genengine.workspaces.serializers import MeSerializer


class Me(WorkspaceAPIView):
    """The workspace, the role and the rights of the key or session."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="me", responses=MeSerializer, tags=["workspace"])
    def get(self, request: Request) -> Response:
        """Check a key: which workspace it stands for, in which mode, and what it may do."""
        return self.show(MeSerializer, self.principal)
