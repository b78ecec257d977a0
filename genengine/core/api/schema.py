"""What the OpenAPI description says of every operation: problem documents, idempotency, limits, docs on one page."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An RFC 9457 problem document.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "examples": ["/api/v1/problems/plan_moved"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; /api/v1/problems/ lists them all."},
        "fix": {"type": "string"},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message", "fix"],
                "properties": {
                    "path": {"type": "string"},
                    "message": {"type": "string"},
                    "fix": {"type": "string"},
                },
            },
        },
    },
}
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A text of your own, such as a UUID. Sent again with the same body, the work is done once and the "
    "answer repeated with the header Idempotency-Replayed.",
)
WORKSPACE = OpenApiParameter(
    "X-Workspace", str, OpenApiParameter.HEADER, description="For sessions of people who are in several workspaces."
)


class ApiSchema(AutoSchema):
    """Adds the header parameters that views of a workspace take."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers of this operation."""
        parameters = [*super().get_override_parameters()]
        if hasattr(self.view, "actions"):
            parameters.append(WORKSPACE)
        handler = getattr(self.view, self.method.lower(), None)
        if getattr(handler, "idempotent", False):
            parameters.append(IDEMPOTENCY)
        return parameters


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Let every operation answer with a problem document when it does not succeed."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "Anything else is a problem document.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", answer)
    return result
