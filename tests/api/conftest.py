from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.processes import answers, free_port, manage, wait_for


@dataclass
class Web:
    """A real daphne on a free port."""

    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, job: object, *, query: str = "", **headers: str) -> ClientConnection:
        origin = headers.pop("origin", None)
        return connect(
            f"ws://127.0.0.1:{self.port}/ws/jobs/{job}{query}",
            origin=origin,  # type: ignore[arg-type]
            additional_headers={name.replace("_", "-").title(): value for name, value in headers.items()},
            open_timeout=10,
            proxy=None,
        )


@pytest.fixture(scope="module")
def web(
    module_environment: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """`manage.py web` on the database of the module's tests, which must commit (`transaction=True`)."""
    folder = tmp_path_factory.mktemp("web")
    running = Web(free_port(), folder / "web.log")
    environment = module_environment(folder / "state") | {"GE_DATABASE_POOL": "true"}
    with manage("web", "--port", str(running.port), environment=environment, log=running.log):
        wait_for(lambda: answers(f"{running.address}/healthz"), within_s=180, what="the web process")
        yield running
