"""Write and read briefs."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.briefs.models import BrandKit, Brief, BriefAsset, BriefState
from campaigns.briefs.serializers import (
    AttachSerializer,
    BrandKitSerializer,
    BriefCreateSerializer,
    BriefSerializer,
    BriefSummarySerializer,
    BriefWriteSerializer,
    UseSerializer,
)
from campaigns.briefs.services import (
    archive_brief,
    attach_asset,
    create_brief,
    create_campaign,
    detach_asset,
    update_brief,
)
from campaigns.briefs.types import BriefClosed, BriefInvalid
from genengine.assets.models import Asset
from genengine.core import clock
from genengine.core.api.idempotency import idempotent
from genengine.core.api.problems import INVALID, Point, kind, register
from genengine.core.db import unit_of_work
from genengine.workspaces.api_view import WorkspaceAPIView
from genengine.workspaces.policy import Action

register(
    BriefInvalid,
    INVALID,
    lambda error: [Point(field, message, message) for field, message in error.errors.items()],
)
register(BriefClosed, kind("brief_archived", 409, "The brief is archived", "Duplicate it to go on."))


class Briefs(WorkspaceAPIView):
    """The briefs of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW, "POST": Action.EDIT_BRIEF}

    @extend_schema(
        operation_id="briefs_list",
        parameters=[
            OpenApiParameter("state", enum=BriefState.values),
            OpenApiParameter("campaign", description="Its name."),
        ],
        responses=BriefSummarySerializer(many=True),
        tags=["briefs"],
    )
    def get(self, request: Request) -> Response:
        """List briefs, newest first; archived ones only when asked for by state."""
        rows = Brief.objects.visible_to(self.principal).select_related("campaign")
        state = request.query_params.get("state")
        rows = rows.filter(state=state) if state else rows.exclude(state=BriefState.ARCHIVED)
        if campaign := request.query_params.get("campaign"):
            rows = rows.filter(campaign__name=campaign)
        return self.page(BriefSummarySerializer, rows)

    @extend_schema(
        operation_id="briefs_create", request=BriefCreateSerializer, responses={201: BriefSerializer}, tags=["briefs"]
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a draft; all values must hold, or nothing is created."""
        values = self.read(BriefCreateSerializer)
        template = values.pop("template", "")
        with unit_of_work():
            brief = create_brief(
                principal=self.principal, template=template, values=_values(self, values), now=clock.now()
            )
        return self.show(BriefSerializer, brief, 201, location=f"/api/v1/briefs/{brief.pk}")


class OneBrief(WorkspaceAPIView):
    """A brief of the workspace."""

    actions: ClassVar[dict[str, Action]] = {
        "GET": Action.VIEW,
        "PATCH": Action.EDIT_BRIEF,
        "DELETE": Action.EDIT_BRIEF,
    }

    @extend_schema(operation_id="briefs_get", responses=BriefSerializer, tags=["briefs"])
    def get(self, request: Request, brief_id: UUID) -> Response:
        """Show everything a brief says, the files it uses and what is missing."""
        return self.show(BriefSerializer, self.row(Brief, brief_id))

    @extend_schema(
        operation_id="briefs_change", request=BriefWriteSerializer, responses=BriefSerializer, tags=["briefs"]
    )
    def patch(self, request: Request, brief_id: UUID) -> Response:
        """Change some fields; all of them hold, or nothing is changed."""
        brief = self.row(Brief, brief_id)
        values = self.read(BriefWriteSerializer)
        with unit_of_work():
            brief = update_brief(brief=brief, values=_values(self, values), principal=self.principal, now=clock.now())
        return self.show(BriefSerializer, brief)

    @extend_schema(operation_id="briefs_archive", responses=BriefSerializer, tags=["briefs"])
    def delete(self, request: Request, brief_id: UUID) -> Response:
        """Put a brief away; its jobs and versions stay."""
        brief = archive_brief(brief=self.row(Brief, brief_id), principal=self.principal, now=clock.now())
        return self.show(BriefSerializer, brief)


class BriefAssets(WorkspaceAPIView):
    """The pictures and clips of a brief."""

    actions: ClassVar[dict[str, Action]] = {"POST": Action.EDIT_BRIEF}

    @extend_schema(
        operation_id="briefs_attach_asset", request=AttachSerializer, responses={201: UseSerializer}, tags=["briefs"]
    )
    @idempotent
    def post(self, request: Request, brief_id: UUID) -> Response:
        """Use a picture or clip; attaching it again changes its role and note."""
        brief = self.row(Brief, brief_id)
        values = self.read(AttachSerializer)
        use = attach_asset(
            brief=brief,
            asset=self.row(Asset, values["asset"]),
            role=values["role"],
            note=values["note"],
            principal=self.principal,
            now=clock.now(),
        )
        return self.show(UseSerializer, use, 201, location=f"/api/v1/briefs/{brief.pk}/assets/{use.pk}")


class OneBriefAsset(WorkspaceAPIView):
    """A picture or clip of a brief."""

    actions: ClassVar[dict[str, Action]] = {"DELETE": Action.EDIT_BRIEF}

    @extend_schema(operation_id="briefs_detach_asset", responses={204: None}, tags=["briefs"])
    def delete(self, request: Request, brief_id: UUID, use_id: UUID) -> Response:
        """Take a picture or clip out of the brief; the file itself stays."""
        brief = self.row(Brief, brief_id)
        use = self.row(BriefAsset, use_id, brief=brief)
        detach_asset(brief=brief, asset=use.asset, principal=self.principal, now=clock.now())
        return Response(status=204)


class BrandKits(WorkspaceAPIView):
    """The brand kits of the workspace."""

    actions: ClassVar[dict[str, Action]] = {"GET": Action.VIEW}

    @extend_schema(operation_id="brand_kits_list", responses=BrandKitSerializer(many=True), tags=["briefs"])
    def get(self, request: Request) -> Response:
        """List brand kits, newest first."""
        return self.page(BrandKitSerializer, BrandKit.objects.of(self.principal.workspace))


def _values(view: WorkspaceAPIView, values: dict[str, Any]) -> dict[str, Any]:
    """Turn the body into what the service takes: a campaign is named, the service wants its row."""
    if "campaign" in values:
        name = values.pop("campaign")
        values["campaign"] = create_campaign(name=name, principal=view.principal, now=clock.now()) if name else None
    if "compliance_flags" in values:
        values["compliance_flags"] = sorted(values["compliance_flags"])
    if "voiceovers" in values:
        values["voiceovers"] = {code: str(asset) for code, asset in values["voiceovers"].items()}
    return values
