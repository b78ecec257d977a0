"""One private PostgreSQL per test session, a database a worker, no way out to the network.

The process that starts pytest starts the server, at once when workers will share it and otherwise for the first test
that needs it; the first that needs a database migrates a template as the tables' owner; every worker gets a copy and
connects as the application's role, which owns nothing: a forgotten grant fails here first. `make test-stack` sets
DATABASE_URL and uses a server of its own instead.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import TransactionTestCase

from genengine.core.embedded_postgres import Cluster, Role, ServerOptions
from tests.contracts.emulator_process import EmulatorProcess
from tests.database import TableCleaner, state_directory, use_private_database, worker_database

REPOSITORY = Path(__file__).resolve().parents[1]
# What a process that a test starts takes over; the addresses are set by tests/stack.py only.
INHERITED = (
    *("PATH", "HOME", "LANG", "REDIS_URL"),
    *("S3_BUCKET", "S3_ENDPOINT_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
)
EXTERNAL_DATABASE = os.environ.get("DATABASE_URL", "")
SHARED_INSTALLATION = ("tests/crash/",)
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ

_server: Cluster | None = None


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("numprocesses", None) and not (IS_WORKER or EXTERNAL_DATABASE or config.option.collectonly):
        _start_server()


def _start_server() -> None:
    global _server
    _server = Cluster.below(state_directory(), ServerOptions(durable=False))
    _server.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first: begun last, one of them would keep one worker busy while the others rest."""

    def weight(item: pytest.Item) -> int:
        return 2 * bool(item.get_closest_marker("crash")) + bool(item.get_closest_marker("slow"))

    heaviest: dict[Path, int] = {}
    for item in items:
        heaviest[item.path] = max(heaviest.get(item.path, 0), weight(item))
    items.sort(key=lambda item: -heaviest[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file stays on one worker, and so do all files of a folder that share a running installation."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in SHARED_INSTALLATION if nodeid.startswith(folder)), nodeid.split("::")[0])

    return Scheduling(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    global _server
    if IS_WORKER:
        return
    if _server is not None:
        _server.stop(fast=False)
        _server = None
    shutil.rmtree(state_directory(), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Replace pytest-django's own: roles, template and copies as in production."""
    with django_db_blocker.unblock():
        cleaner, undo = _external_database() if EXTERNAL_DATABASE else _private_database()
        cleaner.remember()
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: cleaner.clean()  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[method-assign]
    with django_db_blocker.unblock():
        undo()


def _private_database() -> tuple[TableCleaner, Any]:
    if not IS_WORKER and _server is None:
        _start_server()
    cluster = Cluster.below(state_directory(), ServerOptions(durable=False))
    use_private_database(cluster)
    return TableCleaner(cluster.layout.connection(Role.SUPER, worker_database())), _close_connections


def _external_database() -> tuple[TableCleaner, Any]:
    """Django's own way on a server that is not ours; its role must be allowed to make databases (and be
    superuser).
    """
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    made = setup_databases(verbosity=0, interactive=False)
    parameters = {
        name: value for name, value in connection.get_connection_params().items() if name in CONNECTION_PARAMETERS
    }
    return TableCleaner(parameters), lambda: teardown_databases(made, verbosity=0)


CONNECTION_PARAMETERS = {"host", "port", "user", "password", "dbname"}


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()


@pytest.fixture
def process_environment(django_db_setup: None, tmp_path: Path) -> dict[str, str]:
    """Environment for a real process that works on this test's database, with a state directory of its own.

    Use together with `transactional_db`: another process sees committed rows only.
    """
    return _process_environment(tmp_path / "state")


@pytest.fixture(scope="module")
def module_environment(django_db_setup: None) -> Callable[[Path], dict[str, str]]:
    """The same for a process that serves all tests of a module: call it with a state directory."""
    return _process_environment


@pytest.fixture(scope="module")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator")).start()
    yield running
    running.stop()


@pytest.fixture
def emulator(emulator_process: EmulatorProcess, settings: Any) -> EmulatorProcess:
    """The module's emulator, without faults, at the address where simulated work goes."""
    settings.EMULATOR_URL = emulator_process.url
    emulator_process.script()
    return emulator_process


def _process_environment(state_dir: Path) -> dict[str, str]:
    """The same keys as the test itself: it signs links and queued tasks, and reads what the process encrypts."""
    from django.conf import settings

    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "genengine.settings.local",
        "GE_STATE_DIR": str(state_dir),
        "GE_SECRET_KEY": settings.SECRET_KEY,
        "GE_SECRET_KEYS": ",".join(settings.GE_SECRET_KEYS),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
    }
    return environment | _database_addresses()


def _database_addresses() -> dict[str, str]:
    if EXTERNAL_DATABASE:
        from django.db import connection

        return {
            "DATABASE_URL": urlsplit(EXTERNAL_DATABASE)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        }
    layout = Cluster.below(state_directory()).layout
    return {
        "DATABASE_URL": layout.url(Role.APP, worker_database()),
        "DATABASE_OWNER_URL": layout.url(Role.OWNER, worker_database()),
    }


@pytest.fixture(scope="session")
def example_media() -> Path:
    """The sample photos, clips, music and voices that ship with the product."""
    return REPOSITORY / "examples" / "media"


@pytest.fixture(autouse=True, scope="session")
def _sample_files_are_taken_in_once() -> Iterator[None]:
    from genengine.assets.services import uploads
    from tests.support.ingested import remembering

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uploads, "ingest", remembering(uploads.ingest, state_directory() / "ingested"))
        yield


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> Iterator[None]:
    """A test that would leave this machine fails with the address it tried."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _only_loopback(getattr(socket.socket, name)))
        yield


class NetworkClosed(OSError):
    """An OSError, so that the code under test behaves as it would without a network."""


def _only_loopback(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
            raise NetworkClosed(f"Tests may not leave this machine; tried {address!r}.")
        return original(self, address)

    return connect


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
