"""The render server and its client, over a real socket between real processes."""

from __future__ import annotations

import hashlib
import json
import signal
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from genengine.media import RenderCancelled, SpecError, compile
from genengine.media.remote.client import RemoteEngine, RemoteRefused, RemoteRenderFailed, RemoteUnavailable
from genengine.media.remote.engine import Order
from genengine.media.remote.service import RenderService, ServerOptions, UnsafeServer
from tests.media.support import CAN, MUSIC, RANGE, TURNTABLE, image_spec, small_output
from tests.support.processes import wait_for
from tests.support.render_server import OTHER_TOKEN, TOKEN, Running

pytestmark = pytest.mark.slow
LONG = 60 * 30
ANYTHING = {"brand_safe": False}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fresh_key() -> str:
    return uuid.uuid4().hex


def still_spec(frames: int) -> dict[str, Any]:
    return image_spec(frames, constraints=ANYTHING)


def rich_spec() -> dict[str, Any]:
    """Pictures, a film, a card, captions, music: everything that could differ between two machines."""
    segments = [
        {
            "type": "image",
            "asset": "can",
            "duration_frames": 20,
            "motion": {"from": {"zoom": 1.0}, "to": {"zoom": 1.2}},
        },
        {"type": "video", "asset": "film", "duration_frames": 20, "transition": {"type": "crossfade", "frames": 6}},
        {"type": "text", "headline": "Slow mornings", "duration_frames": 15},
    ]
    return {
        "version": "1.0",
        "output": small_output(),
        "assets": {"can": {"kind": "image"}, "film": {"kind": "video"}, "bed": {"kind": "audio"}},
        "segments": segments,
        "captions": {"cues": [{"start_frame": 5, "end_frame": 40, "text": "Grüße, 早安"}]},
        "audio": {"bed": {"asset": "bed"}},
        "constraints": ANYTHING,
    }


RICH_FILES = {"can": CAN, "film": TURNTABLE, "bed": MUSIC}


def put(server: Running, path: Path) -> str:
    digest = sha256(path)
    assert server.call("PUT", f"/v1/blobs/{digest}", data=path.read_bytes()).status_code == 201
    return digest


def order(server: Running, spec: dict[str, Any], assets: dict[str, str], key: str | None = None) -> requests.Response:
    headers = {"Idempotency-Key": key or fresh_key()}
    return server.call("POST", "/v1/renders", json={"spec": spec, "assets": assets}, headers=headers)


def status(server: Running, render_id: str) -> dict[str, Any]:
    values: dict[str, Any] = server.call("GET", f"/v1/renders/{render_id}").json()
    return values


def state_is(server: Running, render_id: str, *states: str) -> bool:
    return status(server, render_id)["state"] in states


def test_the_same_spec_gives_the_same_bytes_here_and_there(server: Running, tmp_path: Path) -> None:
    here = compile(rich_spec(), RICH_FILES, tmp_path / "here.mp4")
    seen: list[tuple[int, int]] = []
    there = server.engine().render(
        Order(rich_spec(), RICH_FILES, fresh_key()), tmp_path / "there.mp4", progress=lambda *step: seen.append(step)
    )
    assert there.sha256 == here.sha256 == sha256(tmp_path / "there.mp4")
    assert (tmp_path / "there.jpg").read_bytes() == (tmp_path / "here.jpg").read_bytes()
    assert there.warnings == here.warnings
    assert there.loudness_lufs == here.loudness_lufs
    assert seen[-1] == (55, 55)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here.jpg", "here.mp4", "there.jpg", "there.mp4"]


def test_a_file_that_is_there_is_not_sent_again(server: Running, tmp_path: Path) -> None:
    engine, sent = server.engine(), []
    session = server.session
    original = session.request

    def count(method: str, url: str, **options: Any) -> requests.Response:
        sent.append(method)
        return original(method, url, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "request", count)
        for number in range(2):
            engine.render(Order(still_spec(number + 7), {"can": RANGE}, fresh_key()), tmp_path / f"{number}.mp4")
    assert sent.count("PUT") == 1


