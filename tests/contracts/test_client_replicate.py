"""Replicate's own client: pinned versions, files, deployments, pages, its errors."""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import io
import uuid
from pathlib import Path

import pytest
from replicate import Client
from replicate.exceptions import ModelError, ReplicateError

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]

SVD = "stability-ai/stable-video-diffusion"


@pytest.fixture
def replicate(emulator: EmulatorProcess) -> Client:
    return Client(api_token="r8_client", base_url=f"{emulator.url}/replicate")


def newest(replicate: Client, name: str) -> str:
    version = replicate.models.get(name).latest_version
    assert version is not None
    return version.id


def test_a_community_model_runs_by_its_pinned_version_with_a_file_that_the_client_uploads(
    replicate: Client, frame: Path, film: bytes
) -> None:
    asked = {"input_image": io.BytesIO(frame.read_bytes()), "frames_per_second": 7}
    made = replicate.predictions.create(version=newest(replicate, SVD), input=asked)
    told = replicate.predictions.create(
        version=f"openai/whisper:{newest(replicate, 'openai/whisper')}", input={"audio": io.BytesIO(film)}
    )
    for prediction in (made, told):
        prediction.wait()
        assert prediction.status == "succeeded"
    assert ".mp4" in str(made.output)
    assert isinstance(told.output, dict)
    assert told.output["segments"]


def test_run_waits_and_gives_the_output(replicate: Client) -> None:
    (picture,) = replicate.run(f"stability-ai/sdxl:{newest(replicate, 'stability-ai/sdxl')}", input={"prompt": "a cup"})
    assert ".png" in str(picture)


def test_a_deployment_and_a_model_of_ones_own_take_predictions(replicate: Client) -> None:
    assert replicate.deployments.predictions.create("acme/veo-3", {"prompt": "a kite"}).status == "starting"
    with pytest.raises(ReplicateError) as caught:
        replicate.deployments.predictions.create("acme/nothing", {"prompt": "a kite"})
    assert caught.value.status == 404


def test_files_are_kept_listed_and_deleted(replicate: Client, frame: Path) -> None:
    kept = replicate.files.create(io.BytesIO(frame.read_bytes()), filename="frame.jpg", content_type="image/jpeg")
    assert replicate.files.get(kept.id).size == frame.stat().st_size
    assert kept.id in {file.id for file in replicate.files.list()}
    replicate.files.delete(kept.id)
    with pytest.raises(ReplicateError) as caught:
        replicate.files.get(kept.id)
    assert caught.value.status == 404


def test_predictions_are_listed_in_pages_of_a_hundred(emulator: EmulatorProcess) -> None:
    replicate = Client(api_token=f"r8_{uuid.uuid4().hex}", base_url=f"{emulator.url}/replicate")
    made = {replicate.models.predictions.create("google/veo-3", {"prompt": "x"}).id for _ in range(102)}
    first = replicate.predictions.list()
    assert first.next is not None
    second = replicate.predictions.list(first.next)
    assert {item.id for item in (*first.results, *second.results)} == made
    assert (len(second.results), second.next) == (2, None)


def test_what_can_be_run_is_listed_and_found(replicate: Client) -> None:
    assert {"gpu-t4", "gpu-h100"} <= {hardware.sku for hardware in replicate.hardware.list()}
    assert SVD in {f"{model.owner}/{model.name}" for model in replicate.models.search("diffusion").results}
    assert [v.id for v in replicate.models.get(SVD).versions.list()] == [newest(replicate, SVD)]
    assert replicate.webhooks.default.secret().key.startswith("whsec_")


def test_every_mistake_is_a_problem_with_its_status(replicate: Client, emulator: EmulatorProcess) -> None:
    stranger = Client(api_token="wrong", base_url=f"{emulator.url}/replicate")
    for status, call in (
        (422, lambda: replicate.models.predictions.create("google/veo-3", {})),
        (422, lambda: replicate.models.predictions.create("google/veo-3", {"prompt": "x", "duration": 5})),
        (422, lambda: replicate.predictions.create(version="0" * 64, input={"prompt": "x"})),
        (404, lambda: replicate.predictions.get("nothing")),
        (401, stranger.accounts.current),
    ):
        with pytest.raises(ReplicateError) as caught:
            call()
        assert caught.value.status == status


def test_a_failed_run_is_a_model_error_and_a_cancelled_one_stays_cancelled(
    replicate: Client, emulator: EmulatorProcess
) -> None:
    emulator.script({"vendor": "replicate", "endpoint": "submit", "do": "fail_at_end"})
    with pytest.raises(ModelError):
        replicate.run("google/veo-3", input={"prompt": "x", "duration": 4})
    emulator.script()
    made = replicate.models.predictions.create("google/veo-3", {"prompt": "x", "duration": 8})
    made.cancel()
    assert wait_for(lambda: replicate.predictions.get(made.id).status == "canceled")
