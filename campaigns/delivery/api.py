"""Ask for export packages and take them home."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.delivery.models import Export
from campaigns.delivery.serializers import ExportRequestSerializer, ExportSerializer
from campaigns.delivery.services import ExportRefused, request_export, retry_export
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import kind, register
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action
from jobs.execution.models import Job, Master

register(ExportRefused, kind("export_refused", 422, "Nothing can be exported from this choice"))


class Exports(WorkspaceAPIView):
    """The packages of a job."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW, "POST": Action.REQUEST_EXPORT}

    @extend_schema(operation_id="exports_list", responses=ExportSerializer(many=True), tags=["exports"])
    def get(self, request: Request, job_id: UUID) -> Response:
        """List packages, newest first."""
        rows = Export.objects.visible_to(self.principal).filter(job=self.row(Job, job_id)).select_related("package")
        return self.page(ExportSerializer, rows)

    @extend_schema(
        operation_id="exports_create",
        request=ExportRequestSerializer,
        responses={201: ExportSerializer},
        tags=["exports"],
    )
    @idempotent
    def post(self, request: Request, job_id: UUID) -> Response:
        """Ask for a package of some masters as they are now. What blocks it is listed with its fix."""
        job = self.row(Job, job_id)
        chosen = [self.row(Master, pk, job=job) for pk in self.read(ExportRequestSerializer)["masters"]]
        export = request_export(job=job, masters=chosen, principal=self.principal, now=clock.now())
        return self.show(ExportSerializer, export, 201, location=f"/api/v1/exports/{export.pk}")


class OneExport(WorkspaceAPIView):
    """A package."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="exports_get", responses=ExportSerializer, tags=["exports"])
    def get(self, request: Request, export_id: UUID) -> Response:
        """Show a package's state and, when it is ready, a link that expires."""
        return self.show(ExportSerializer, self.row(Export, export_id))


class RetryExport(WorkspaceAPIView):
    """A blocked package."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.REQUEST_EXPORT}

    @extend_schema(operation_id="exports_retry", request=None, responses=ExportSerializer, tags=["exports"])
    @idempotent
    def post(self, request: Request, export_id: UUID) -> Response:
        """Check a blocked package again and build it when its points are cleared."""
        export = retry_export(export=self.row(Export, export_id), principal=self.principal, now=clock.now())
        return self.show(ExportSerializer, export)
