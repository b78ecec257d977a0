"""RunwayML's own client: every generating call, uploads, errors as its classes, its retries."""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import requests
import runwayml
from runwayml import RunwayML

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.inputs import data_uri
from tests.contracts.waiting import wait_for

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]

KEY = "key_" + "a" * 128


@pytest.fixture
def runway(emulator: EmulatorProcess) -> RunwayML:
    return RunwayML(api_key=KEY, base_url=f"{emulator.url}/runway", max_retries=0)


def finished(runway: RunwayML, made: Any) -> bytes:
    """The first output of a task that has been made."""

    def report() -> Any:
        task = runway.tasks.retrieve(made.id)
        assert task.status not in ("FAILED", "CANCELLED"), task
        return task if task.status == "SUCCEEDED" else None

    return requests.get(wait_for(report, seconds=60).output[0], timeout=60).content


def test_pictures_become_clips_from_a_data_uri_alone_or_with_a_last_frame(runway: RunwayML, frame: Path) -> None:
    picture = data_uri(frame)
    alone = runway.image_to_video.create(model="gen4_turbo", prompt_image=picture, ratio="1280:720", duration=2)
    both = runway.image_to_video.create(
        model="veo3.1_fast",
        prompt_image=[{"uri": picture, "position": "first"}, {"uri": picture, "position": "last"}],
        prompt_text="a kite",
        ratio="1280:720",
        duration=4,
        audio=True,
    )
    assert finished(runway, alone)[4:8] == b"ftyp"
    assert finished(runway, both)[4:8] == b"ftyp"


def test_an_uploaded_film_is_restyled_and_enlarged(runway: RunwayML, film: bytes) -> None:
    upload = runway.uploads.create_ephemeral(file=("film.mp4", io.BytesIO(film), "video/mp4"))
    restyled = runway.video_to_video.create(model="aleph2", video_uri=upload.uri, prompt_text="at night")
    larger = runway.video_upscale.create(
        model="magnific_video_upscaler_creative", video_uri=upload.uri, resolution="720p"
    )
    assert finished(runway, restyled)[4:8] == b"ftyp"
    assert finished(runway, larger)[4:8] == b"ftyp"


def test_pictures_sounds_and_speech_are_made(runway: RunwayML, frame: Path) -> None:
    still = runway.text_to_image.create(
        model="gen4_image",
        prompt_text="@bottle on a table",
        ratio="1280:720",
        reference_images=[{"uri": data_uri(frame), "tag": "bottle"}],
    )
    sound = runway.sound_effect.create(model="eleven_text_to_sound_v2", prompt_text="a bell", duration=1.0)
    assert finished(runway, still)[1:4] == b"PNG"
    assert finished(runway, sound)


def test_credits_are_kept_by_day_and_balance(runway: RunwayML) -> None:
    before = runway.organization.retrieve().credit_balance
    made = runway.text_to_video.create(model="gen4.5", prompt_text="a kite", ratio="1280:720", duration=2)
    assert runway.organization.retrieve().credit_balance == before - 24
    assert "gen4.5" in runway.organization.retrieve_usage().models
    assert made.estimated_cost is not None
    assert made.estimated_cost.credits == 24


def test_every_mistake_is_the_clients_own_error(runway: RunwayML, emulator: EmulatorProcess) -> None:
    with pytest.raises(runwayml.BadRequestError, match="ratio"):
        runway.text_to_video.create(model="gen4.5", prompt_text="x", ratio="1:1", duration=2)  # type: ignore[call-overload]
    with pytest.raises(runwayml.BadRequestError, match="use aleph2"):
        runway.video_to_video.create(model="gen4_aleph", video_uri="https://x.example/a.mp4", prompt_text="x")  # type: ignore[call-overload]
    with pytest.raises(runwayml.BadRequestError, match="HTTPS"):
        runway.image_to_video.create(model="gen4_turbo", prompt_image="http://x.example/a.jpg", ratio="1280:720")
    for call in (runway.tasks.retrieve, runway.tasks.delete):
        with pytest.raises(runwayml.NotFoundError):
            call("17f20503-6c24-4c16-946b-35dbbce2af2f")
    with pytest.raises(runwayml.AuthenticationError):
        RunwayML(api_key="wrong", base_url=f"{emulator.url}/runway", max_retries=0).organization.retrieve()


def test_the_version_header_is_required_and_a_wrong_method_is_told_so(emulator: EmulatorProcess) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    root = f"{emulator.url}/runway/v1"
    assert requests.get(f"{root}/organization", headers=headers, timeout=20).status_code == 400
    answer = requests.put(f"{root}/organization", headers=headers, timeout=20)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_a_passing_fault_is_retried_by_the_client(emulator: EmulatorProcess) -> None:
    patient = RunwayML(api_key=KEY, base_url=f"{emulator.url}/runway", max_retries=2)
    emulator.script({"vendor": "runway", "endpoint": "account", "do": "status", "status": 503, "nth": [1]})
    assert patient.organization.retrieve().credit_balance > 0
    assert emulator.fired() == 1
    emulator.script({"vendor": "runway", "endpoint": "submit", "do": "rate_limited", "retry_after": 0.1})
    with pytest.raises(runwayml.RateLimitError):
        patient.text_to_video.create(model="gen4.5", prompt_text="x", ratio="1280:720", duration=2)
