"""Two people in two workspaces: neither can see, guess or touch anything of the other, on any surface."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.test import Client

from campaigns.briefs.models import Brief
from genengine.assets.media_urls import signed_media_url
from genengine.assets.models import Asset
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.workspaces.models import Role
from genengine.workspaces.surfaces import TABLE, Row, Surface
from jobs.execution.models import Job, Master
from jobs.timeline.sockets import Close, Handshake, SocketRefused, open_socket
from tests.access_world import BODIES, World, browser_of, make_world, parameters_of
from tests.api.support import Partner, make_key, member, partner

pytestmark = pytest.mark.django_db

MODELS: tuple[type[models.Model], ...] = (Brief, Job, Master, Asset)


@pytest.fixture
def mine() -> World:
    return make_world("aurora")


@pytest.fixture
def theirs() -> World:
    return make_world("nord")


def crossings(mine: World, theirs: World) -> list[tuple[Row, str]]:
    """Every address of my workspace with each id in turn replaced by theirs: what somebody who guesses would try."""
    found = []
    for row in TABLE:
        if row.surface not in (Surface.PAGE, Surface.API):
            continue
        for name in sorted(parameters_of(row.route) & {n for n in mine.ids if n.endswith("_id")}):
            crossed = World(mine.workspace, mine.admin, mine.job, mine.brief, mine.ids | {name: theirs.ids[name]})
            found.append((row, crossed.url(row)))
    return found


def test_an_id_of_the_other_workspace_is_nowhere_wherever_it_is_put(mine: World, theirs: World) -> None:
    browser = browser_of(mine.admin)
    before = _everything_of(theirs)
    wrong = []
    tried = crossings(mine, theirs)
    for row, address in tried:
        answer = _send(browser, row, address)
        if answer.status_code != 404:
            wrong.append(f"{row} {address}: {answer.status_code}")
        if b"nord" in answer.content.lower().replace(address.encode(), b""):
            wrong.append(f"{row} {address}: names the other workspace")
    assert len(tried) > 60
    assert not wrong, "\n".join(wrong)
    assert _everything_of(theirs) == before


def test_an_id_of_the_other_workspace_looks_like_one_that_never_was(mine: World, theirs: World) -> None:
    api = partner(mine.workspace)
    never = UUID("01900000-0000-7000-8000-000000000000")
    for path in ("briefs/{}", "jobs/{}", "assets/{}", "exports/{}", "jobs/{}/events", "jobs/{}/outputs"):
        name = {"b": "brief_id", "j": "job_id", "a": "asset_id", "e": "export_id"}[path[0]]
        foreign = api.get(path.format(theirs.ids[name]))
        unknown = api.get(path.format(never))
        assert foreign.status_code == unknown.status_code == 404
        assert _without_ids(foreign.json()) == _without_ids(unknown.json())


def test_ids_in_bodies_do_not_reach_across(mine: World, theirs: World) -> None:
    api = partner(mine.workspace)
    attach = {"asset": str(theirs.ids["asset_id"])}
    assert api.post(f"briefs/{mine.brief.pk}/assets", attach).status_code == 404
    export = {"masters": [str(theirs.ids["master_id"])]}
    assert api.post(f"jobs/{mine.job.pk}/exports", export).status_code == 404
    for field in ("brand_kit", "music"):
        value = str(theirs.ids["kit_id" if field == "brand_kit" else "asset_id"])
        assert api.patch(f"briefs/{mine.brief.pk}", {field: value}).status_code == 400
    voices = {"voiceovers": {"en": str(theirs.ids["asset_id"])}}
    assert api.patch(f"briefs/{mine.brief.pk}", voices).status_code == 400
    assert not Event.objects.filter(data__icontains=str(theirs.ids["asset_id"]), stream__workspace_id=mine.workspace.pk)


def test_lists_hold_only_what_is_of_ones_own(mine: World, theirs: World) -> None:
    api = partner(mine.workspace)
    for path in ("assets", "briefs", "jobs", "brand-kits", f"jobs/{mine.job.pk}/exports"):
        body = api.get(path)
        assert body.status_code == 200
        assert len(body.json()["items"]) == 1
        assert "nord" not in body.content.decode()
    browser = browser_of(mine.admin)
    for row in TABLE:
        if row.surface == Surface.PAGE and row.method == "GET":
            page = browser.get(mine.url(row))
            assert "nord" not in page.content.decode().lower(), row
    filtered = api.get("jobs", brief=str(theirs.brief.pk)).json()
    assert filtered["items"] == []


def test_a_key_of_one_workspace_opens_nothing_of_the_other_by_any_header(mine: World, theirs: World) -> None:
    key = make_key(mine.workspace, Role.ADMIN)
    api = Partner(Client(), {"Authorization": f"Bearer {key}", "X-Workspace": "nord"})
    assert api.get("me").json()["workspace"]["slug"] == "aurora"
    assert api.get("me", workspace="nord").json()["workspace"]["slug"] == "aurora"
    assert api.get(f"jobs/{theirs.job.pk}").status_code == 404


def test_the_socket_of_the_other_workspace_does_not_exist(mine: World, theirs: World) -> None:
    key = make_key(mine.workspace, Role.ADMIN)
    ticket = partner(mine.workspace).post(f"jobs/{mine.job.pk}/ticket").json()["ticket"]
    cookie = browser_of(mine.admin).cookies["sessionid"].value
    host = {"host": "localhost", "origin": "http://localhost"}
    tries = (
        (Handshake(host | {"authorization": f"Bearer {key}"}, {}, ""), Close.NO_SUCH_JOB),
        (Handshake(host | {"cookie": f"sessionid={cookie}"}, {}, ""), Close.NO_SUCH_JOB),
        (Handshake(host, {"ticket": ticket}, ""), Close.NOT_SIGNED_IN),
    )
    for handshake, code in tries:
        with pytest.raises(SocketRefused) as refused:
            open_socket(handshake, theirs.job.pk, clock.now())
        assert refused.value.code == code


def test_a_media_link_opens_one_file_and_cannot_be_turned_into_another(mine: World, theirs: World) -> None:
    blob = Asset.objects.get(pk=theirs.ids["asset_id"]).working
    link = signed_media_url(blob)
    token = link.rpartition("/")[2]
    payload, _, signature = token.rpartition(":")
    other = signed_media_url(Asset.objects.get(pk=mine.ids["asset_id"]).working).rpartition("/")[2].rpartition(":")[0]
    for forged in (f"{other}:{signature}", f"{payload}:{signature[:-1]}A", payload, "x", blob.storage_name):
        assert Client().get(f"/media/{forged}").status_code in (403, 404), forged
    pages = browser_of(mine.admin)
    for row in TABLE:
        if row.surface == Surface.PAGE and row.method == "GET":
            assert token not in pages.get(mine.url(row)).content.decode()


def test_the_admin_shows_and_offers_only_ones_own(mine: World, theirs: World) -> None:
    browser = browser_of(mine.admin)
    index = browser.get("/admin/")
    assert index.status_code == 200
    for name, pk in theirs.admin_ids.items():
        model = name.removeprefix("admin:").replace("_", "/", 1)
        page = browser.get(f"/admin/{model}/")
        assert page.status_code == 200, model
        assert "nord" not in page.content.decode().lower(), model
        own = browser.get(f"/admin/{model}/{mine.admin_ids[name]}/change/")
        assert own.status_code == 200, model
        assert "nord" not in own.content.decode().lower(), model
        for view in ("change", "history", "delete"):
            answer = browser.get(f"/admin/{model}/{pk}/{view}/")
            assert answer.status_code in (403, 404), (model, view)
            assert "nord" not in answer.content.decode().lower()
        by_search = browser.get(f"/admin/{model}/", {"q": "nord"})
        assert "nord.example" not in by_search.content.decode()
    chosen = {"action": "revoke", "_selected_action": str(theirs.ids["key_id"])}
    browser.post("/admin/workspaces/apikey/", chosen)
    from genengine.workspaces.models import ApiKey

    assert ApiKey.objects.get(pk=theirs.ids["key_id"]).revoked_at is None


def test_the_admin_writes_through_the_services_and_keeps_the_last_admin(mine: World) -> None:
    browser = browser_of(mine.admin)
    own = mine.admin.user.memberships.get()  # type: ignore[union-attr]
    address = f"/admin/workspaces/membership/{own.pk}/change/"
    refused = browser.post(address, {"role": "viewer"}, follow=True)
    assert "The workspace needs an admin" in refused.content.decode()
    own.refresh_from_db()
    assert own.role == Role.ADMIN
    other = f"/admin/workspaces/membership/{mine.ids['membership_id']}"
    assert browser.post(f"{other}/change/", {"role": "approver", "compliance": "on"}).status_code == 302
    assert Event.objects.filter(type="member.changed", stream__workspace_id=mine.workspace.pk).count() == 1
    assert browser.post(f"{other}/delete/", {"post": "yes"}).status_code == 302
    assert Event.objects.filter(type="member.removed").count() == 1
    cap = f"/admin/billing/cap/{mine.admin_ids['admin:billing_cap']}/change/"
    assert browser.post(cap, {"limit_micro": "70"}).status_code == 302
    assert Event.objects.filter(type="budget.changed", data__limit_micro=70_000_000).exists()


def test_no_secret_stands_anywhere_in_the_admin(mine: World) -> None:
    browser = browser_of(mine.admin)
    operator = member("ops", Role.VIEWER)
    operator.user.is_superuser = operator.user.is_staff = True  # type: ignore[union-attr]
    operator.user.save()  # type: ignore[union-attr]
    from genengine.workspaces.models import ApiKey, Invitation

    secrets = {
        ApiKey.objects.get(pk=mine.ids["key_id"]).secret_hash,
        Invitation.objects.get(pk=mine.ids["invitation_id"]).token_hash,
        "sealed",
        mine.admin.user.password or "unset-password",  # type: ignore[union-attr]
    }
    pages = [browser.get(f"/admin/{n.removeprefix('admin:').replace('_', '/', 1)}/{pk}/change/")
             for n, pk in mine.admin_ids.items()]  # fmt: skip
    pages.append(browser.get(f"/admin/workspaces/invitation/{mine.ids['invitation_id']}/change/"))
    pages.append(browser_of(operator).get(f"/operator/workspaces/user/{mine.admin.user.pk}/change/"))  # type: ignore[union-attr]
    for page in pages:
        assert page.status_code == 200
        assert not [secret for secret in secrets if secret in page.content.decode()]


def _send(browser: Client, row: Row, address: str) -> Any:
    body = BODIES.get(row.route, {}) | ({"seen": "1"} if row.route.startswith("plan-") else {})
    if row.method == "GET":
        return browser.get(address)
    options = {"content_type": "application/json"} if row.surface == Surface.API and row.route != "api-assets" else {}
    return getattr(browser, row.method.lower())(address, body, **options)


def _everything_of(world: World) -> str:
    rows = {m.__name__: list(m.objects.filter(workspace=world.workspace).order_by("pk").values()) for m in MODELS}  # type: ignore[attr-defined]
    return json.dumps(rows, default=str, sort_keys=True)


def _without_ids(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "correlation_id"}
