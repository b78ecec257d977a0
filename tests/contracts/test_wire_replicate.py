"""Replicate on the wire: waiting for a run, deadlines, filters of callbacks and lists, problems, streams."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contracts.callback_receiver import callback_receiver
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire, lines_of_events

RUN = "/v1/models/google/veo-3-fast/predictions"
ASKED = {"input": {"prompt": "a kite", "duration": 4}}


@pytest.fixture
def replicate(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "replicate", {"Authorization": "Bearer r8_x"})


def test_a_create_that_prefers_to_wait_answers_with_the_output(replicate: Wire) -> None:
    for prefer in ("wait", "wait=30"):
        made = replicate("POST", RUN, json=ASKED, headers={"Prefer": prefer})
        assert (made.status_code, made.json()["status"]) == (201, "succeeded")
        assert "/files/replicate/" in made.json()["output"]
    assert replicate("POST", RUN, json=ASKED).json()["status"] == "starting"
    assert replicate("POST", RUN, json=ASKED, headers={"Prefer": "wait=61"}).status_code == 400


def test_a_wait_that_is_over_first_answers_with_the_run_as_it_is(replicate: Wire, emulator: EmulatorProcess) -> None:
    emulator.script({"vendor": "replicate", "endpoint": "submit", "do": "never_ends"})
    made = replicate("POST", RUN, json=ASKED, headers={"Prefer": "wait=1"})
    assert (made.status_code, made.json()["output"]) == (201, None)
    assert made.json()["status"] in ("starting", "processing")


def test_a_run_is_cancelled_at_its_deadline_and_a_bad_one_is_refused(
    replicate: Wire, emulator: EmulatorProcess
) -> None:
    emulator.script({"vendor": "replicate", "endpoint": "submit", "do": "never_ends"})
    made = replicate("POST", RUN, json=ASKED, headers={"Cancel-After": "5s"}).json()
    ended = wait_for(lambda: _over(replicate, made["id"]))
    assert ended["status"] == "canceled"
    assert ended["completed_at"] is not None
    assert replicate("POST", RUN, json=ASKED, headers={"Cancel-After": "soon"}).status_code == 422


def _over(replicate: Wire, run: str) -> dict[str, str] | None:
    view: dict[str, str] = replicate("GET", f"/v1/predictions/{run}").json()
    return view if view["status"] not in ("starting", "processing") else None


def test_callbacks_come_for_the_asked_events_only(replicate: Wire) -> None:
    with callback_receiver() as receiver:
        hook = {"webhook": receiver.url, "webhook_events_filter": ["start", "completed"]}
        made = replicate("POST", RUN, json={**ASKED, **hook}).json()

        def moments() -> set[str]:
            lines = replicate.emulator.lines()
            return {line["moment"] for line in lines if line.get("moment") and line["remote_id"] == made["id"]}

        wait_for(lambda: len(moments()) >= 2)
        told = [json.loads(item.body) for item in receiver.received]
    assert moments() == {"start", "completed"}
    assert {view["id"] for view in told} == {made["id"]}
    assert "succeeded" in {view["status"] for view in told}
    odd = {**ASKED, "webhook": "https://example.com", "webhook_events_filter": ["ended"]}
    assert replicate("POST", RUN, json=odd).status_code == 422


def test_problems_have_their_own_media_type_and_name_the_missing_fields(replicate: Wire) -> None:
    missing = replicate("POST", RUN, json={"input": {}})
    assert missing.headers["Content-Type"] == "application/problem+json"
    told = missing.json()
    assert (told["status"], told["title"]) == (422, "Input validation failed")
    assert told["invalid_fields"] == [{"type": "required", "field": "prompt", "description": "prompt is required"}]
    version = replicate("POST", "/v1/predictions", json={**ASKED, "version": "0" * 64})
    assert (version.status_code, version.json()["title"]) == (422, "Invalid version or not permitted")
    stranger = replicate.without_key()("GET", "/v1/account")
    assert (stranger.status_code, stranger.json()["title"]) == (401, "Unauthenticated")
    old_scheme = replicate.without_key()("GET", "/v1/account", headers={"Authorization": "Token r8_x"})
    assert old_scheme.status_code == 200


def test_a_list_is_narrowed_by_when_its_runs_were_made(replicate: Wire) -> None:
    made = replicate("POST", RUN, json=ASKED).json()["id"]
    moment = datetime.fromtimestamp(time.time() + 60, UTC).isoformat()
    before = replicate("GET", "/v1/predictions", params={"created_before": moment}).json()["results"]
    assert made in {view["id"] for view in before}
    assert replicate("GET", "/v1/predictions", params={"created_after": moment}).json()["results"] == []
    assert replicate("GET", "/v1/predictions", params={"created_after": "yesterday"}).status_code == 400


def test_a_run_can_be_streamed_to_its_end(replicate: Wire) -> None:
    made = replicate("POST", RUN, json=ASKED).json()
    stream = replicate.without_key()("GET", made["urls"]["stream"], headers={"Accept": "text/event-stream"})
    assert "event: done" in stream.text
    assert lines_of_events(stream)[0].startswith("http")


PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
LIPS = {"video": "https://example.com/a.mp4", "audio": "https://example.com/a.mp3"}
NEWER: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "google/veo-3.1": ({"prompt": "a kite", "duration": 4}, b"ftyp", "1.60"),
    "google/veo-3.1-fast": ({"prompt": "a kite", "duration": 4, "generate_audio": False}, b"ftyp", "0.40"),
    "kwaivgi/kling-v1.6-standard": ({"prompt": "a kite", "duration": 5}, b"ftyp", "0.25"),
    "kwaivgi/kling-v1.6-pro": ({"prompt": "a kite", "duration": 5}, b"ftyp", "0.49"),
    "kwaivgi/kling-v2.5-turbo-pro": ({"prompt": "a kite", "duration": 10}, b"ftyp", "0.70"),
    "kwaivgi/kling-v2.6": ({"prompt": "a kite", "duration": 5, "generate_audio": True}, b"ftyp", "0.70"),
    "minimax/video-01": ({"prompt": "a kite"}, b"ftyp", "0.498"),
    "minimax/video-01-live": ({"prompt": "a kite", "first_frame_image": PICTURE}, b"ftyp", "0.498"),
    "minimax/hailuo-02": ({"prompt": "a kite", "duration": 6, "mode": "pro"}, b"ftyp", "0.48"),
    "sync/lipsync-2": (LIPS, b"ftyp", "0.25"),
    "black-forest-labs/flux-schnell": ({"prompt": "a kite"}, b"PNG", "0.003"),
    "black-forest-labs/flux-dev": ({"prompt": "a kite"}, b"PNG", "0.025"),
    "black-forest-labs/flux-1.1-pro": ({"prompt": "a kite"}, b"PNG", "0.04"),
}


@pytest.mark.parametrize("model", NEWER)
def test_a_newer_model_names_what_it_lacks_and_makes_what_it_is_for_at_its_price(replicate: Wire, model: str) -> None:
    given, mark, price = NEWER[model]
    lacking = replicate("POST", f"/v1/models/{model}/predictions", json={"input": {}})
    fields = {field["field"] for field in lacking.json()["invalid_fields"]}
    assert (lacking.status_code, fields) == (422, set(given) & {"prompt", "first_frame_image", "video", "audio"})
    asked = {"input": given}
    made = replicate("POST", f"/v1/models/{model}/predictions", json=asked, headers={"Prefer": "wait=60"}).json()
    assert (made["model"], made["status"]) == (model, "succeeded")
    output = made["output"] if isinstance(made["output"], str) else made["output"][0]
    assert mark in replicate("GET", output).content[:12]
    (bill,) = [line for line in replicate.emulator.lines() if line.get("billed") and line["remote_id"] == made["id"]]
    assert float(bill["cost"]) == pytest.approx(float(price))
