"""Provider health for partners."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from genengine.core import clock
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action
from providers.health.queries import provider_health
from providers.health.serializers import ProviderHealthSerializer


class Health(WorkspaceAPIView):
    """The vendors that the workspace uses."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="provider_health", responses=ProviderHealthSerializer(many=True), tags=["providers"])
    def get(self, request: Request) -> Response:
        """Show whether each vendor works, how fast, what went wrong and when its circuit turned."""
        rows = provider_health(workspace=self.principal.workspace, now=clock.now())
        return Response(ProviderHealthSerializer(rows, many=True, context=self.context()).data)
