"""One emulator process for the contract suite; each test begins without faults."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.base import RemoteAdapter
from tests.contracts.cases import VendorCase
from tests.contracts.emulator_process import EmulatorProcess


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator")).start()
    yield running
    running.stop()


@pytest.fixture
def emulator(emulator_process: EmulatorProcess) -> EmulatorProcess:
    emulator_process.script()
    return emulator_process


@pytest.fixture(scope="session")
def photo() -> Path:
    return next(iter(sorted((Path(__file__).resolve().parents[2] / "examples" / "media").rglob("*.jpg"))))


@pytest.fixture
def adapter(case: VendorCase, emulator: EmulatorProcess, key: str) -> RemoteAdapter:
    return case.adapter(emulator.url, correlation_id=key)


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex
