"""A restricted brief and all that comes of it: open to its author and to admins, to nobody else, on no surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from guardian.shortcuts import assign_perm

from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.services import launch, make_plan
from genengine.assets.media_urls import signed_media_url
from genengine.assets.models import Blob
from genengine.core import clock
from genengine.workspaces.models import Role
from genengine.workspaces.policy import LEAST_ROLE, RANK, NotAllowed, Principal
from genengine.workspaces.surfaces import TABLE, Row, Surface
from jobs.execution.models import Job, Take
from jobs.execution.services import pause_job
from jobs.timeline.sockets import Access, Close, Handshake, SocketRefused, open_socket
from tests.access_world import BODIES, World, browser_of, make_world, parameters_of
from tests.api.support import make_key, member
from tests.factories.jobs import make_principal

pytestmark = pytest.mark.django_db

CLOSED = {"brief_id", "job_id", "export_id"}  # an address with one of these is of the brief or of its job
TITLE = "Secret of aurora"


@dataclass
class Visitor:
    """Somebody at the door: a browser or a key, and whether the brief is theirs to open."""

    client: Client
    role: Role
    opens: bool
    headers: dict[str, str] = field(default_factory=dict)


def author(world: World) -> Principal:
    return make_principal(world.workspace, Role.EDITOR, email="author@aurora.example")


def by_session(role: Role, *, compliance: bool = False) -> Callable[[World], Visitor]:
    def make(world: World) -> Visitor:
        return Visitor(browser_of(member("aurora", role, compliance=compliance)), role, role == Role.ADMIN)

    return make


def by_key(role: Role) -> Callable[[World], Visitor]:
    def make(world: World) -> Visitor:
        key = make_key(world.workspace, role)
        return Visitor(Client(), role, role == Role.ADMIN, {"Authorization": f"Bearer {key}"})

    return make


def shared_with(world: World) -> Visitor:
    principal = make_principal(world.workspace, Role.VIEWER, email="friend@aurora.example")
    assign_perm("campaigns.share_brief", principal.user, world.brief)
    return Visitor(browser_of(principal), Role.VIEWER, opens=True)


VISITORS: dict[str, Callable[[World], Visitor]] = {
    "its author": lambda world: Visitor(browser_of(author(world)), Role.EDITOR, opens=True),
    "somebody it is shared with": shared_with,
    "an admin": by_session(Role.ADMIN),
    "another editor": by_session(Role.EDITOR),
    "an approver": by_session(Role.APPROVER),
    "a viewer with the compliance grant": by_session(Role.VIEWER, compliance=True),
    "an editor's key": by_key(Role.EDITOR),
    "an admin's key": by_key(Role.ADMIN),
    "an admin of another workspace": lambda world: Visitor(browser_of(member("nord", Role.ADMIN)), Role.ADMIN, False),
}


@pytest.fixture
def world() -> World:
    """One of everything, of an editor's brief that is restricted after its job was launched."""
    world = make_world("aurora")
    mine = author(world)
    Brief.objects.filter(pk=world.brief.pk).update(author=mine.user)
    Job.objects.filter(pk=world.job.pk).update(author=mine.user)
    world.brief.refresh_from_db()
    restrict(world, restricted=True)
    return world


def restrict(world: World, *, restricted: bool) -> None:
    update_brief(brief=world.brief, values={"restricted": restricted}, principal=world.admin, now=clock.now())


@pytest.mark.parametrize("who", VISITORS)
def test_every_address_of_it_is_closed_to_others_as_if_it_were_not_there(world: World, who: str) -> None:
    visitor = VISITORS[who](world)
    rows = [row for row in TABLE if row.surface in surfaces(visitor) and parameters_of(row.route) & CLOSED]
    wrong = []
    for row in rows:
        got = status(visitor, row, world)
        lacks = RANK[visitor.role] < RANK[LEAST_ROLE[row.action]] or (bool(visitor.headers) and got == 403)
        if (visitor.opens and got == 404) or (not visitor.opens and got != (403 if lacks else 404)):
            wrong.append(f"{row}: {got}")
    assert len(rows) > 20
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", VISITORS)
def test_no_list_count_or_link_tells_others_of_it(world: World, who: str) -> None:
    visitor = VISITORS[who](world)
    tokens = [signed_media_url(blob).rpartition("/")[2] for blob in Blob.objects.filter(pk=take_of(world).blob_id)]
    told = []
    for row in TABLE:
        mine = row.surface in surfaces(visitor) and not parameters_of(row.route) & (CLOSED | {"kit_id", "account_id"})
        if not mine or row.method != "GET" or row.surface == Surface.ADMIN:
            continue
        text = visitor.client.get(world.url(row), headers=visitor.headers).content.decode()
        if TITLE in text or str(world.job.pk) in text or any(token in text for token in tokens):
            told.append(str(row))
    assert bool(told) == visitor.opens, told


