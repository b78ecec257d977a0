"""Upload, find and put away files."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from genengine.assets.models import Asset, AssetKind
from genengine.assets.serializers import AssetSerializer, UploadSerializer
from genengine.assets.services import UploadRefused, archive_asset, upload_asset
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import Point, kind, register
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action

register(
    UploadRefused,
    kind("upload_refused", 422, "The file is not taken", "Read errors: it says what is wrong and what to do."),
    lambda error: [Point("file", f"{error.message} ({error.code})", error.hint)],
)


class Assets(WorkspaceAPIView):
    """The files of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW, "POST": Action.UPLOAD_ASSET}
    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]  # type: ignore[misc]

    @extend_schema(
        operation_id="assets_list",
        parameters=[
            OpenApiParameter("kind", enum=AssetKind.values),
            OpenApiParameter("name", description="Part of the name."),
        ],
        responses=AssetSerializer(many=True),
        tags=["assets"],
    )
    def get(self, request: Request) -> Response:
        """List files that are not put away, newest first."""
        rows = Asset.objects.of(self.principal.workspace).filter(archived_at=None)
        rows = rows.select_related("original", "working")
        if wanted := request.query_params.get("kind"):
            rows = rows.filter(kind=wanted)
        if part := request.query_params.get("name"):
            rows = rows.filter(name__icontains=part)
        return self.page(AssetSerializer, rows)

    @extend_schema(
        operation_id="assets_upload",
        request={"multipart/form-data": UploadSerializer},
        responses={201: AssetSerializer},
        tags=["assets"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Upload one file. The same bytes under the same name give the asset that is there already."""
        values = self.read(UploadSerializer)
        previous = self.row(Asset, values["previous"]) if values.get("previous") else None
        asset = upload_asset(
            workspace=self.principal.workspace,
            actor=self.principal.actor,
            user=self.principal.user,
            file=values["file"],
            name=values.get("name") or values["file"].name,
            previous=previous,
            licence=values["licence"],
            attribution=values["attribution"],
            now=clock.now(),
        )
        return self.show(AssetSerializer, asset, 201, location=f"/api/v1/assets/{asset.pk}")


class OneAsset(WorkspaceAPIView):
    """A file of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW, "DELETE": Action.UPLOAD_ASSET}

    @extend_schema(operation_id="assets_get", responses=AssetSerializer, tags=["assets"])
    def get(self, request: Request, asset_id: UUID) -> Response:
        """Show a file with a link to its normalised copy."""
        return self.show(AssetSerializer, self.row(Asset, asset_id))

    @extend_schema(operation_id="assets_archive", responses=AssetSerializer, tags=["assets"])
    def delete(self, request: Request, asset_id: UUID) -> Response:
        """Put a file away. What uses it keeps it."""
        asset = archive_asset(asset=self.row(Asset, asset_id), actor=self.principal.actor, now=clock.now())
        return self.show(AssetSerializer, asset)
