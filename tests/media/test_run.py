"""The runner: output, failure, time, cancellation, and nothing left running."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from genengine.media import RenderCancelled, RenderFailed
from genengine.media.ffmpeg.run import ProcessLimits, run, started
from tests.support.processes import wait_for


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_of_both_pipes_is_collected_in_full() -> None:
    code = "import sys; sys.stderr.write('e' * 300000); sys.stdout.write('o' * 300000)"
    done = run(python(code), timeout=20)
    assert len(done.stdout) == 300_000
    assert len(done.stderr) == 300_000


def test_a_failure_carries_the_command_and_the_end_of_what_was_said() -> None:
    with pytest.raises(RenderFailed) as caught:
        run(python("import sys; print('x' * 9000 + 'the reason', file=sys.stderr); sys.exit(3)"), timeout=20)
    assert "the reason" in caught.value.stderr_tail
    assert len(caught.value.stderr_tail) <= 4000
    assert caught.value.argv[0] == sys.executable


def test_a_child_that_takes_too_long_is_ended_with_its_own_children() -> None:
    code = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']);"
    code += "print(p.pid, file=sys.stderr, flush=True); time.sleep(60)"
    lines: list[str] = []
    begun = time.monotonic()
    with pytest.raises(RenderFailed, match="in time"):
        run(python(code), timeout=1.5, on_line=lines.append)
    assert time.monotonic() - begun < 10
    wait_for(lambda: gone(int(lines[0])), what="the end of the child")


def test_cancelling_ends_the_child() -> None:
    lines: list[str] = []
    code = "import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)"
    with pytest.raises(RenderCancelled):
        run(python(code), timeout=60, on_line=lines.append, cancelled=lambda: bool(lines))
    wait_for(lambda: gone(int(lines[0])), what="the end of the child")


def test_a_child_reads_what_it_is_fed() -> None:
    done = run(python("import sys; d = sys.stdin.buffer.read(); print(len(d))"), timeout=20, stdin=bytes(5_000_000))
    assert done.stdout.strip() == b"5000000"


def test_a_child_sees_neither_our_secrets_nor_our_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hidden")
    answer = (
        run(python("import os; print(os.getcwd()); print('SECRET_KEY' in os.environ)"), timeout=20)
        .stdout.decode()
        .split()
    )
    assert answer[1] == "False"
    assert answer[0] != os.getcwd()
    assert not Path(answer[0]).exists()


def test_a_memory_limit_holds() -> None:
    with pytest.raises(RenderFailed):
        run(
            python("import time; time.sleep(.3); x = bytearray(900_000_000); print(len(x))"),
            timeout=20,
            limits=ProcessLimits(memory=600 << 20),
        )


def test_leaving_the_block_early_ends_a_child_that_still_writes() -> None:
    with started(python("while True: print('x' * 1000)")) as child:
        buffer = bytearray(100)
        assert child.read_exactly(memoryview(buffer))
    wait_for(lambda: gone(child.process.pid), what="the end of the child")


def gone(pid: int) -> bool:
    """Ended, reaped or not: whoever starts it (PID 1 in a container) may never collect an orphan."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True
