"""Several commands, one server: who starts it, who may stop it.

Two lock files below the cluster's root. `starting.lock` is held for moments while somebody decides;
`users.lock` is held shared by everyone who uses the server. Whoever leaves last stops a server that a short
command started; one that `manage.py up` runs is stopped by `up` alone, which keeps its own shared lock until
the end.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genengine.core.embedded_postgres.cluster import STOP_TIMEOUT_S, Cluster, make_root
from genengine.core.embedded_postgres.errors import ServerInUse

EXCLUSIVE_WAIT_S = 60.0


@contextmanager
def ensure_running(state_dir: Path) -> Iterator[Cluster]:
    """Use the server of `state_dir` for the duration of a command, starting it when nobody else has."""
    cluster = Cluster.below(state_dir)
    root = make_root(cluster.layout)
    with _open_lock(root / "users.lock") as users:
        with _held(root / "starting.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not cluster.answers():
                cluster.start(detached=True)
        try:
            yield cluster
        finally:
            _leave(cluster, root, users)


@contextmanager
def exclusive_use(state_dir: Path, *, wait_s: float = EXCLUSIVE_WAIT_S) -> Iterator[Cluster]:
    """Run the server of `state_dir` as its supervisor: waits for short commands to finish, refuses a second
    supervisor.

    Yields the cluster not yet started; while held, short commands may join but never stop the server.
    """
    cluster = Cluster.below(state_dir)
    root = make_root(cluster.layout)
    with _open_lock(root / "supervisor.lock") as supervisor, _open_lock(root / "users.lock") as users:
        try:
            fcntl.flock(supervisor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise ServerInUse(
                f"Another `manage.py up` runs on {state_dir}. Stop it, or give this one another --state-dir."
            ) from taken
        with _held(root / "starting.lock"):
            _wait_for_users(users, state_dir, wait_s)
            _stop_by_pid(cluster)
            fcntl.flock(users, fcntl.LOCK_SH)
        yield cluster


@contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)  # closing releases the lock


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with _open_lock(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _leave(cluster: Cluster, root: Path, users: int) -> None:
    with _held(root / "starting.lock"):
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else still uses it and will stop it
        if cluster.process is not None:
            cluster.stop()
        else:
            _stop_by_pid(cluster)


def _wait_for_users(users: int, state_dir: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as busy:
            if time.monotonic() > deadline:
                raise ServerInUse(
                    f"Another command still uses the database of {state_dir}: let it finish first."
                ) from busy
            time.sleep(0.1)


def _stop_by_pid(cluster: Cluster) -> None:
    """Stop a server that is not our child (its command was killed) and wait until it let its data go."""
    pid = cluster.pid()
    if pid is None or not _is_ours(pid, cluster):
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _is_ours(pid, cluster) and time.monotonic() < deadline:
        time.sleep(0.05)


def _is_ours(pid: int, cluster: Cluster) -> bool:
    """The pid file survives a power cut: make sure that the number is still this cluster's server."""
    try:
        os.kill(pid, 0)
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except OSError:
        return cluster.answers()
    return os.fsencode(cluster.layout.data) in arguments
