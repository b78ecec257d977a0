"""Every cell of role × action × surface: members of every role, the Compliance grant, strangers, nobody, every key.

Whoever may is let in: not 403, not 404, whatever then comes of an empty body. A member who may not gets 403 with the
reason. Who has nothing to do with the workspace gets 404, who is nobody the sign-in page or 401.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from genengine.core import clock
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import BY_COMPLIANCE_GRANT, LEAST_ROLE, RANK, SCOPES, Action
from genengine.workspaces.surfaces import PUBLIC, TABLE, Row, Surface
from jobs.timeline.sockets import Close, Handshake, SocketRefused, open_socket
from tests.access_world import BODIES, World, browser_of, make_world, routes
from tests.api.support import make_key, member

pytestmark = pytest.mark.django_db

ALLOWED, FORBIDDEN, MISSING, UNKNOWN = "allowed", "forbidden", "missing", "unknown"


@dataclass
class Knocker:
    """Somebody who tries: how they come in, and what the policy says of them."""

    client: Client
    expects: Callable[[Row], str]
    headers: dict[str, str]
    cookie: bool = True


def may(role: Role, action: Action, *, compliance: bool = False) -> bool:
    return RANK[role] >= RANK[LEAST_ROLE[action]] or (compliance and action in BY_COMPLIANCE_GRANT)


def as_member(role: Role, *, compliance: bool = False) -> Callable[[World], Knocker]:
    def make(world: World) -> Knocker:
        principal = member(world.workspace.slug, role, compliance=compliance)

        def expects(row: Row) -> str:
            return ALLOWED if may(role, row.action, compliance=compliance) else FORBIDDEN

        def expects_in_admin(row: Row) -> str:
            enters = may(role, Action.MANAGE_WORKSPACE) or may(role, Action.READ_AUDIT, compliance=compliance)
            return expects(row) if enters or row.surface != Surface.ADMIN else FORBIDDEN

        return Knocker(browser_of(principal), expects_in_admin, {})

    return make


def as_stranger(world: World) -> Knocker:
    """An admin of another workspace: the lists of the admin open, on their own rows."""
    principal = member("nord", Role.ADMIN)

    def expects(row: Row) -> str:
        own_list = row.route.endswith(("_changelist", ":index"))
        lists_own = row.surface == Surface.API and not (routes()[row.route] - {"verb"})
        return ALLOWED if (row.surface == Surface.ADMIN and own_list) or lists_own else MISSING

    return Knocker(browser_of(principal), expects, {})


def as_nobody(world: World) -> Knocker:
    return Knocker(Client(), lambda row: UNKNOWN, {})


def as_key(role: Role, scopes: list[str]) -> Callable[[World], Knocker]:
    def make(world: World) -> Knocker:
        text = make_key(world.workspace, role, scopes)

        def expects(row: Row) -> str:
            if row.surface in (Surface.PAGE, Surface.ADMIN):
                return UNKNOWN  # a key opens no page
            scoped = any(row.action in SCOPES[scope] for scope in scopes)
            return ALLOWED if scoped and may(role, row.action) else FORBIDDEN

        return Knocker(Client(), expects, {"Authorization": f"Bearer {text}"}, cookie=False)

    return make


KNOCKERS: dict[str, Callable[[World], Knocker]] = {
    **{f"{role}": as_member(role) for role in Role},
    "viewer with the compliance grant": as_member(Role.VIEWER, compliance=True),
    "admin of another workspace": as_stranger,
    "nobody": as_nobody,
    **{f"admin key for {scope}": as_key(Role.ADMIN, [scope]) for scope in SCOPES},
    **{f"{role} key for everything": as_key(role, list(SCOPES)) for role in Role},
}


@pytest.mark.parametrize("who", KNOCKERS)
def test_every_cell_is_as_the_policy_says(who: str) -> None:
    world = make_world("aurora")
    knocker = KNOCKERS[who](world)
    wrong = []
    for row in TABLE:
        got = _knock(knocker, row, world)
        expected = knocker.expects(row)
        if got != expected:
            wrong.append(f"{row}: expected {expected}, got {got}")
    assert not wrong, "\n".join(wrong)


def test_every_action_is_on_some_surface() -> None:
    on_fields = {Action.DOWNLOAD}  # not an address: the link in an export is left out
    assert {row.action for row in TABLE} == set(Action) - on_fields


def test_no_address_that_writes_is_missing_in_the_table() -> None:
    world = make_world("aurora")
    browser = browser_of(world.admin)
    known = {row.route for row in TABLE if row.method != "GET"} | PUBLIC
    missing = []
    for route in routes():
        if route.startswith(("account_", "admin:", "operator:", "mfa_", "api-nowhere")) or route in known:
            continue
        address = Row(
            Action.VIEW, Surface.PAGE, "POST", route, (("token", "x"), ("code", "invalid"), ("verb", "pause"))
        )
        for method in ("post", "put", "patch", "delete"):
            with _undone():
                answer = getattr(browser, method)(world.url(address))
            if answer.status_code not in (404, 405):
                missing.append(f"{method.upper()} {route}: {answer.status_code}")
    assert not missing, "\n".join(missing)


def test_every_row_of_the_table_is_an_address_that_there_is() -> None:
    known = set(routes()) | {"ws-job"}
    assert {row.route for row in TABLE} <= known
    assert len({(r.surface, r.method, r.route, r.args) for r in TABLE}) == len(TABLE)


def test_a_member_who_may_not_is_told_which_role_may() -> None:
    world = make_world("aurora")
    viewer = member("aurora", Role.VIEWER)
    page = browser_of(viewer).post(f"/w/aurora/jobs/{world.job.pk}/do", {"do": "pause"})
    assert page.status_code == 403
    assert "Editor" in page.content.decode()
    api = browser_of(viewer).post(f"/api/v1/jobs/{world.job.pk}/pause", content_type="application/json")
    assert "role Editor" in api.json()["detail"]


def test_a_right_that_is_taken_away_is_gone_at_the_next_request() -> None:
    world = make_world("aurora")
    editor = member("aurora", Role.EDITOR)
    browser = browser_of(editor)
    assert browser.get("/w/aurora/").status_code == 200
    editor.user.memberships.all().delete()  # type: ignore[union-attr]
    assert browser.get("/w/aurora/").status_code == 404
    assert browser.get(f"/api/v1/jobs/{world.job.pk}").status_code == 404


def test_operators_run_the_installation_and_see_no_workspace_from_inside() -> None:
    world = make_world("aurora")
    operator = member("nord", Role.VIEWER)
    operator.user.is_superuser = operator.user.is_staff = True  # type: ignore[union-attr]
    operator.user.save()  # type: ignore[union-attr]
    browser = browser_of(operator)
    assert browser.get("/operator/").status_code == 200
    assert browser.get("/w/aurora/").status_code == 404
    assert browser.get(f"/api/v1/jobs/{world.job.pk}", headers={"X-Workspace": "aurora"}).status_code == 404
    assert browser.get("/admin/").status_code == 403
    for role in Role:
        assert browser_of(member("aurora", role)).get("/operator/").status_code == 403
    assert Client().get("/operator/").status_code == 302
    assert not Workspace.objects.filter(memberships__user=operator.user, slug="aurora").exists()


def _knock(knocker: Knocker, row: Row, world: World) -> str:
    if row.surface == Surface.SOCKET:
        return _knock_at_socket(knocker, world)
    body = BODIES.get(row.route, {}) | ({"seen": "1"} if row.route.startswith("plan-") else {})
    options: dict[str, Any] = {"headers": knocker.headers}
    if row.surface == Surface.API and row.method != "GET":
        options["content_type"] = "application/json"
    if row.route == "api-assets":
        options.pop("content_type", None)
    if row.surface == Surface.API and knocker.cookie:
        options["headers"] = knocker.headers
    send = getattr(knocker.client, row.method.lower())
    with _undone():
        answer = send(world.url(row), body, **options) if row.method != "GET" else send(world.url(row), **options)
    return _verdict(answer, row)


def _verdict(answer: Any, row: Row) -> str:
    if answer.status_code == 403:
        return FORBIDDEN
    if answer.status_code == 404:
        return MISSING
    if answer.status_code == 401:
        return UNKNOWN
    if answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/"):
        return UNKNOWN
    assert answer.status_code < 500, f"{row}: {answer.status_code}"
    return ALLOWED


def _knock_at_socket(knocker: Knocker, world: World) -> str:
    session = knocker.client.cookies.get("sessionid")
    headers = {"host": "localhost", "origin": "http://localhost"} | {k.lower(): v for k, v in knocker.headers.items()}
    if session is not None:
        headers["cookie"] = f"sessionid={session.value}"
    try:
        open_socket(Handshake(headers, {}, "localhost:80"), world.job.pk, clock.now())
    except SocketRefused as refused:
        codes = {Close.NOT_SIGNED_IN: UNKNOWN, Close.NOT_ALLOWED: FORBIDDEN, Close.NO_SUCH_JOB: MISSING}
        return codes[refused.code]
    return ALLOWED


class _undone:  # noqa: N801 - reads like a word of the language
    """Whatever a request does is rolled back, so that every cell starts from the same world."""

    def __enter__(self) -> None:
        self._block = transaction.atomic()
        self._block.__enter__()

    def __exit__(self, *error: Any) -> None:
        transaction.set_rollback(True)
        self._block.__exit__(None, None, None)