def test_the_same_key_gives_the_same_render(server: Running) -> None:
    digest, key = put(server, CAN), fresh_key()
    first, second = (order(server, still_spec(9), {"can": digest}, key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert order(server, still_spec(9), {"can": digest}).json()["id"] != first.json()["id"]


def test_refuses_a_missing_or_wrong_token_and_says_what_to_send(server: Running, tmp_path: Path) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        for method, path in (("GET", f"/v1/renders/{'0' * 32}"), ("PUT", f"/v1/blobs/{'0' * 64}")):
            body = b"x" * 100 if method == "PUT" else None
            reply = server.session.request(method, server.url + path, headers=headers, data=body, timeout=60)
            assert reply.status_code == 401
            assert reply.headers["content-type"] == "application/problem+json"
            assert "RENDER_SERVER_TOKENS" in reply.json()["fix"]
    wrong = RemoteEngine(server.url, "wrong", session=server.session)
    with pytest.raises(RemoteRefused):
        wrong.render(Order(still_spec(5), {"can": CAN}), tmp_path / "x.mp4")
    assert list(tmp_path.iterdir()) == []


def test_health_is_told_in_full_only_to_whoever_has_the_token(server: Running) -> None:
    assert server.session.get(f"{server.url}/healthz", timeout=60).json() == {"status": "ok"}
    told = server.engine().health()
    assert {"build", "processor", "disk_free_bytes", "queued", "rendering"} <= set(told)


def test_refuses_bytes_that_do_not_have_the_digest_of_their_address(server: Running) -> None:
    claimed = hashlib.sha256(b"what I claim to have").hexdigest()
    reply = server.call("PUT", f"/v1/blobs/{claimed}", data=b"something else")
    assert (reply.status_code, reply.json()["code"]) == (422, "digest_mismatch")
    assert server.call("HEAD", f"/v1/blobs/{claimed}").status_code == 404
    missing = order(server, still_spec(5), {"can": claimed})
    assert (missing.status_code, missing.json()["missing"]) == (409, [claimed])


def test_refuses_a_file_over_the_limit(start_server: Callable[..., Running], tmp_path: Path) -> None:
    small = start_server(RENDER_SERVER_UPLOAD_MB="1")
    body = b"0" * ((1 << 20) + 1)
    address = f"/v1/blobs/{hashlib.sha256(body).hexdigest()}"
    assert small.call("PUT", address, data=body).status_code == 413
    assert small.call("PUT", address, data=iter([body[:1000], body[1000:]])).status_code == 413
    assert small.call("HEAD", address).status_code == 404
    assert list((small.folder / "spool").iterdir()) == []


def test_one_token_neither_sees_nor_uses_what_another_put_there(server: Running) -> None:
    digest = put(server, CAN)
    mine = order(server, still_spec(6), {"can": digest}).json()["id"]
    assert server.call("HEAD", f"/v1/blobs/{digest}", token=OTHER_TOKEN).status_code == 404
    assert server.call("GET", f"/v1/renders/{mine}", token=OTHER_TOKEN).status_code == 404
    assert server.call("POST", f"/v1/renders/{mine}/cancel", token=OTHER_TOKEN).status_code == 404
    assert server.call("GET", f"/v1/renders/{mine}/result", token=OTHER_TOKEN).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/blobs/../../renders",
        "/v1/blobs/..%2f..%2fetc%2fpasswd",
        "/v1/renders/..%2f..%2fstate",
        f"/v1/renders/{'0' * 31}./result",
        "/v1/renders//result",
        "/etc/passwd",
    ],
)
def test_no_address_leads_to_another_file(server: Running, path: str) -> None:
    request = requests.Request("GET", server.url, headers={"Authorization": f"Bearer {TOKEN}"}).prepare()
    request.url = server.url + path  # as it is: the client would tidy it up
    assert server.session.send(request, timeout=60).status_code in (404, 405)