def test_the_counts_of_the_overview_and_its_next_step_leave_it_out(world: World) -> None:
    other = browser_of(member("aurora", Role.EDITOR)).get("/w/aurora/").context["overview"]
    assert (other.active, other.waiting, other.jobs, other.briefs) == (0, 0, [], [])
    own = browser_of(author(world)).get("/w/aurora/").context["overview"]
    assert own.active == 1


def test_the_admin_lists_and_finds_it_for_admins_only(world: World) -> None:
    grant = browser_of(member("aurora", Role.VIEWER, compliance=True))
    for address in ("/admin/jobs/job/", "/admin/jobs/job/?q=Secret", f"/admin/jobs/job/?q={world.job.pk}"):
        answer = grant.get(address)
        assert answer.status_code == 200
        assert f">{TITLE}</a>" not in answer.content.decode()
        assert f">{TITLE}</a>" in browser_of(world.admin).get(address).content.decode()
    assert grant.get(f"/admin/jobs/job/{world.job.pk}/change/").status_code == 404
    assert grant.get(f"/admin/jobs/job/{world.job.pk}/history/").status_code == 404
    assert browser_of(world.admin).get(f"/admin/jobs/job/{world.job.pk}/change/").status_code == 200


def test_its_socket_is_not_there_for_others_and_ends_for_those_who_had_it(world: World) -> None:
    other, mine = member("aurora", Role.EDITOR), author(world)
    assert socket(mine, world).job.pk == world.job.pk
    with pytest.raises(SocketRefused) as refused:
        socket(other, world)
    assert refused.value.code == Close.NO_SUCH_JOB
    restrict(world, restricted=False)
    open_one = socket(other, world)
    open_one.still_open(clock.now())
    restrict(world, restricted=True)
    with pytest.raises(SocketRefused) as ended:
        open_one.still_open(clock.now())
    assert ended.value.code == Close.NO_SUCH_JOB


def test_a_ticket_that_was_taken_before_opens_nothing_after(world: World) -> None:
    restrict(world, restricted=False)
    other = browser_of(member("aurora", Role.EDITOR))
    ticket = other.post(f"/api/v1/jobs/{world.job.pk}/ticket", content_type="application/json").json()["ticket"]
    restrict(world, restricted=True)
    with pytest.raises(SocketRefused) as refused:
        open_socket(Handshake({}, {"ticket": ticket}, ""), world.job.pk, clock.now())
    assert refused.value.code == Close.NO_SUCH_JOB


def test_services_refuse_who_holds_the_row_from_before(world: World) -> None:
    other = member("aurora", Role.EDITOR)
    with pytest.raises(NotAllowed, match="restricted to its author"):
        pause_job(job=world.job, principal=other, now=clock.now())
    pause_job(job=world.job, principal=author(world), now=clock.now())


def test_a_job_launched_from_a_restricted_brief_is_restricted_and_opened_with_it(world: World) -> None:
    mine = author(world)
    update_brief(brief=world.brief, values={"cap_micro": 10_000_000}, principal=mine, now=clock.now())
    revision = make_plan(brief=world.brief, principal=mine, now=clock.now())
    job = launch(revision=revision, principal=world.admin, now=clock.now())
    assert (job.restricted, job.author) == (True, mine.user)
    other = browser_of(member("aurora", Role.VIEWER))
    address = f"/api/v1/jobs/{job.pk}"
    assert other.get(address).status_code == 404
    restrict(world, restricted=False)
    assert other.get(address).json()["job"]["restricted"] is False


def test_the_migration_lets_jobs_of_before_follow_their_briefs(world: World) -> None:
    Job.objects.filter(pk=world.job.pk).update(restricted=False, author=None)
    import_module("campaigns.migrations.0005_jobs_follow_their_briefs").follow(apps, None)
    job = Job.objects.get(pk=world.job.pk)
    assert (job.restricted, job.author) == (True, author(world).user)


def surfaces(visitor: Visitor) -> tuple[Surface, ...]:
    return (Surface.API,) if visitor.headers else (Surface.PAGE, Surface.API)


def take_of(world: World) -> Take:
    return Take.objects.get(pk=world.ids["take_id"])


def socket(principal: Principal, world: World) -> Access:
    cookie = browser_of(principal).cookies["sessionid"].value
    headers = {"host": "localhost", "origin": "http://localhost", "cookie": f"sessionid={cookie}"}
    return open_socket(Handshake(headers, {}, ""), world.job.pk, clock.now())


def status(visitor: Visitor, row: Row, world: World) -> int:
    """Ask, take back whatever it did, and return the status of the answer."""
    body = BODIES.get(row.route, {}) | ({"seen": "1"} if row.route.startswith("plan-") else {})
    options: dict[str, Any] = {"headers": visitor.headers}
    if row.surface == Surface.API and row.method != "GET":
        options["content_type"] = "application/json"
    send = getattr(visitor.client, row.method.lower())
    with transaction.atomic():
        answer = send(world.url(row), body, **options) if row.method != "GET" else send(world.url(row), **options)
        transaction.set_rollback(True)
    return int(answer.status_code)
