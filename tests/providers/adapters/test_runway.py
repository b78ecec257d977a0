"""RunwayML beyond clips from text and pictures: films go up, are restyled or enlarged, and come back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from genengine.media import probe
from providers.adapters.runway import RunwayAdapter
from providers.errors import InvalidRequest, Transient, Unsupported
from providers.http import Timeouts
from providers.values import Accepted, GenerationRequest, InputAsset, InputRole, RemoteState, RemoteTask, Task
from tests.contracts.emulator_process import QUARTER, EmulatorProcess
from tests.contracts.inputs import small_film
from tests.contracts.waiting import wait_for


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator"), arguments=QUARTER).start()
    yield running
    running.stop()


@pytest.fixture
def runway(emulator: EmulatorProcess) -> RunwayAdapter:
    emulator.script()
    patience = Timeouts(connect=10, read=60, submit=60)
    return RunwayAdapter(credentials={"api_key": "key_test"}, base_url=f"{emulator.url}/runway", timeouts=patience)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> InputAsset:
    folder = tmp_path_factory.mktemp("film")
    data = small_film(folder)
    return InputAsset(InputRole.VIDEO, folder / "film.mp4", "video/mp4", hashlib.sha256(data).hexdigest())


def restyle(film: InputAsset, **changes: object) -> GenerationRequest:
    values = {"prompt": "the same at night", "duration_s": 3.0, "ratio": "9:16", "inputs": (film,), **changes}
    return GenerationRequest(Task.VIDEO_TO_VIDEO, "aleph2", **values)  # type: ignore[arg-type]


def enlarge(film: InputAsset, **changes: object) -> GenerationRequest:
    values = {"prompt": "", "duration_s": 3.0, "resolution": "720p", "inputs": (film,), **changes}
    return GenerationRequest(Task.UPSCALE, "magnific_video_upscaler_creative", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("make", "size"), [(restyle, (180, 320)), (enlarge, (320, 180))])
def test_a_film_goes_up_is_changed_and_comes_back_at_the_estimated_price(
    runway: RunwayAdapter, film: InputAsset, tmp_path: Path, make: object, size: tuple[int, int]
) -> None:
    request: GenerationRequest = make(film)  # type: ignore[operator]
    accepted = runway.submit(request, runway.stage_inputs(request.inputs), idempotency_key="k")
    assert isinstance(accepted, Accepted)
    task = RemoteTask(accepted.remote_id, request.task, request.model, accepted.details)
    report = wait_for(lambda: next((r for r in [runway.poll(task)] if r.state.is_final), None))
    assert report.state is RemoteState.SUCCEEDED
    assert report.cost is not None
    assert float(report.cost.value) / 100 == pytest.approx(float(runway.estimate(request).amount), rel=0.1)
    (artefact,) = runway.fetch_output(report, tmp_path)
    video = probe(artefact.path).video
    assert video is not None
    assert (video.width, video.height) == size


def test_a_storage_that_fails_is_transient_and_costs_nothing(
    runway: RunwayAdapter, emulator: EmulatorProcess, film: InputAsset
) -> None:
    emulator.script({"vendor": "runway", "endpoint": "upload", "do": "status", "status": 503, "nth": [2]})
    with pytest.raises(Transient):
        runway.stage_inputs((film,))


def test_what_cannot_be_said_is_refused_before_anything_is_sent(runway: RunwayAdapter, film: InputAsset) -> None:
    staged = runway.stage_inputs((film,))
    for request, given, kind in (
        (enlarge(film, prompt="sharper"), staged, Unsupported),
        (restyle(film, options={"keyframes": []}), staged, Unsupported),
        (restyle(film), runway.stage_inputs(()), InvalidRequest),
    ):
        sent = len(runway.exchanges)
        with pytest.raises(kind):
            runway.submit(request, given, idempotency_key="k")
        assert len(runway.exchanges) == sent


def test_a_film_that_is_no_film_is_refused_by_its_size(runway: RunwayAdapter, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"x")
    with pytest.raises(InvalidRequest, match="512 bytes"):
        runway.stage_inputs((InputAsset(InputRole.VIDEO, empty, "video/mp4", "0" * 64),))
