"""fal on the wire: the queue's stream, both upload ways of its JavaScript client, headers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.wire import Wire, lines_of_events

TEXT = "/fal-ai/pika/v2.2/text-to-video"
REQUESTS = "/fal-ai/pika/requests"


@pytest.fixture
def fal(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "fal", {"Authorization": "Key id:secret"})


def test_a_stream_of_states_ends_only_when_the_request_is_completed(fal: Wire) -> None:
    made = fal("POST", TEXT, json={"prompt": "a kite"}, headers={"X-Fal-Queue-Priority": "normal"}).json()
    stream = fal(
        "GET", f"{REQUESTS}/{made['request_id']}/status/stream?logs=1", headers={"Accept": "text/event-stream"}
    )
    states = [json.loads(line)["status"] for line in lines_of_events(stream)]
    order = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert states == [state for state in order if state in states]  # each once, in order; a slow reader misses some
    assert states[-1] == "COMPLETED"
    result = fal("GET", f"{REQUESTS}/{made['request_id']}")
    assert result.json()["video"]["content_type"] == "video/mp4"


def test_a_result_asked_for_too_early_and_a_follow_up_below_the_whole_path_are_refused(fal: Wire) -> None:
    fal.emulator.script({"vendor": "fal", "endpoint": "submit", "do": "never_ends"})
    made = fal("POST", TEXT, json={"prompt": "a kite"}).json()
    assert made["status_url"].endswith(f"{REQUESTS}/{made['request_id']}/status")
    early = fal("GET", f"{REQUESTS}/{made['request_id']}")
    assert (early.status_code, early.json()["detail"]) == (400, "Request is still in progress")
    assert fal("GET", f"{TEXT}/requests/{made['request_id']}/status").status_code == 405
    assert fal("PUT", f"{REQUESTS}/{made['request_id']}/cancel").json() == {"status": "CANCELLATION_REQUESTED"}


def test_a_file_goes_up_in_one_piece_or_in_parts_and_answers_with_json(fal: Wire, frame: Path) -> None:
    about = {"content_type": "image/jpeg", "file_name": "frame.jpg"}
    place = fal("POST", "/storage/upload/initiate?storage_type=fal-cdn-v3", json=about).json()
    put = fal.without_key()("PUT", place["upload_url"], data=frame.read_bytes(), headers={"Content-Type": "image/jpeg"})
    assert put.status_code == 200
    assert "json" not in put.headers["Content-Type"], "the client would read a body that is not there"
    stored = fal.without_key()("GET", place["file_url"])
    assert (stored.content, stored.headers["Content-Type"]) == (frame.read_bytes(), "image/jpeg")
    place = fal("POST", "/storage/upload/initiate-multipart?storage_type=fal-cdn-v3", json=about).json()
    data, parts = frame.read_bytes(), []
    for number, piece in enumerate((data[:50_000], data[50_000:]), start=1):
        told = fal.without_key()("PUT", f"{place['upload_url']}/{number}", data=piece).json()
        parts.append({"partNumber": told["partNumber"], "etag": told["etag"]})
    assert fal.without_key()("POST", f"{place['upload_url']}/complete", json={"parts": parts[:1]}).status_code == 200
    assert fal.without_key()("POST", f"{place['upload_url']}/complete", json={"parts": parts}).status_code == 200
    assert fal.without_key()("GET", place["file_url"]).content == data
    wrong = [{**parts[0], "etag": "none"}]
    assert fal.without_key()("POST", f"{place['upload_url']}/complete", json={"parts": wrong}).status_code == 400


def test_the_key_comes_first_and_a_start_deadline_must_be_a_number_above_one(fal: Wire) -> None:
    assert fal.without_key()("POST", TEXT, json={"prompt": "x"}).status_code == 401
    assert (
        fal.without_key()("POST", TEXT, json={"prompt": "x"}, headers={"Authorization": "Bearer x"}).status_code == 401
    )
    for text in ("1", "soon"):
        answer = fal("POST", TEXT, json={"prompt": "x"}, headers={"X-Fal-Request-Timeout": text})
        assert (answer.status_code, answer.json()["error_type"]) == (400, "bad_request")


def test_a_picture_model_makes_as_many_pictures_as_asked_in_their_size(fal: Wire) -> None:
    asked = {"prompt": "a cup", "image_size": "portrait_16_9", "num_images": 2}
    told = fal("POST", "/run/fal-ai/flux/schnell", json=asked).json()
    assert [(image["width"], image["height"]) for image in told["images"]] == [(576, 1024)] * 2
    first, second = (fal("GET", image["url"]).content for image in told["images"])
    assert first.startswith(b"\xff\xd8")
    assert first != second
    edit = {"prompt": "a cup", "image_urls": ["https://example.com/a.jpg"], "output_format": "png"}
    assert fal("POST", "/run/fal-ai/nano-banana/edit", json=edit).json()["images"][0]["content_type"] == "image/png"
    wrong = fal("POST", "/run/fal-ai/flux/dev", json={"prompt": "a cup", "num_images": 9})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "num_images"])
    assert fal("POST", "/run/fal-ai/no-such-model", json={"prompt": "a cup"}).status_code == 404
