"""The partner API: JSON only, session or API key, described by OpenAPI 3.1 from our own files (no foreign
origin).
"""

from genengine.settings import environment as env

GE_API_LIMITS = {
    "reads": env.integer("GE_API_READS_PER_MINUTE", 6000, "API reads a minute of one key or person.", at_least=1),
    "writes": env.integer("GE_API_WRITES_PER_MINUTE", 600, "API writes a minute of one key or person.", at_least=1),
    "anonymous": env.integer(
        "GE_API_ANONYMOUS_PER_MINUTE", 60, "API requests a minute of one address without a key.", at_least=1
    ),
}
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "genengine.workspaces.authentication.ApiKeyAuthentication",
        "genengine.workspaces.authentication.PageSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["genengine.core.api.limits.MinuteLimit"],
    "DEFAULT_SCHEMA_CLASS": "genengine.core.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "genengine.core.api.problems.problem_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Generation Engine API",
    "DESCRIPTION": "Turn a creative brief into finished, approved, delivered video ads.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "genengine.workspaces.models.Role.choices",
        "ReusePolicyEnum": "genengine.workspaces.models.ReusePolicy.choices",
        "AssetRoleEnum": "campaigns.briefs.models.BriefAssetRole.choices",
        "SceneRoleEnum": ["hook", "beat", "cta"],
        "BriefStateEnum": "campaigns.briefs.models.BriefState.choices",
        "ExportStateEnum": "campaigns.delivery.states.ExportState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "genengine.core.api.schema.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}
