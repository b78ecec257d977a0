"""People, keys and clients for tests of the API and of access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import Client

from genengine.core import clock
from genengine.workspaces.models import Role, User, Workspace
from genengine.workspaces.policy import SCOPES, Principal
from genengine.workspaces.services import create_api_key, installation_principal
from tests.factories.jobs import make_principal, make_workspace

EVERY_SCOPE = sorted(SCOPES)


@dataclass
class Partner:
    """A JSON client of the API: with a key, with a session, or with nothing."""

    client: Client
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query_params=query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("patch", path, body, headers)

    def delete(self, path: str) -> Any:
        return self._send("delete", path, None, {})

    def upload(self, path: str, **fields: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", fields, headers=self.headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        send = getattr(self.client, method)
        return send(
            f"/api/v1/{path}",
            {} if body is None else body,
            content_type="application/json",
            headers=self.headers | {name.replace("_", "-"): value for name, value in headers.items()},
        )


def make_key(workspace: Workspace, role: str = Role.EDITOR, scopes: list[str] | None = None) -> str:
    _, text = create_api_key(
        principal=installation_principal(workspace),
        name="partner",
        role=Role(role),
        scopes=EVERY_SCOPE if scopes is None else scopes,
        now=clock.now(),
    )
    return text


def partner(workspace: Workspace, role: str = Role.EDITOR, scopes: list[str] | None = None) -> Partner:
    """A partner with a key."""
    return Partner(Client(), {"Authorization": f"Bearer {make_key(workspace, role, scopes)}"})


def person(principal: Principal, **headers: str) -> Partner:
    """A signed-in member; the test client is excused from CSRF, which has a test of its own."""
    client = Client()
    assert principal.user is not None
    client.force_login(principal.user, backend="django.contrib.auth.backends.ModelBackend")
    return Partner(client, headers)


def nobody() -> Partner:
    return Partner(Client(), {})


def member(slug: str = "aurora", role: str = Role.EDITOR, *, compliance: bool = False) -> Principal:
    """A member of a workspace, which is made when it is not there."""
    principal = make_principal(make_workspace(slug), role, email=f"{role}{'-c' * compliance}@{slug}.example")
    if compliance:
        assert isinstance(principal.user, User)
        principal.user.memberships.update(compliance=True)
        from genengine.workspaces.policy import principal_of_user

        found = principal_of_user(principal.user, principal.workspace)
        assert found is not None
        return found
    return principal
