"""Ties between a process and the one that started it: nothing we start outlives us, however we end."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
SUPERVISOR_VARIABLE = "GE_SUPERVISOR_PID"
PARENT_CHECK_S = 0.5
AUTOGROUP = Path("/proc/self/autogroup")

# Loaded in the parent: nothing may be imported between fork and exec.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def request_signal_on_parent_death(number: signal.Signals) -> None:
    """Ask the kernel to send us `number` when the thread that started us ends (Linux; elsewhere nothing
    happens).
    """
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(number))


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Make a `preexec_fn` for programs that are not ours; our own commands use `end_with_supervisor`."""

    def before_exec() -> None:
        request_signal_on_parent_death(number)

    return before_exec


def tie_forks_to_this_process() -> None:
    """Every later fork of this process (django-q2's workers) is killed when its own parent ends.

    A cluster whose parent is killed would otherwise leave five workers behind that go on taking tasks.
    """
    os.register_at_fork(after_in_child=die_with_parent(signal.SIGKILL))


def end_with_supervisor(*, grace_s: float = 10.0) -> None:
    """End this process group when the supervisor that started it is gone; does nothing when there is none.

    Linux tells us by a signal at once. Everywhere else, and for a process that ignores the signal, a thread
    looks whether our parent is still the supervisor: SIGTERM first, SIGKILL for the whole group after
    `grace_s`.
    """
    supervisor = int(os.environ.pop(SUPERVISOR_VARIABLE, "0"))
    if not supervisor:
        return
    request_signal_on_parent_death(signal.SIGTERM)
    watch = threading.Thread(target=_end_when_orphaned, args=(supervisor, grace_s), name="orphan-watch", daemon=True)
    watch.start()


def _end_when_orphaned(supervisor: int, grace_s: float) -> None:
    pause = threading.Event()
    while os.getppid() == supervisor:
        pause.wait(PARENT_CHECK_S)
    kill_group(os.getpgid(0), signal.SIGTERM)
    pause.wait(grace_s)
    kill_group(os.getpgid(0), signal.SIGKILL)


def give_way(nice: int) -> None:
    """Let other processes go first, by steps of nice(2); for a process that leads a session of its own.

    Linux shares a machine between sessions first (sched(7), autogroup) and heeds the processes' own steps only inside
    one: the session gets the same.
    """
    os.nice(nice)
    with contextlib.suppress(OSError):  # a kernel without autogroups
        AUTOGROUP.write_text(str(nice))


def kill_group(group: int, number: signal.Signals) -> None:
    """Signal a whole process group; a group that is already gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
