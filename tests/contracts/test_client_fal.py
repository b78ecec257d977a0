"""fal's own client: the queue by handle and by id, both upload ways, the synchronous host, its errors."""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="unused-ignore"

from __future__ import annotations

from pathlib import Path

import fal_client
import pytest
from fal_client import FalClientHTTPError

from tests.contracts.emulator_process import EmulatorProcess

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]

PIKA = "fal-ai/pika/v2.2"


@pytest.fixture
def fal(emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> fal_client.SyncClient:
    root = f"{emulator.url}/fal"
    for name, value in (
        ("QUEUE_URL_FORMAT", f"{root}/"),
        ("RUN_URL_FORMAT", f"{root}/run/"),
        ("REST_URL", root),
        ("CDN_URL", root),
    ):
        monkeypatch.setattr(fal_client.client, name, value)
    return fal_client.SyncClient(key="id:secret")


@pytest.mark.parametrize("place", ["fal_v3", "fal"])
def test_a_picture_goes_up_both_ways_and_becomes_a_clip(fal: fal_client.SyncClient, frame: Path, place: str) -> None:
    url = fal.upload(frame.read_bytes(), "image/jpeg", file_name="frame.jpg", repository=place)  # type: ignore[arg-type]
    result = fal.subscribe(f"{PIKA}/image-to-video", {"prompt": "steam rises", "image_url": url})
    assert result["video"]["content_type"] == "video/mp4"


def test_a_request_is_followed_and_cancelled_by_its_id(fal: fal_client.SyncClient) -> None:
    handle = fal.submit(f"{PIKA}/text-to-video", {"prompt": "a kite"}, priority="low", hint="kite", start_timeout=30)
    state = fal.status(f"{PIKA}/text-to-video", handle.request_id, with_logs=True)
    assert isinstance(state, fal_client.Queued | fal_client.InProgress)
    fal.cancel(f"{PIKA}/text-to-video", handle.request_id)
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")


def test_the_synchronous_host_answers_with_the_result(fal: fal_client.SyncClient) -> None:
    assert fal.run(f"{PIKA}/text-to-video", {"prompt": "a kite"})["video"]["url"]


def test_a_failure_is_in_the_result_and_not_in_the_state(fal: fal_client.SyncClient, emulator: EmulatorProcess) -> None:
    emulator.script({"vendor": "fal", "endpoint": "submit", "do": "refuse_at_end"})
    handle = fal.submit(f"{PIKA}/text-to-video", {"prompt": "a kite"})
    with pytest.raises(FalClientHTTPError) as caught:
        handle.get()
    assert caught.value.status_code == 422
    assert isinstance(handle.status(), fal_client.Completed)


def test_every_mistake_has_its_status(fal: fal_client.SyncClient) -> None:
    stranger = fal_client.SyncClient(key="wrong:key")
    for status, call in (
        (422, lambda: fal.submit(f"{PIKA}/text-to-video", {})),
        (422, lambda: fal.submit(f"{PIKA}/text-to-video", {"prompt": "x", "duration": "7"})),
        (404, lambda: fal.submit("fal-ai/nothing/here", {"prompt": "x"})),
        (404, lambda: fal.status("fal-ai/pika", "nothing")),
        (401, lambda: stranger.submit(f"{PIKA}/text-to-video", {"prompt": "x"})),
    ):
        with pytest.raises(FalClientHTTPError) as caught:
            call()
        assert caught.value.status_code == status
