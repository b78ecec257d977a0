"""`manage.py up` with real processes: starts, heals, and leaves nothing behind however it ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

pytestmark = pytest.mark.crash

ROLES = "web,worker-default,worker-media"


@dataclass
class Running:
    process: subprocess.Popen
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def everyone(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def find(self, *words: str) -> psutil.Process:
        def look():
            for process in self.everyone():
                try:
                    if " ".join(words) in " ".join(process.cmdline()):
                        return process
                except psutil.Error:
                    continue
            return None

        return wait_for(look, within_s=60, what=f"a process with {words}")


@pytest.fixture(scope="module")
def environment():
    """A state directory whose database already has its schema, as at any second start."""
    with tempfile.TemporaryDirectory(prefix="ge-up-") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another user, who must get in
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "GE_STATE_DIR": f"{folder}/state",
            "GE_STOP_SECONDS": "3",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=REPOSITORY, env=variables, check=True)
        yield variables


@contextmanager
def up(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[Running]:
    port = free_port()
    line = ("up", "--port", str(port), "--no-demo", "--only", ROLES, *arguments)
    with manage(*line, environment=environment, log=log) as process:
        running = Running(process, port, log)
        wait_for(lambda: answers(f"{running.address}/healthz"), within_s=180, what="the web")
        family = running.everyone()
        try:
            yield running
        finally:
            for one in family + running.everyone():
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def all_gone(family: list[psutil.Process]) -> bool:
    return all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in family)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_leaves_no_process_behind_when_it_is_stopped(environment, tmp_path, number):
    with up(environment, tmp_path / "up.log") as running:
        running.find("qcluster", "")
        family = running.everyone()
        assert len(family) > 10

        running.process.send_signal(number)
        assert running.process.wait(60) == 0
        assert all_gone(family), [one for one in family if one.is_running()]


def test_leaves_no_process_behind_when_it_is_killed(environment, tmp_path):
    with up(environment, tmp_path / "up.log") as running:
        running.find("qcluster", "")
        family = running.everyone()

        running.process.kill()
        wait_for(lambda: all_gone(family), within_s=60, what="the end of everyone")


@pytest.fixture(scope="class")
def running(environment, tmp_path_factory):
    with up(environment, tmp_path_factory.mktemp("up") / "up.log") as running:
        yield running


class TestWhileItRuns:
    """What does not end it shares one that runs."""

    def test_a_second_one_on_the_same_state_is_refused(self, environment, running):
        answer = run_up(environment, "--port", str(free_port()))

        assert answer.returncode != 0
        assert "Another `manage.py up` runs on" in answer.stderr

    def test_starts_a_killed_web_again(self, running):
        running.find("manage.py", "web").kill()

        wait_for(
            lambda: "web was killed by SIGKILL" in running.log.read_text(), within_s=60, what="the note in the log"
        )
        wait_for(lambda: answers(f"{running.address}/healthz"), within_s=180, what="the web")

    def test_everyone_comes_back_when_postgresql_is_killed(self, environment, running):
        # everyone but the pump, which is left out here
        wait_for(lambda: readiness(running) == {"pump"}, within_s=120, what="everyone")
        running.find("postgres", "-D").kill()

        wait_for(lambda: "postgres is gone" in running.log.read_text(), within_s=60, what="the note in the log")
        wait_for(lambda: readiness(running) == {"pump"}, within_s=120, what="the database")
        before = pulses(environment)
        wait_for(lambda: newer(pulses(environment), before), within_s=120, what="a new pulse of both workers")


def readiness(running: Running) -> set[str]:
    """The names of what is not ready."""
    import json
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"{running.address}/readyz", timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            body = answer.read()
    except OSError:
        return {"web"}
    return {name for name, verdict in json.loads(body)["checks"].items() if verdict != "ok"}


def pulses(environment: dict[str, str]) -> dict[str, str]:
    import psycopg

    from genengine.core.embedded_postgres import ClusterLayout, Role

    layout = ClusterLayout(Path(environment["GE_STATE_DIR"]))
    with psycopg.connect(**layout.connection(Role.SUPER)) as connection:
        return {role: str(at) for role, at in connection.execute("SELECT role, at FROM core_pulse")}


def newer(after: dict[str, str], before: dict[str, str]) -> bool:
    return all(after.get(role, "") > at for role, at in before.items())


def test_a_taken_port_is_said_in_one_sentence(environment, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = run_up(environment, "--port", str(port))

    assert answer.returncode != 0
    assert len(answer.stderr.strip().splitlines()) == 1
    assert f"Port {port} of 127.0.0.1 is taken. Choose another" in answer.stderr


def run_up(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up", "--no-demo", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
