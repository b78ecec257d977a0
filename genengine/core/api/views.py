"""Addresses of the API that need nobody: the catalogue of errors, and a proper answer for addresses that are not."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from genengine.core.api.problems import catalogue


class KindSerializer(serializers.Serializer):
    """A code that the API can answer with."""

    type = serializers.CharField()
    code = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    fix = serializers.CharField()


class Public(APIView):
    """Open to everybody."""

    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = []  # type: ignore[misc]
    permission_classes: ClassVar[list[type[BasePermission]]] = [AllowAny]  # type: ignore[misc]


class Problems(Public):
    """The catalogue of errors."""

    @extend_schema(operation_id="problems_list", responses=KindSerializer(many=True), tags=["problems"])
    def get(self, request: Request) -> Response:
        """List every error code with its meaning and its fix."""
        return Response(KindSerializer(catalogue(), many=True).data)


class OneProblem(Public):
    """One error."""

    @extend_schema(operation_id="problems_get", responses=KindSerializer, tags=["problems"])
    def get(self, request: Request, code: str) -> Response:
        """Explain an error code: where the `type` of a problem document leads."""
        found = next((kind for kind in catalogue() if kind.code == code), None)
        if found is None:
            raise NotFound
        return Response(KindSerializer(found).data)


class NoSuchAddress(Public):
    """Every other address below /api/."""

    @extend_schema(exclude=True)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever the method: there is nothing here."""
        raise NotFound
