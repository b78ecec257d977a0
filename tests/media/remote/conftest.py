"""A real render server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.render_server import Running, running_server


@pytest.fixture(scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Start a server, in a given folder if it is to follow another; all of them end with the module."""
    with ExitStack() as stack:

        def start(folder: Path | None = None, **more: str) -> Running:
            return stack.enter_context(running_server(folder or tmp_path_factory.mktemp("render-server"), **more))

        yield start


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Running]) -> Running:
    return start_server()
