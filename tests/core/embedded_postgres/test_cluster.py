import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from genengine.core.embedded_postgres import Cluster, Role, ServerOptions, ensure_running, exclusive_use
from genengine.core.embedded_postgres.errors import ServerInUse, WrongServerVersion
from tests.support.processes import REPOSITORY, wait_for

SCRATCH = ServerOptions(durable=False)


@pytest.fixture
def state_dir():
    """Not below pytest's own 0700 folder: the server runs as another user when we are root."""
    with tempfile.TemporaryDirectory(prefix="ge-cluster-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "state"


@pytest.fixture
def running(state_dir):
    with Cluster.below(state_dir, SCRATCH).running() as cluster:
        yield cluster


def test_passwords_are_asked_for(running):
    wrong = running.layout.connection(Role.APP) | {"password": "guess"}

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**wrong)


def test_the_server_listens_on_no_network_port(running):
    connections = subprocess.run(["ss", "-ltnp"], capture_output=True, text=True, check=False).stdout
    assert f"pid={running.pid()}," not in connections
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 5432), timeout=1).close()


def test_the_socket_is_out_of_reach_for_others(running):
    assert stat.S_IMODE(running.layout.socket_dir.stat().st_mode) == 0o700


def test_passwords_are_stored_for_their_owner_only(running):
    for path in (running.layout.state_dir / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_server_does_not_run_as_root(running):
    assert os.stat(f"/proc/{running.pid()}").st_uid != 0


def test_the_application_reads_and_writes_rows_of_tables_it_does_not_own(running):
    with psycopg.connect(**running.layout.connection(Role.OWNER)) as owner:
        owner.execute("CREATE TABLE thing (id int GENERATED ALWAYS AS IDENTITY, name text)")

    with psycopg.connect(**running.layout.connection(Role.APP)) as app:
        app.execute("INSERT INTO thing (name) VALUES ('one')")
        assert app.execute("SELECT name FROM thing").fetchall() == [("one",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DROP TABLE thing")


def test_rows_survive_a_killed_server(state_dir):
    cluster = Cluster.below(state_dir)
    cluster.start()
    with psycopg.connect(**cluster.layout.connection(Role.OWNER)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    cluster.process.kill()
    cluster.process.wait()

    with wait_for(lambda: restarted(state_dir)).running() as again:
        with psycopg.connect(**again.layout.connection(Role.OWNER)) as owner:
            assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)


def restarted(state_dir):
    """Orphaned backends of the killed server hold its shared memory for a moment."""
    cluster = Cluster.below(state_dir)
    try:
        cluster.start()
    except Exception:
        cluster.stop()
        return None
    cluster.stop()
    return cluster


def test_a_cluster_of_another_version_is_refused_with_the_way_out(state_dir):
    cluster = Cluster.below(state_dir, SCRATCH)
    with cluster.running():
        pass
    (cluster.layout.data / "PG_VERSION").write_text("16\n")

    with pytest.raises(WrongServerVersion, match="pg_dumpall of version 16"):
        cluster.start()


def test_a_long_path_gets_a_short_socket(state_dir):
    deep = state_dir / ("d" * 60) / ("e" * 60)

    with Cluster.below(deep, SCRATCH).running() as cluster:
        assert cluster.answers()
        assert not cluster.layout.socket_dir.is_relative_to(deep)


def test_an_interrupted_initdb_leaves_a_state_that_starts(state_dir):
    cluster = Cluster.below(state_dir, SCRATCH)
    (cluster.layout.root / "initdb-halfway" / "data").mkdir(parents=True)

    with cluster.running():
        assert cluster.answers()


def test_two_commands_share_one_server_and_the_last_one_stops_it(state_dir):
    with ensure_running(state_dir) as first:
        with ensure_running(state_dir) as second:
            assert second.process is None  # joined
            assert second.answers()
        assert first.answers()
    assert not first.answers()


def test_a_server_whose_command_was_killed_is_used_and_stopped_by_the_next(state_dir):
    script = (
        "import os, sys, pathlib; from genengine.core.embedded_postgres import ensure_running\n"
        f"with ensure_running(pathlib.Path({str(state_dir)!r})): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL

    left = Cluster.below(state_dir)
    assert left.answers()
    with ensure_running(state_dir):
        pass
    assert not left.answers()


def test_a_second_supervisor_is_refused(state_dir):
    with exclusive_use(state_dir):
        with pytest.raises(ServerInUse, match="--state-dir"), exclusive_use(state_dir):
            pass


def test_a_supervisor_waits_for_a_command_that_uses_the_server(state_dir):
    with ensure_running(state_dir):
        with pytest.raises(ServerInUse, match="let it finish"), exclusive_use(state_dir, wait_s=0.3):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_root_below_a_private_home_gets_a_server_too(monkeypatch):
    """PostgreSQL refuses root and the ordinary user cannot walk into a 0700 folder: the files then live elsewhere."""
    with tempfile.TemporaryDirectory(prefix="ge-private-", dir="/var/tmp") as private:
        cluster = Cluster.below(Path(private) / "checkout" / ".state", SCRATCH)
        with cluster.running():
            assert cluster.answers()
            assert cluster.layout.root.parent == Path("/var/lib/genengine")
        subprocess.run(["rm", "-rf", str(cluster.layout.root)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_a_temporary_state_leaves_nothing_outside_the_temporary_folder(tmp_path):
    root = Cluster.below(tmp_path / "state").layout.root

    assert root.parent == Path(tempfile.gettempdir())


def test_binaries_are_copied_for_a_user_who_cannot_reach_them(state_dir, monkeypatch):
    from genengine.core.embedded_postgres import binaries

    real, asked = binaries._runs, []

    def unreachable_at_first(folder, user):
        asked.append(folder)
        return False if len(asked) == 1 else real(folder, user)

    monkeypatch.setattr(binaries, "_runs", unreachable_at_first)
    with Cluster.below(state_dir, SCRATCH).running() as cluster:
        assert cluster.answers()
        assert (cluster.layout.root / "binaries" / ".complete").exists()
