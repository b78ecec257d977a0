"""One emulator process for the contract suite; each test begins without faults."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from providers.base import RemoteAdapter
from tests.contracts.cases import VendorCase
from tests.contracts.emulator_process import QUARTER, EmulatorProcess
from tests.contracts.inputs import small_film


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator"), arguments=QUARTER).start()
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


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds of video with sound, as the bytes of an MP4."""
    return small_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="session")
def frame(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of the examples at 1280×720, small enough for a data URI."""
    out = tmp_path_factory.mktemp("frame") / "frame.jpg"
    with Image.open(photo) as image:
        ImageOps.fit(image.convert("RGB"), (1280, 720)).save(out, quality=85)
    return out


@pytest.fixture
def clients_closed() -> Iterator[None]:
    """Collect what a vendor's client leaves open while its warnings are still ignored, not in some later test."""
    yield
    gc.collect()
