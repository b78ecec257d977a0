"""Engine policies on real jobs: the steps that workers take are called as they call them, against a real render server.

Nothing here waits for a broken engine longer than it must: the patience with a dead server is cut to a moment.
"""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns.delivery.checklist import open_points
from campaigns.review.services import ApprovalRefused, approve
from genengine.assets.services import blob_to_path
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.media import probe
from genengine.media.ffmpeg import binaries
from genengine.workspaces.policy import Principal
from genengine.workspaces.services.spaces import SettingsInvalid, update_workspace
from jobs.execution import tasks
from jobs.execution.models import Attempt, Clip, Job, Master, TakeKind
from jobs.execution.services import rerun_clip
from jobs.execution.services.dispatching import dispatch_clip
from jobs.timeline.words import say
from providers import engines
from tests.factories.jobs import make_job, make_plan, make_principal, make_workspace
from tests.media.support import CAN, image_spec, small_output
from tests.support.processes import wait_for
from tests.support.render_server import TOKEN, Running, closed_address, running_server

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
TRIES = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_server(tmp_path_factory.mktemp("render-server")) as running:
        yield running


@pytest.fixture(autouse=True)
def small_and_quick(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GE_MASTER_SCALE = 0.2
    settings.GE_WORK_DIR, settings.GE_CACHE_DIR = tmp_path / "work", tmp_path / "cache"
    settings.REMOTE_ENGINE_TOKEN = TOKEN
    monkeypatch.setattr(engines, "PATIENCE_S", 0.3)
    monkeypatch.setenv("GE_MODELS", "0")  # who renders is the question here, not where the subject stands


@pytest.fixture
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine whose ffmpeg is gone."""
    monkeypatch.setenv("GE_FFMPEG", str(tmp_path / "no-ffmpeg"))
    binaries.ffmpeg.cache_clear()
    yield
    binaries.ffmpeg.cache_clear()


def start(policy: str = "") -> tuple[Principal, Job]:
    principal = make_principal(make_workspace(f"engines-{policy or 'none'}".replace("_", "-"), engine_policy=policy))
    return principal, make_job(principal, make_plan(scenes=2, scene_ms=1000))


def make_clips(job: Job) -> None:
    """What pump and media workers do until no clip is under way; the pauses between tries are skipped."""
    while queued := list(Clip.objects.filter(job=job, state="queued")):
        for clip in queued:
            dispatch_clip(clip_id=clip.pk, now=clock.now() + timedelta(minutes=5))
        while waiting := list(Attempt.objects.filter(job=job, state="intent")):
            for attempt in waiting:
                tasks.render_attempt(attempt.pk)


def compose(job: Job) -> Master:
    """What media workers do until the master is at rest."""
    master = Master.objects.get(job=job)
    for _ in range(TRIES + 1):
        if master.state != "pending":
            break
        tasks.compose_master(master.pk)
        master.refresh_from_db()
    return master


def events(job: Job, type: str) -> list[Event]:
    return list(Event.objects.filter(stream__subject_id=job.pk, type=type).order_by("seq"))


def renders_of(server: Running) -> set[str]:
    return {path.name for path in (server.folder / "renders").iterdir()}


def occupy(server: Running) -> None:
    """Let the server's only place be taken for long, so that what follows waits in the line."""
    digest = hashlib.sha256(CAN.read_bytes()).hexdigest()
    assert server.call("PUT", f"/v1/blobs/{digest}", data=CAN.read_bytes()).status_code == 201
    long = image_spec(1800, constraints={"brand_safe": False}, output=small_output(width=540, height=960))
    body = {"spec": long, "assets": {"can": digest}}
    taken = server.call("POST", "/v1/renders", json=body, headers={"Idempotency-Key": "occupant"})
    assert taken.status_code == 202
    wait_for(lambda: server.engine().health()["rendering"] == 1, within_s=60, what="the long render")


def check_video(master: Master, folder: Path) -> None:
    assert master.blob is not None
    media = probe(blob_to_path(master.blob, folder))
    assert media.video is not None
    assert (media.video.width, media.video.height) == (216, 384)
    assert float(media.duration_s) == pytest.approx(2.0, abs=0.01)
    assert media.audio is not None


def check_never_passes(master: Master, principal: Principal) -> None:
    assert master.has_fallback
    with pytest.raises(ApprovalRefused):
        approve(master=master, principal=principal, now=clock.now())
    assert open_points([master])


def test_a_machine_in_ill_health_hands_clips_and_masters_to_the_remote_engine_and_says_so(
    server: Running, settings: Any, tmp_path: Path
) -> None:
    settings.REMOTE_ENGINE_URL = server.url
    settings.GE_RENDER_MIN_FREE_MB = 1 << 40
    _, job = start("local_preferred")
    make_clips(job)
    master = compose(job)
    assert master.state == "ready", master.failure
    check_video(master, tmp_path)
    assert not master.has_fallback, "a video of the remote engine is the real one"
    assert master.report is not None
    assert master.report["engine_used"] == "remote"
    assert "MB" in master.report["switches"][0]["reason"]
    for attempt in Attempt.objects.filter(job=job):
        assert attempt.details["engine"]["engine_used"] == "remote"
    switched = events(job, "attempt.engine_switched") + events(job, "master.engine_switched")
    assert len(switched) == 3
    for event in switched:
        sentence, tone = say(event)
        assert "remote engine" in sentence
        assert "not healthy" in sentence
        assert tone == "warn"


def test_api_only_renders_on_the_remote_engine_though_this_machine_is_well(server: Running, settings: Any) -> None:
    settings.REMOTE_ENGINE_URL = server.url
    _, job = start("api_only")
    make_clips(job)
    master = compose(job)
    assert master.state == "ready", master.failure
    assert master.report is not None
    assert (master.report["engine_used"], master.report["engine_policy"]) == ("remote", "api_only")
    assert master.spec is not None
    assert master.spec["constraints"]["engine_policy"] == "api_only"
    assert events(job, "master.engine_switched") == []


def test_local_only_renders_here_whatever_the_remote_engine_could(server: Running, settings: Any) -> None:
    settings.REMOTE_ENGINE_URL = server.url
    settings.GE_RENDER_MIN_FREE_MB = 1 << 40
    before = renders_of(server)
    _, job = start("local_only")
    make_clips(job)
    master = compose(job)
    assert master.state == "ready", master.failure
    assert master.report is not None
    assert master.report["engine_used"] == "local"
    assert renders_of(server) == before


def test_when_both_engines_are_broken_a_usable_video_stands_in_with_the_reasons(
    no_ffmpeg: None, settings: Any, tmp_path: Path
) -> None:
    with closed_address() as url:
        settings.REMOTE_ENGINE_URL = url
        principal, job = start("local_preferred")
        make_clips(job)
        takes = [clip.selected_take for clip in Clip.objects.filter(job=job)]
        assert {take.kind for take in takes if take} == {TakeKind.FALLBACK}
        assert len(events(job, "branch.fallback")) == 2
        stood_in = Attempt.objects.filter(job=job, fallback=True)
        assert {a.details["engine"]["engine_used"] for a in stood_in} == {"stand_in"}
        assert all("GE_FFMPEG" in a.details["engine"]["fallback"]["reason"] for a in stood_in)
        master = compose(job)
    assert master.tries == TRIES
    check_video(master, tmp_path)
    check_never_passes(master, principal)
    assert master.report is not None
    reason = master.report["fallback"]["reason"]
    assert "GE_FFMPEG" in reason
    assert "remote engine" in reason
    assert master.failure is not None
    assert "GE_FFMPEG" in master.failure["cause"]
    assert set(master.failure) == {"stage", "cause", "who_pays", "next_step"}
    assert master.state == "needs_attention", "without ffmpeg nothing can be measured, and unknown never passes"


def test_a_remote_engine_that_dies_leaves_a_stand_in_until_a_rerun_composes_again(
    tmp_path: Path, settings: Any
) -> None:
    with running_server(tmp_path) as dying:
        settings.REMOTE_ENGINE_URL = dying.url
        principal, job = start("api_only")
        make_clips(job)
        occupy(dying)

        def kill() -> None:
            wait_for(lambda: dying.engine().health()["queued"] == 1, within_s=60, what="the master in the line")
            dying.process.send_signal(signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        master = compose(job)
        killer.join(60)
    assert master.state == "ready", master.failure
    check_video(master, tmp_path)
    check_never_passes(master, principal)
    assert master.report is not None
    assert "does not answer" in master.report["fallback"]["reason"]
    with running_server(tmp_path) as again:
        settings.REMOTE_ENGINE_URL = again.url
        rerun_clip(clip=Clip.objects.filter(job=job).first(), principal=principal, now=clock.now())  # type: ignore[arg-type]
        make_clips(job)
        master = compose(job)
    assert master.state == "ready"
    assert not master.has_fallback
    assert master.failure is None


def test_a_workspace_may_not_choose_an_engine_that_is_not_there(settings: Any) -> None:
    settings.REMOTE_ENGINE_URL = ""
    principal = make_principal(make_workspace())
    with pytest.raises(SettingsInvalid, match="REMOTE_ENGINE_URL"):
        update_workspace(principal=principal, now=clock.now(), engine_policy="api_only")
    with pytest.raises(SettingsInvalid, match="policies"):
        update_workspace(principal=principal, now=clock.now(), engine_policy="cloud")
    update_workspace(principal=principal, now=clock.now(), engine_policy="local_only")
    assert engines.engine_policy(principal.workspace) == "local_only"
