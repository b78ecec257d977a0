"""`/ws/jobs/{id}` on a real daphne with a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client
from websockets.asyncio.client import ClientConnection as AsyncSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from campaigns.briefs.services import create_brief, update_brief
from genengine.core import clock
from genengine.core.events.queries import last_sequence
from genengine.workspaces.models import ApiKey, Membership, Role
from genengine.workspaces.policy import Principal
from genengine.workspaces.services import remove_member, revoke_api_key
from jobs.execution.models import Job
from jobs.execution.services import pause_job, resume_job
from tests.api.conftest import Web
from tests.api.support import make_key, member, partner
from tests.factories.jobs import make_job
from tests.support.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 20  # less than the 30 s after which a socket asks for its rights by itself


def read(socket: ClientConnection, until: int) -> list[dict[str, Any]]:
    """Read messages up to a sequence number."""
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["seq"] < until:
        messages.append(json.loads(socket.recv(timeout=PATIENCE_S)))
    return messages


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages]


def close_code(socket: ClientConnection) -> int:
    """Return the code with which the server closes."""
    try:
        while True:
            socket.recv(timeout=PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


def churn(job: Job, principal: Principal, times: int = 1) -> int:
    """Let things happen to a job; return the number of the last event."""
    for _ in range(times):
        pause_job(job=job, principal=principal, now=clock.now())
        resume_job(job=job, principal=principal, now=clock.now())
    return last_sequence(subject_id=job.pk)


def bearer(principal: Principal, **options: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {make_key(principal.workspace, **options)}"}


def session_of(principal: Principal) -> dict[str, str]:
    client = Client()
    assert principal.user is not None
    client.force_login(principal.user, backend="django.contrib.auth.backends.ModelBackend")
    return {"cookie": f"sessionid={client.cookies['sessionid'].value}"}


def test_tells_every_event_once_in_order_past_and_coming(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    past = last_sequence(subject_id=job.pk)
    with web.socket(job.pk, **bearer(editor)) as socket:
        assert numbers(read(socket, past)) == list(range(1, past + 1))
        last = churn(job, editor, times=3)
        coming = read(socket, last)
        assert numbers(coming) == list(range(past + 1, last + 1))
        first = coming[0]
        assert first["type"] == "job.paused"
        assert {"stage", "percentage", "message", "clip_index", "cost", "seq", "at", "data"} <= set(first)
        assert first["message"] == "Job paused"
        assert first["cost"] == {"amount_micro": 0, "currency": "USD", "display": "$0.00"}
        clip = next(m for m in coming if m["type"] == "clip.paused")
        assert (clip["clip_index"], clip["stage"]) == (0, "Paused")


def test_goes_on_after_the_number_where_a_client_stopped(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    key = bearer(editor)
    with web.socket(job.pk, **key) as socket:
        stopped = read(socket, 3)[2]["seq"]
    last = churn(job, editor)
    with web.socket(job.pk, query=f"?after={stopped}", **key) as socket:
        assert numbers(read(socket, last)) == list(range(stopped + 1, last + 1))


def test_a_member_watches_by_session_from_our_own_origin_only(web: Web) -> None:
    viewer = member(role=Role.VIEWER)
    job = make_job(member())
    cookie = session_of(viewer)
    with web.socket(job.pk, origin=web.address, **cookie) as socket:
        assert numbers(read(socket, 1)) == [1]
    for origin in ("http://evil.example", f"http://127.0.0.1:{web.port + 1}", None):
        headers = cookie | ({"origin": origin} if origin else {})
        with web.socket(job.pk, **headers) as socket:
            assert close_code(socket) == 4403


def test_nobody_else_learns_whether_a_job_exists(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    stranger = member("nord")
    nowhere = "00000000-0000-4000-8000-000000000000"
    for pk in (job.pk, nowhere):
        with web.socket(pk, **bearer(stranger)) as socket:
            assert close_code(socket) == 4404
        with web.socket(pk, origin=web.address, **session_of(stranger)) as socket:
            assert close_code(socket) == 4404
        with web.socket(pk, origin=web.address) as socket:
            assert close_code(socket) == 4401
        with web.socket(pk, authorization="Bearer ge_0000000000_" + "A" * 43) as socket:
            assert close_code(socket) == 4401
    with web.socket(job.pk, **bearer(editor, scopes=["briefs"])) as socket:
        assert close_code(socket) == 4403


def test_an_unknown_socket_address_is_closed_and_breaks_nothing(web: Web) -> None:
    with web.socket("not-a-job") as socket:
        assert close_code(socket) == 4404


def test_a_ticket_opens_one_socket_once(web: Web) -> None:
    editor = member()
    job, other = make_job(editor), make_job(editor)
    api = partner(editor.workspace)
    given = api.post(f"jobs/{job.pk}/ticket").json()
    with web.socket(other.pk, query=f"?ticket={given['ticket']}") as socket:
        assert close_code(socket) == 4401
    with web.socket(job.pk, query=f"?ticket={given['ticket']}&after=0") as socket:
        assert numbers(read(socket, 2)) == [1, 2]
        with web.socket(job.pk, query=f"?ticket={given['ticket']}") as second:
            assert close_code(second) == 4401


def test_a_member_who_is_removed_loses_the_open_socket_at_once(web: Web) -> None:
    admin, viewer = member(role=Role.ADMIN), member(role=Role.VIEWER)
    job = make_job(admin)
    with web.socket(job.pk, origin=web.address, **session_of(viewer)) as socket:
        read(socket, 1)
        membership = Membership.objects.get(user=viewer.user)
        remove_member(membership=membership, principal=admin, now=clock.now())
        assert close_code(socket) == 4404


def test_a_member_loses_the_open_socket_at_once_when_its_brief_is_restricted(web: Web) -> None:
    admin, viewer = member(role=Role.ADMIN), member(role=Role.VIEWER)
    brief = create_brief(principal=admin, now=clock.now(), values={"title": "Secret", "script": "One."})
    job = make_job(admin)
    Job.objects.filter(pk=job.pk).update(brief_id=brief.pk, author=admin.user)
    with (
        web.socket(job.pk, origin=web.address, **session_of(viewer)) as socket,
        web.socket(job.pk, origin=web.address, **session_of(admin)) as own,
    ):
        read(socket, 1)
        read(own, 1)
        update_brief(brief=brief, values={"restricted": True}, principal=admin, now=clock.now())
        assert close_code(socket) == 4404
        read(own, churn(job, admin))


def test_a_revoked_key_loses_the_open_socket_at_once(web: Web) -> None:
    admin = member(role=Role.ADMIN)
    job = make_job(admin)
    with web.socket(job.pk, **bearer(admin)) as socket:
        read(socket, 1)
        revoke_api_key(key=ApiKey.objects.get(), principal=admin, now=clock.now())
        assert close_code(socket) == 4401


def test_events_arrive_without_a_hint_and_after_the_hub_lost_its_connection(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    with web.socket(job.pk, **bearer(editor)) as socket:
        past = last_sequence(subject_id=job.pk)
        read(socket, past)
        wait_for(_end_listeners, what="the listener")
        last = churn(job, editor)
        assert numbers(read(socket, last)) == list(range(past + 1, last + 1))
        last_again = churn(job, editor)
        assert numbers(read(socket, last_again)) == list(range(last + 1, last_again + 1))


def test_two_hundred_sockets_miss_nothing(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    past = last_sequence(subject_id=job.pk)
    each = churn(job, editor) - past
    past, churns = past + each, 5
    coming = list(range(past + 1, past + 1 + churns * each))

    async def watch_all() -> list[list[int]]:
        gate = asyncio.Semaphore(10)
        sockets = await asyncio.gather(*(_open(gate, web, job, key, past) for _ in range(200)))
        try:
            happening = asyncio.get_running_loop().run_in_executor(None, _in_own_connection, job, editor, churns)
            seen = await asyncio.gather(*(_numbers(socket, coming[-1]) for socket in sockets))
            await happening
        finally:
            await asyncio.gather(*(socket.close() for socket in sockets))
        return seen

    key = bearer(editor)
    assert asyncio.run(watch_all()) == [coming] * 200


async def _open(gate: asyncio.Semaphore, web: Web, job: Job, key: dict[str, str], after: int) -> AsyncSocket:
    address = f"ws://127.0.0.1:{web.port}/ws/jobs/{job.pk}?after={after}"
    headers = {"Authorization": key["authorization"]}
    async with gate:
        return await connect(address, additional_headers=headers, ping_interval=None, open_timeout=60, proxy=None)


async def _numbers(socket: AsyncSocket, until: int) -> list[int]:
    seen: list[int] = []
    while not seen or seen[-1] < until:
        seen.append(json.loads(await asyncio.wait_for(socket.recv(), 60))["seq"])
    return seen


def _in_own_connection(job: Job, editor: Principal, churns: int) -> None:
    try:
        churn(job, editor, churns)
    finally:
        connection.close()


def test_a_long_poll_is_answered_by_the_next_event_and_holds_nothing_while_it_waits(web: Web) -> None:
    editor = member()
    job = make_job(editor)
    key = bearer(editor)
    last = last_sequence(subject_id=job.pk)
    address = f"{web.address}/api/v1/jobs/{job.pk}/events?after={last}"

    def ask(url: str) -> tuple[float, list[int]]:
        start = time.monotonic()
        answer = requests.get(url, headers={"Authorization": key["authorization"]}, timeout=60)
        return time.monotonic() - start, [event["seq"] for event in answer.json()["events"]]

    took, seen = ask(f"{address}&wait=1")
    assert took >= 1
    assert seen == []
    with ThreadPoolExecutor(32) as pool:
        waiting = [pool.submit(ask, f"{address}&wait=30") for _ in range(30)]  # more than there are connections
        first, _ = ask(f"{web.address}/api/v1/jobs/{job.pk}/events?after=0")
        churn(job, editor)
        answers = [future.result(60) for future in waiting]
    assert first < 15
    assert all(numbers and numbers[0] == last + 1 for _, numbers in answers)
    assert max(took for took, _ in answers) < 29


def _end_listeners() -> int:
    """End the hub's connection as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
        return len(cursor.fetchall())
