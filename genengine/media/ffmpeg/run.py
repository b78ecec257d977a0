"""The only place that starts a process: argument list, own temporary folder, limits, timeout, cancellation.

A child leads its own process group, so that ending it ends whatever it started. Linux limits are set from
outside with ``prlimit`` instead of a ``preexec_fn``: that one is not safe in a process with threads.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from genengine.media.errors import RenderCancelled, RenderFailed

STDERR_TAIL = 4000
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
POLL_S = 0.2

Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a child may take: address space in bytes, CPU in seconds, size of a written file in bytes."""

    memory: int | None = None
    cpu_s: int | None = None
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """Outcome of a child that ended well. ``stderr`` is whole: filters such as ebur128 report there."""

    argv: tuple[str, ...]
    stdout: bytes
    stderr: str


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    stdin: bytes | memoryview | None = None,
    cancelled: Cancelled | None = None,
    on_line: Callable[[str], None] | None = None,
    limits: ProcessLimits | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> Completed:
    """Run to the end and return the output. ``on_line`` sees each line of stderr as it comes (progress).

    Raises ``RenderFailed`` when the child fails or passes ``timeout`` seconds, ``RenderCancelled`` when asked to stop.
    """
    with started(argv, stdin=stdin is not None, limits=limits, env=env) as child:
        deadline = time.monotonic() + timeout
        if stdin is not None:
            threading.Thread(target=child.feed, args=(stdin,), daemon=True).start()
        for line in child.drain(deadline=deadline, cancelled=cancelled):
            if on_line is not None:
                on_line(line)
        code = child.wait(max(0.1, deadline - time.monotonic()))
    stderr = child.stderr_text()
    if check and code != 0:
        raise RenderFailed(child.argv, stderr[-STDERR_TAIL:] or f"exit status {code}")
    return Completed(child.argv, bytes(child.stdout), stderr)


@contextmanager
def started(
    argv: Sequence[str | Path],
    *,
    stdin: bool = False,
    limits: ProcessLimits | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """Start a child with pipes; leaving the block ends its group and removes its temporary folder."""
    words = tuple(os.fspath(part) for part in argv)
    with tempfile.TemporaryDirectory(prefix="ge-run-") as scratch:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=scratch,
            env=_environment(scratch, env),
            process_group=0,  # not a session of its own: Linux would give it as much of the machine as all the rest
        )
        child = Child(words, process)
        try:
            if limits is not None:
                _apply(limits, process.pid)
            yield child
        finally:
            child.end()


class Child:
    """A running process with its pipes."""

    def __init__(self, argv: tuple[str, ...], process: subprocess.Popen[bytes]) -> None:
        self.argv = argv
        self.process = process
        self.stdout = bytearray()
        self._stderr = bytearray()
        self._reader: threading.Thread | None = None
        if process.stdout is not None:
            _widen(process.stdout.fileno())

    def feed(self, data: bytes | memoryview) -> None:
        """Write all of ``data`` and close; a child that stopped reading is judged by its exit status."""
        stream = self.process.stdin
        assert stream is not None
        view = memoryview(data)
        with suppress(BrokenPipeError, ValueError):
            while view:
                view = view[stream.write(view) :]
        with suppress(BrokenPipeError, ValueError):
            stream.close()

    def drain(self, *, deadline: float, cancelled: Cancelled | None) -> Iterator[str]:
        """Collect stdout and stderr until both are closed, giving each line of stderr."""
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        assert err is not None
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            selector.register(err, selectors.EVENT_READ)
            while selector.get_map():
                self._refuse_to_go_on(deadline, cancelled)
                for key, _ in selector.select(POLL_S):
                    data = os.read(key.fd, PIPE_BYTES)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is out:
                        self.stdout += data
                    else:
                        self._stderr += data
                        *lines, pending = (pending + data).replace(b"\r", b"\n").split(b"\n")
                        yield from (line.decode(errors="replace") for line in lines)

    def read_exactly(self, view: memoryview) -> bool:
        """Fill ``view`` from stdout; False when the child has no more (a short rest is thrown away)."""
        self._watch_stderr()
        assert self.process.stdout is not None
        fd, filled = self.process.stdout.fileno(), 0
        while filled < len(view):
            count = os.readv(fd, [view[filled:]])
            if count == 0:
                return False
            filled += count
        return True

    def wait(self, timeout: float) -> int:
        """Exit status; a child that outlives ``timeout`` is ended and counts as failed."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            raise RenderFailed(self.argv, "did not end in time") from None

    def stderr_text(self) -> str:
        if self._reader is not None:
            self._reader.join(5)
        return self._stderr.decode(errors="replace")

    def end(self) -> None:
        """End the whole group, and the groups of programs that the child itself had started; safe to call twice."""
        if self.process.poll() is None:
            for group in (self.process.pid, *_groups_below(self.process.pid)):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not (stream is self.process.stderr and self._reader is not None):
                with suppress(OSError):
                    stream.close()
        if self._reader is not None:
            self._reader.join(5)
            with suppress(OSError):
                self.process.stderr.close()  # type: ignore[union-attr]

    def _refuse_to_go_on(self, deadline: float, cancelled: Cancelled | None) -> None:
        if cancelled is not None and cancelled():
            self.end()
            raise RenderCancelled
        if time.monotonic() > deadline:
            self.end()
            raise RenderFailed(self.argv, "did not end in time")

    def _watch_stderr(self) -> None:
        """A frame reader looks only at stdout; without this a chatty child would block on a full stderr pipe."""
        if self._reader is not None:
            return
        stderr = self.process.stderr
        assert stderr is not None

        def collect() -> None:
            with suppress(OSError, ValueError):
                while data := os.read(stderr.fileno(), 65536):
                    self._stderr += data

        self._reader = threading.Thread(target=collect, daemon=True)
        self._reader.start()


def _groups_below(pid: int) -> list[int]:
    """Groups led by descendants: each program that our own code starts leads one."""
    import psutil

    groups = []
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(child.pid) == child.pid:
                    groups.append(child.pid)
    return groups


def _environment(scratch: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    """A small environment: nothing of ours (keys, database address) leaks into a decoder."""
    base = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": scratch,
        "TMPDIR": scratch,
        "LC_ALL": "C.UTF-8",
    }
    return base | dict(extra or {})


def _apply(limits: ProcessLimits, pid: int) -> None:
    wanted = (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
    )
    for which, value in wanted:
        if value is not None and hasattr(resource, "prlimit"):
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(pid, which, (value, value))


def _widen(fd: int) -> None:
    """A larger pipe means fewer wake-ups a frame; where the kernel refuses, the default does too."""
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES)
