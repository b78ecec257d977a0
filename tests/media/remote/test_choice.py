"""Which engine renders under which policy, and what follows when it cannot. The engines here are real compilers whose
surroundings are broken, or small stand-ins that fail on demand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genengine.media import CompileReport, MediaError, RenderCancelled, RenderFailed, SpecError
from genengine.media.remote.choice import Engines, EnginesFailed, Switch
from genengine.media.remote.engine import Cancelled, Order, Progress, ThisMachine
from genengine.media.remote.health import Needs, ill_health
from tests.media.support import CAN, image_spec


@dataclass
class Recorded:
    """An engine that renders for real under a name of its own, and counts; with `fault` it fails instead."""

    name: str
    fault: Exception | None = None
    hangs: bool = False
    asked: int = 0
    label: str = field(default="engine under test")

    def render(self, order: Order, out: Path, *, progress: Progress | None, cancelled: Cancelled) -> CompileReport:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        if self.hangs:
            pause = threading.Event()
            while not cancelled():
                pause.wait(0.01)
            raise RenderCancelled
        return ThisMachine().render(order, out, progress=progress, cancelled=cancelled)


def order(policy: str, **more: Any) -> Order:
    constraints = {"engine_policy": policy, "brand_safe": False, **more}
    return Order(image_spec(4, constraints=constraints), {"can": CAN}, "key")


BROKEN = RenderFailed(["x264"], "out of memory")


def test_local_only_never_asks_the_remote_engine(tmp_path: Path) -> None:
    remote = Recorded("remote")
    engines = Engines(Recorded("local", fault=BROKEN), remote, health=lambda: "no disk")
    with pytest.raises(EnginesFailed, match="out of memory"):
        engines.render(order("local_only"), tmp_path / "x.mp4")
    assert remote.asked == 0


def test_api_only_never_asks_this_machine(tmp_path: Path) -> None:
    local, remote = Recorded("local"), Recorded("remote")
    rendered = Engines(local, remote).render(order("api_only"), tmp_path / "x.mp4")
    assert (rendered.engine, local.asked, remote.asked) == ("remote", 0, 1)
    with pytest.raises(EnginesFailed, match="out of memory"):
        Engines(local, Recorded("remote", fault=BROKEN)).render(order("api_only"), tmp_path / "y.mp4")
    with pytest.raises(EnginesFailed, match="REMOTE_ENGINE_URL"):
        Engines(local).render(order("api_only"), tmp_path / "z.mp4")
    assert local.asked == 0


def test_local_preferred_stays_here_while_all_is_well(tmp_path: Path) -> None:
    remote = Recorded("remote")
    rendered = Engines(Recorded("local"), remote).render(order("local_preferred"), tmp_path / "x.mp4")
    assert (rendered.engine, rendered.switches, remote.asked) == ("local", (), 0)


@pytest.mark.parametrize(
    ("engines", "words"),
    [
        (Engines(Recorded("local", fault=BROKEN), Recorded("remote")), "out of memory"),
        (Engines(Recorded("local", fault=OSError("no space left")), Recorded("remote")), "no space left"),
        (Engines(Recorded("local"), Recorded("remote"), health=lambda: "the disk has 3 MB left"), "3 MB left"),
        (Engines(Recorded("local", hangs=True), Recorded("remote"), local_timeout_s=0.05), "longer than 0.05 s"),
    ],
    ids=["error", "disk", "ill health", "timeout"],
)
def test_local_preferred_goes_to_the_remote_engine_and_says_why(tmp_path: Path, engines: Engines, words: str) -> None:
    heard: list[Switch] = []
    rendered = engines.render(order("local_preferred"), tmp_path / "x.mp4", on_switch=heard.append)
    assert rendered.engine == "remote"
    assert words in rendered.switches[0].reason
    assert tuple(heard) == rendered.switches
    assert rendered.facts()["switches"][0]["to_engine"] == "remote"


def test_ill_health_is_no_reason_to_stop_where_there_is_no_other_engine(tmp_path: Path) -> None:
    rendered = Engines(Recorded("local"), health=lambda: "little memory").render(
        order("local_preferred"), tmp_path / "x.mp4"
    )
    assert rendered.engine == "local"


def test_when_both_fail_both_reasons_are_told(tmp_path: Path) -> None:
    engines = Engines(Recorded("local", fault=BROKEN), Recorded("remote", fault=MediaError("it is gone")))
    with pytest.raises(EnginesFailed, match=r"out of memory.*it is gone") as failed:
        engines.render(order("local_preferred"), tmp_path / "x.mp4")
    assert [name for name, _ in failed.value.failures] == ["local", "remote"]


def test_a_wrong_spec_is_not_handed_on(tmp_path: Path) -> None:
    remote = Recorded("remote")
    with pytest.raises(SpecError):
        Engines(ThisMachine(), remote).render(order("local_preferred", max_duration_s=-1), tmp_path / "x.mp4")
    assert remote.asked == 0


def test_a_cancel_and_a_failing_callback_are_the_callers_and_no_reason_to_switch(tmp_path: Path) -> None:
    class DatabaseAway(Exception):
        pass

    def progress(done: int, total: int) -> None:
        raise DatabaseAway

    remote = Recorded("remote")
    engines = Engines(ThisMachine(), remote)
    with pytest.raises(DatabaseAway):
        engines.render(order("local_preferred"), tmp_path / "x.mp4", progress=progress)
    with pytest.raises(RenderCancelled):
        engines.render(order("local_preferred"), tmp_path / "x.mp4", cancelled=lambda: True)
    assert remote.asked == 0


def test_health_names_what_is_lacking(tmp_path: Path) -> None:
    assert ill_health(tmp_path, Needs(free_disk=1, free_memory=1)) == ""
    assert "disk" in ill_health(tmp_path, Needs(free_disk=1 << 60, free_memory=1))
    assert "memory" in ill_health(tmp_path, Needs(free_disk=1, free_memory=1 << 60))


def test_health_names_a_tool_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genengine.media.ffmpeg import binaries

    monkeypatch.setenv("GE_FFMPEG", str(tmp_path / "none"))
    binaries.ffmpeg.cache_clear()
    try:
        assert "GE_FFMPEG" in ill_health(tmp_path, Needs(free_disk=1, free_memory=1))
    finally:
        binaries.ffmpeg.cache_clear()
