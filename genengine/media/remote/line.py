"""The waiting line of the server and the threads that work it off, one child process a render."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genengine.media.errors import RenderFailed
from genengine.media.ffmpeg.run import Child, ProcessLimits, started
from genengine.media.remote.blobs import BlobShelf
from genengine.media.remote.problems import Problem
from genengine.media.remote.renders import MOST_STARTS, Render, RenderBook, RenderState

log = logging.getLogger(__name__)
PACKAGE_ROOT = Path(__file__).resolve().parents[3]
GRACE_S = 10.0
"""A cancelled child may take this long to end its own children before its whole group is killed."""
FREE = "A render costs nothing: no provider was paid for it."
OUT_OF_MEMORY = ("MemoryError", "Insufficient memory", "Cannot allocate memory", "bad_alloc", "out of memory")
"""What Python, OpenCV, ffmpeg and C++ say when memory ends."""

PASSED_ON = ("GE_FFMPEG", "GE_FFPROBE", "GE_NATIVE")


@dataclass(frozen=True, slots=True)
class LineLimits:
    """How many render side by side, how many may wait, and what one may take: seconds, and address space in MB of its
    process and of each program that it starts (0: as much as there is)."""

    parallel: int = 1
    waiting: int = 20
    seconds: float = 3600.0
    memory_mb: int = 8192


class RenderLine:
    """Takes renders in order. All changes of a render's state happen here, each on disk before it is told."""

    def __init__(
        self,
        folder: Path,
        book: RenderBook,
        blobs: BlobShelf,
        limits: LineLimits,
        command: tuple[str, ...] = (sys.executable, "-m", "genengine.media.remote.worker"),
    ) -> None:
        self.book, self.blobs, self.limits, self._command = book, blobs, limits, command
        self._work, self._cache = folder / "work", folder / "cache"
        shutil.rmtree(self._work, ignore_errors=True)  # of renders that a dead server left behind
        self._work.mkdir(parents=True)
        self._turn = threading.Condition(threading.RLock())
        self._line: deque[Render] = deque()
        self._stops: dict[str, threading.Event] = {}
        self._closed = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(limits.parallel)]

    def start(self) -> None:
        """Take up what was waiting when the server last ended, then begin."""
        for render in self.book.waiting():
            if render.state is RenderState.RENDERING and render.starts >= MOST_STARTS:
                self._end(render, RenderState.FAILED, _failure(
                    "server_stopped", f"The server stopped {render.starts} times while it rendered this.",
                    "Check the server's memory and log, then ask again.",
                ))  # fmt: skip
                continue
            render.state, render.frames_done = RenderState.QUEUED, 0
            self.book.save(render)
            self._line.append(render)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every child; what was rendering is taken up again by the next start."""
        with self._turn:
            self._closed = True
            for event in self._stops.values():
                event.set()
            self._turn.notify_all()
        for thread in self._threads:
            thread.join(GRACE_S + 5)

    def enqueue(self, render: Render, spec: Mapping[str, Any]) -> Render:
        """Put a render at the end of the line, or return the one that its key already names.

        A key names one render while it waits, runs or is done; after a failure or a cancellation it starts anew.
        """
        with self._turn:
            known = self.book.by_key(render.owner, render.key)
            if known is not None and known.digest != render.digest and known.is_open:
                raise Problem(
                    409, "key_reused", "This idempotency key names another render.", "Use a new key for a new render."
                )
            if known is not None and known.digest == render.digest and self._stands(known):
                return known
            if len(self._line) >= self.limits.waiting:
                raise Problem(
                    503, "queue_full", f"{len(self._line)} renders are waiting.", "Ask again later.", retry_after=10
                )
            self.book.add(render, spec)
            self._line.append(render)
            self._turn.notify()
        return render

    def _stands(self, known: Render) -> bool:
        if known.state is RenderState.DONE:
            return self.book.result(known).is_file()
        return known.is_open

    def cancel(self, render: Render) -> None:
        """End a render that waits or runs; nothing happens to one that has ended."""
        with self._turn:
            if render.state is RenderState.QUEUED:
                with suppress(ValueError):
                    self._line.remove(render)
                self._end(render, RenderState.CANCELLED, None)
            elif render.id in self._stops:
                self._stops[render.id].set()

    def lengths(self) -> dict[str, int]:
        """How many wait and how many are being rendered."""
        with self._turn:
            return {"queued": len(self._line), "rendering": len(self._stops)}

    def remaining_s(self, render: Render) -> float | None:
        """Seconds to the end by the pace so far; None before there is one."""
        if render.state is not RenderState.RENDERING or not render.frames_done or render.started_at is None:
            return None
        passed = time.time() - render.started_at
        return round(passed / render.frames_done * (render.frames_total - render.frames_done), 1)

    def _serve(self) -> None:
        while (render := self._next()) is not None:
            try:
                self._render(render, self._stops[render.id])
            except Exception:
                log.exception("a render failed unexpectedly: %s", render.id)
                failure = _failure("server", "The server failed; see its log.", "Report it with the render's id.")
                self._end(render, RenderState.FAILED, failure)
            finally:
                with self._turn:
                    self._stops.pop(render.id, None)

    def _next(self) -> Render | None:
        with self._turn:
            while not self._line and not self._closed:
                self._turn.wait()
            if self._closed:
                return None
            render = self._line.popleft()
            self._stops[render.id] = threading.Event()
            render.state, render.started_at, render.starts = RenderState.RENDERING, time.time(), render.starts + 1
            self.book.save(render)
            return render

    def _render(self, render: Render, stop: threading.Event) -> None:
        with tempfile.TemporaryDirectory(prefix=f"{render.id}-", dir=self._work) as name:
            folder = Path(name)
            self._write_order(render, folder)
            outcome = self._run_child(render, folder, stop)
            if self._closed and outcome["state"] != "done":
                return  # stays "rendering" on disk: the next start takes it up
            if outcome["state"] == "done":
                os.replace(folder / "result.mp4", self.book.result(render))
                os.replace(folder / "result.jpg", self.book.result(render).with_suffix(".jpg"))
                render.report, render.frames_done = outcome["report"], render.frames_total
            failure = {k: v for k, v in outcome.items() if k != "state"} if outcome["state"] == "failed" else None
            self._end(render, RenderState(outcome["state"]), failure)

    def _write_order(self, render: Render, folder: Path) -> None:
        order = {
            "spec": json.loads((self.book.place(render) / "spec.json").read_text(encoding="utf-8")),
            "files": {name: str(self.blobs.path(render.owner, sha256)) for name, sha256 in render.assets.items()},
            "cache": str(self._cache / render.owner),
        }
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")

    def _run_child(self, render: Render, folder: Path, stop: threading.Event) -> dict[str, Any]:
        """One child to its end. It is killed with all it started when its time is over, whatever it is stuck in."""
        argv = [*self._command, str(folder)]
        deadline = time.monotonic() + self.limits.seconds
        memory = ProcessLimits(memory=self.limits.memory_mb << 20) if self.limits.memory_mb else None
        said = ""
        try:
            with started(argv, stdin=True, env=_environment(), limits=memory) as child:
                for line in child.drain(deadline=deadline, cancelled=_Ending(child, stop)):
                    word, *rest = line.split()[:3] or [""]
                    if word == "frames" and len(rest) == 2:
                        render.frames_done = int(rest[0])
                    elif line.strip():
                        said = line.strip()
                child.wait(GRACE_S)
        except RenderFailed as error:
            said = said or error.stderr_tail
        except Exception as error:  # RenderCancelled when the grace is over: killed, and the files are gone with it
            said = str(error)
        outcome = folder / "outcome.json"
        if outcome.is_file():
            verdict: dict[str, Any] = json.loads(outcome.read_text(encoding="utf-8"))
            return verdict
        if stop.is_set():
            return {"state": "cancelled"}
        return {"state": "failed"} | self._cause(render, said, late=time.monotonic() > deadline)

    def _cause(self, render: Render, said: str, *, late: bool) -> dict[str, Any]:
        """Why a child ended without a word of its own, and what helps."""
        at = f"after {render.frames_done} of {render.frames_total} frames"
        if late:
            fix = "Shorten the video, or give renders more time on the server (GE_RENDER_TIMEOUT_S), then ask again."
            detail = f"The render was ended {at}: it took longer than {self.limits.seconds:g} s. {FREE}"
            return _failure("timeout", detail, fix)
        if any(sign in said for sign in OUT_OF_MEMORY):
            fix = "Use a smaller frame or smaller pictures, or raise RENDER_SERVER_MEMORY_MB on the server."
            detail = f"The render ended {at}: it needed more than its {self.limits.memory_mb} MB of memory. {FREE}"
            return _failure("memory", detail, fix)
        fix = "Check the server's memory and log, then ask again."
        return _failure("process", f"The render's process ended {at}: {said or 'no word'}. {FREE}", fix)

    def _end(self, render: Render, state: RenderState, failure: dict[str, Any] | None) -> None:
        render.state, render.failure, render.finished_at = state, failure, time.time()
        self.book.save(render)


class _Ending:
    """Asked by the reader of the child's output: closes its stdin at once, allows the kill when the grace is over."""

    def __init__(self, child: Child, stop: threading.Event) -> None:
        self._child, self._stop = child, stop
        self._until: float | None = None

    def __call__(self) -> bool:
        if not self._stop.is_set():
            return False
        if self._until is None:
            self._until = time.monotonic() + GRACE_S
            stdin = self._child.process.stdin
            if stdin is not None:
                with suppress(OSError):
                    stdin.close()
        return time.monotonic() > self._until


def _failure(code: str, detail: str, fix: str) -> dict[str, Any]:
    return {"code": code, "detail": detail[:1000], "fix": fix}


def _environment() -> dict[str, str]:
    """What the child needs to find this very code and the same tools; nothing else of ours."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return {"PYTHONPATH": str(PACKAGE_ROOT), "XDG_CACHE_HOME": cache, "PYTHONUNBUFFERED": "1", **passed}