def test_refuses_a_file_name_in_place_of_a_digest(server: Running) -> None:
    reply = order(server, still_spec(5), {"can": "../../../../etc/passwd"})
    assert (reply.status_code, reply.json()["problems"][0]["path"]) == (422, "$.assets.can")


def test_a_wrong_spec_comes_back_with_path_and_fix(server: Running, tmp_path: Path) -> None:
    wrong = still_spec(5)
    wrong["segments"][0]["duration_frames"] = "five"
    with pytest.raises(SpecError) as refused:
        RemoteEngine(server.url, TOKEN, session=server.session)._order(Order(wrong, {}), {}, lambda call: call())  # type: ignore[arg-type]
    assert refused.value.problems[0].path == "$.segments[0].duration_frames"
    assert refused.value.problems[0].fix
    reply = order(server, still_spec(5), {"can": put(server, MUSIC)})
    assert reply.status_code == 422, "the lint looks at the files too"
    assert all(problem["path"] and problem["fix"] for problem in reply.json()["problems"])


def test_a_result_is_sent_in_ranges_with_its_digest(server: Running) -> None:
    render_id = order(server, still_spec(12), {"can": put(server, CAN)}).json()["id"]
    wait_for(lambda: state_is(server, render_id, "done"), within_s=120)
    whole = server.call("GET", f"/v1/renders/{render_id}/result")
    assert whole.headers["x-content-sha256"] == hashlib.sha256(whole.content).hexdigest()
    part = server.call("GET", f"/v1/renders/{render_id}/result", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert status(server, render_id)["report"]["sha256"] == whole.headers["x-content-sha256"]


def test_a_download_that_broke_goes_on_where_it_stopped(server: Running, tmp_path: Path) -> None:
    render_id = order(server, still_spec(13), {"can": put(server, CAN)}).json()["id"]
    wait_for(lambda: state_is(server, render_id, "done"), within_s=120)
    whole = server.call("GET", f"/v1/renders/{render_id}/result").content
    part = tmp_path / "part"
    part.write_bytes(whole[:100])
    engine = server.engine()
    engine._download(f"/v1/renders/{render_id}/result", part)
    assert part.read_bytes() == whole
    engine._download(f"/v1/renders/{render_id}/result", part)
    assert part.read_bytes() == whole, "a whole file stays as it is"


def test_a_result_with_other_bytes_is_not_taken(server: Running, tmp_path: Path) -> None:
    asked = Order(still_spec(14), {"can": CAN}, fresh_key())
    server.engine().render(asked, tmp_path / "good.mp4")
    for stored in (server.folder / "renders").glob("*/result.mp4"):
        stored.write_bytes(b"not what was rendered")
    with pytest.raises(RemoteRenderFailed, match="digest"):
        server.engine().render(asked, tmp_path / "bad.mp4")
    assert not (tmp_path / "bad.mp4").exists()


def children_of(server: Running) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children(recursive=True)


def test_a_cancel_ends_the_work_and_its_processes(server: Running, tmp_path: Path) -> None:
    begun = {"done": 0}

    def progress(done: int, _: int) -> None:
        begun["done"] = done

    with pytest.raises(RenderCancelled):
        server.engine(poll_s=0.1).render(
            Order(still_spec(LONG), {"can": CAN}, fresh_key()), tmp_path / "x.mp4",
            progress=progress, cancelled=lambda: begun["done"] > 0,
        )  # fmt: skip
    wait_for(lambda: children_of(server) == [], within_s=60, what="the end of the render's processes")
    wait_for(lambda: server.engine().health()["rendering"] == 0, within_s=60)
    assert list((server.folder / "work").iterdir()) == []
    rows = [json.loads(p.read_text()) for p in (server.folder / "renders").glob("*/render.json")]
    assert max(rows, key=lambda row: row["created_at"])["state"] == "cancelled"
    assert list(tmp_path.iterdir()) == []


def test_what_waits_is_cancelled_without_being_begun_and_a_full_line_refuses(
    start_server: Callable[..., Running],
) -> None:
    small = start_server(RENDER_SERVER_QUEUE="1")
    digest = put(small, CAN)
    running = order(small, still_spec(LONG), {"can": digest}).json()["id"]
    wait_for(lambda: state_is(small, running, "rendering"), within_s=60)
    waiting = order(small, still_spec(LONG - 1), {"can": digest}).json()["id"]
    full = order(small, still_spec(LONG - 2), {"can": digest})
    assert (full.status_code, full.json()["code"]) == (503, "queue_full")
    assert float(full.headers["retry-after"]) > 0
    assert small.call("POST", f"/v1/renders/{waiting}/cancel").json()["state"] == "cancelled"
    assert order(small, still_spec(LONG - 2), {"can": digest}).status_code == 202, "there is room again"


def test_a_killed_server_takes_its_renders_with_it_and_makes_them_after_a_restart(
    start_server: Callable[..., Running], tmp_path: Path
) -> None:
    first = start_server()
    digest = put(first, CAN)
    long = order(first, still_spec(LONG), {"can": digest}).json()["id"]
    short = order(first, still_spec(11), {"can": digest}).json()["id"]
    wait_for(lambda: status(first, long)["frames_done"] > 0, within_s=120)
    orphans = children_of(first)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(30)
    wait_for(lambda: not any(p.is_running() and p.status() != "zombie" for p in orphans), within_s=60)
    second = start_server(folder=first.folder.parent)
    assert status(second, short)["state"] in ("queued", "rendering", "done")
    wait_for(lambda: state_is(second, long, "rendering"), within_s=60)
    second.call("POST", f"/v1/renders/{long}/cancel")
    wait_for(lambda: state_is(second, short, "done"), within_s=120)
    assert state_is(second, long, "cancelled")


def test_a_server_that_dies_in_the_middle_is_told_as_unavailable(
    start_server: Callable[..., Running], tmp_path: Path
) -> None:
    dying = start_server()

    def kill_once(done: int, _: int) -> None:
        if done and dying.process.poll() is None:
            dying.process.send_signal(signal.SIGKILL)
            dying.process.wait(30)

    with pytest.raises(RemoteUnavailable, match="does not answer"):
        dying.engine(poll_s=0.1, patience_s=1.0).render(
            Order(still_spec(LONG), {"can": CAN}, fresh_key()), tmp_path / "x.mp4", progress=kill_once
        )
    assert list(tmp_path.iterdir()) == []


def test_a_render_that_cannot_be_made_says_why(start_server: Callable[..., Running], tmp_path: Path) -> None:
    broken = start_server(GE_FFMPEG=str(tmp_path / "no-ffmpeg"))
    with pytest.raises(RemoteRenderFailed, match="GE_FFMPEG"):
        broken.engine().render(Order(rich_spec(), RICH_FILES, fresh_key()), tmp_path / "x.mp4")
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_start_without_a_token_that_cannot_be_guessed(tmp_path: Path) -> None:
    for tokens in ((), ("short",)):
        with pytest.raises(UnsafeServer):
            RenderService(ServerOptions(tokens=tokens, folder=tmp_path, port=0))


def test_old_results_and_unused_files_go_and_what_a_render_waits_for_stays(tmp_path: Path) -> None:
    service = RenderService(ServerOptions(tokens=(TOKEN,), folder=tmp_path, port=0, keep_bytes=0, keep_s=0.0))
    owner = service.owner_of(f"Bearer {TOKEN}")
    assert owner is not None
    for path in (CAN, RANGE):
        service.keep_blob(owner, sha256(path), path, sha256(path))
    body = json.dumps({"spec": still_spec(5), "assets": {"can": sha256(CAN)}}).encode()
    waiting = service.order(owner, body, "one")
    service.sweep()
    assert service.has_blob(owner, sha256(CAN))
    assert not service.has_blob(owner, sha256(RANGE))
    service.cancel(owner, waiting.id)
    service.sweep()
    assert not service.has_blob(owner, sha256(CAN))
    assert not (tmp_path / "renders" / waiting.id).exists()
