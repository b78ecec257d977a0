"""Who calls the API: a partner by key, or a person by the session of the pages (then with CSRF)."""

from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from genengine.core import clock
from genengine.workspaces.models import ApiKey
from genengine.workspaces.services import authenticate_key

SCHEME = "Bearer"


@dataclass(frozen=True)
class KeyHolder:
    """What stands in `request.user` for a request with an API key; it is no person and never becomes one."""

    api_key: ApiKey
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    is_anonymous: bool = False

    @property
    def pk(self) -> object:
        """The key's id."""
        return self.api_key.pk

    @property
    def rate_name(self) -> str:
        """The name under which requests are counted."""
        return f"key:{self.api_key.pk}"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer ge_<prefix>_<secret>`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the holder of the key; nothing without the header; an error for a key that does not stand."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = authenticate_key(text.strip(), now=clock.now())
        if key is None:
            raise AuthenticationFailed("this API key is unknown, revoked or expired; ask an admin for a new one")
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        """Make an unauthenticated answer a 401 that names the scheme."""
        return f'{SCHEME} realm="Generation Engine"'


class PageSession(SessionAuthentication):
    """A signed-in person's browser; unsafe methods need the CSRF token."""


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The key in the OpenAPI description."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ge_<prefix>_<secret>"}


class PageSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session in the OpenAPI description."""

    target_class = PageSession
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
