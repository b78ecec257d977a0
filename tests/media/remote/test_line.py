"""What the render server does with a child that hangs or takes too much: real processes, no compiler."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from genengine.media.remote.blobs import BlobShelf
from genengine.media.remote.line import LineLimits, RenderLine
from genengine.media.remote.renders import Render, RenderBook, RenderState
from tests.support.processes import wait_for

STUCK = """
import ctypes, os, pathlib, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tool = subprocess.Popen(["sleep", "600"], start_new_session=True)
print("frames 7 30", file=sys.stderr, flush=True)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {tool.pid}")
ctypes.PyDLL(None).sleep(600)  # in native code, and no other thread of this interpreter can run either
"""
GREEDY = "taken = bytearray(3 << 30)"


@contextmanager
def line_with(tmp_path: Path, script: str, *words: str, **limits: float) -> Iterator[tuple[RenderLine, Render]]:
    """A line that runs ``script`` in place of the compiler, and one render in it."""
    (tmp_path / "child.py").write_text(script)
    command = (sys.executable, str(tmp_path / "child.py"), *words)
    book = RenderBook(tmp_path / "renders")
    blobs = BlobShelf(tmp_path / "blobs")
    line = RenderLine(tmp_path, book, blobs, LineLimits(**limits), command)  # type: ignore[arg-type]
    line.start()
    try:
        render = Render("0" * 32, "somebody", "key", "digest", {}, frames_total=30, created_at=time.time())
        yield line, line.enqueue(render, {})
    finally:
        line.stop()


def test_a_child_stuck_in_native_code_is_killed_with_the_programs_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with line_with(tmp_path, STUCK, str(pids), seconds=10) as (_, render):
        wait_for(lambda: not render.is_open, within_s=90)
    assert render.state is RenderState.FAILED
    assert render.failure is not None
    assert render.failure["code"] == "timeout"
    assert "after 7 of 30 frames" in render.failure["detail"]
    assert "longer than 10 s" in render.failure["detail"]
    assert "no provider was paid" in render.failure["detail"]
    assert "GE_RENDER_TIMEOUT_S" in render.failure["fix"]
    wait_for(lambda: not [pid for pid in pids.read_text().split() if psutil.pid_exists(int(pid))], within_s=60)


def test_a_cancelled_child_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with line_with(tmp_path, STUCK, str(pids), seconds=600) as (line, render):
        wait_for(lambda: render.frames_done == 7, within_s=60)
        line.cancel(render)
        wait_for(lambda: not render.is_open, within_s=90)
    assert render.state is RenderState.CANCELLED
    wait_for(lambda: not [pid for pid in pids.read_text().split() if psutil.pid_exists(int(pid))], within_s=60)


def test_a_child_that_takes_more_memory_than_it_may_fails_alone_and_says_so(tmp_path: Path) -> None:
    with line_with(tmp_path, GREEDY, seconds=120, memory_mb=1024) as (line, render):
        wait_for(lambda: not render.is_open, within_s=90)
        assert line.lengths()["queued"] == 0
    assert render.state is RenderState.FAILED
    assert render.failure is not None
    assert render.failure["code"] == "memory"
    assert "1024 MB" in render.failure["detail"]
    assert "no provider was paid" in render.failure["detail"]
    assert "RENDER_SERVER_MEMORY_MB" in render.failure["fix"]


def test_without_a_memory_limit_the_same_child_may_have_it(tmp_path: Path) -> None:
    with line_with(tmp_path, GREEDY, seconds=120, memory_mb=0) as (_, render):
        wait_for(lambda: not render.is_open, within_s=90)
    assert render.failure is not None
    assert render.failure["code"] == "process"
