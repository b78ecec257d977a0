"""A real render server in a process of its own, on a real port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import requests

from genengine.media.remote.client import RemoteEngine
from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

TOKEN = "a-token-of-the-tests-0123456789"
OTHER_TOKEN = "another-token-of-the-tests-0123"


@dataclass
class Running:
    """A server that runs, and what to talk to it with."""

    url: str
    folder: Path
    process: Popen[bytes]
    session: requests.Session

    def engine(self, **options: object) -> RemoteEngine:
        return RemoteEngine(self.url, TOKEN, session=self.session, **options)  # type: ignore[arg-type]

    def call(self, method: str, path: str, *, token: str = TOKEN, **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}  # type: ignore[dict-item]
        return self.session.request(method, self.url + path, headers=headers, timeout=60, **options)  # type: ignore[arg-type]


def server_environment(folder: Path, **more: str) -> dict[str, str]:
    """The least that the command needs; a state directory of its own, no database."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "XDG_CACHE_HOME") if name in os.environ}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "genengine.settings.local",
        "GE_STATE_DIR": str(folder / "state"),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "RENDER_SERVER_TOKENS": f"{TOKEN},{OTHER_TOKEN}",
        "RENDER_SERVER_DIR": str(folder / "server"),
        **more,
    }


@contextmanager
def running_server(folder: Path, port: int = 0, **more: str) -> Iterator[Running]:
    """A server on a free or a given port, with its files below `folder`; it ends with the block."""
    port = port or free_port()
    log, url = folder / f"log-{port}.txt", f"http://127.0.0.1:{port}"
    with requests.Session() as session:
        session.trust_env = False
        command = ("render_server", "--port", str(port))
        with manage(*command, environment=server_environment(folder, **more), log=log) as process:
            wait_for(lambda: answers(f"{url}/healthz") or process.poll() is not None, within_s=90, what=url)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield Running(url, folder / "server", process, session)


@contextmanager
def closed_address() -> Iterator[str]:
    """An address where nobody listens, kept taken so that nobody begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
