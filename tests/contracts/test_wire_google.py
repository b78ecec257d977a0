"""The Gemini API and Vertex AI on the wire: keys in three places, both spellings of names, files, tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire, lines_of_events

TEXT = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
MODEL = "/v1beta/models/gemini-3.8-flash"
PLACE = "/v1beta1/projects/p/locations/us-central1/publishers/google/models"


@pytest.fixture
def gemini(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "gemini", {"x-goog-api-key": "x"})


def test_the_key_may_stand_in_the_query_and_its_absence_is_403(gemini: Wire) -> None:
    nobody = gemini.without_key()
    assert nobody("POST", f"{MODEL}:generateContent?key=x", json=TEXT).status_code == 200
    absent = nobody("POST", f"{MODEL}:generateContent", json=TEXT)
    assert (absent.status_code, absent.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    wrong = nobody("GET", "/v1beta/models", headers={"x-goog-api-key": "wrong"})
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_a_stream_is_events_or_a_list(gemini: Wire) -> None:
    events = gemini("POST", f"{MODEL}:streamGenerateContent?alt=sse", json=TEXT)
    assert lines_of_events(events)
    assert isinstance(gemini("POST", f"{MODEL}:streamGenerateContent", json=TEXT).json(), list)


def test_names_in_snake_case_are_read_too(gemini: Wire) -> None:
    config = {"response_mime_type": "application/json", "response_schema": {"type": "OBJECT", "properties": {}}}
    told = gemini("POST", f"{MODEL}:generateContent", json={**TEXT, "generation_config": config}).json()
    assert told["candidates"][0]["content"]["parts"][0]["text"].startswith("{")


def test_a_file_goes_up_in_two_steps_and_is_listed(gemini: Wire, frame: Path) -> None:
    data = frame.read_bytes()
    begin = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    kind = {"X-Goog-Upload-Header-Content-Type": "image/jpeg", "X-Goog-Upload-Header-Content-Length": str(len(data))}
    started = gemini("POST", "/upload/v1beta/files", headers={**begin, **kind}, json={"file": {"displayName": "a"}})
    finish = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    kept = gemini("POST", started.headers["X-Goog-Upload-URL"], headers=finish, data=data).json()["file"]
    listed = gemini("GET", "/v1beta/files", params={"pageSize": 100}).json()["files"]
    assert kept["name"] in {file["name"] for file in listed}
    assert gemini("DELETE", f"/v1beta/{kept['name']}").status_code == 200
    assert gemini("GET", f"/v1beta/{kept['name']}").json()["error"]["status"] == "NOT_FOUND"


def test_vertex_wants_a_token_and_answers_an_operation_only_by_post(emulator: EmulatorProcess) -> None:
    vertex = Wire(emulator, "vertex", {"Authorization": "Bearer ya29.x"})
    model = f"{PLACE}/veo-3.1-fast-generate-001"
    asked = {"instances": [{"prompt": "a kite"}], "parameters": {"durationSeconds": 4}}
    assert vertex.without_key()("POST", f"{model}:predictLongRunning", json=asked).status_code == 401
    name = vertex("POST", f"{model}:predictLongRunning", json=asked).json()["name"]
    assert vertex("POST", f"{model}:fetchPredictOperation", json={"operationName": name}).json()["name"] == name
    assert vertex("GET", f"/v1/{name}").status_code == 404
    lost = vertex("POST", f"{model}:fetchPredictOperation", json={"operationName": f"{name}x"})
    assert lost.json()["error"]["status"] == "NOT_FOUND"
    retired = vertex("POST", f"{PLACE}/veo-3.0-generate-001:predictLongRunning", json=asked)
    assert retired.status_code == 404


def test_an_interaction_answers_text_at_once_and_a_clip_when_it_is_done(gemini: Wire) -> None:
    said = gemini("POST", "/v1/interactions", json={"model": "gemini-3.8-flash", "input": "plan a kite"}).json()
    assert (said["status"], said["steps"][0]["content"][0]["type"]) == ("completed", "text")
    form = {"type": "video", "delivery": "uri", "aspect_ratio": "9:16", "resolution": "720p", "duration": "5s"}
    asked = {"model": "gemini-omni-1.2-flash", "background": True, "input": "a red kite", "response_format": [form]}
    made = gemini("POST", "/v1beta/interactions", json=asked).json()
    assert made["status"] == "in_progress"
    place = f"/v1beta/interactions/{made['id']}"
    done = wait_for(lambda: next((t for t in [gemini("GET", place).json()] if t["status"] == "completed"), None))
    (video,) = done["steps"][0]["content"]
    path = video["uri"].removeprefix("https://generativelanguage.googleapis.com")
    assert gemini("GET", path).content[4:8] == b"ftyp"
    long = {**asked, "response_format": [{**form, "duration": "40s"}]}
    assert gemini("POST", "/v1/interactions", json=long).json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_text_interaction_is_streamed_in_steps_whose_pieces_are_the_whole(gemini: Wire) -> None:
    asked = {"model": "gemini-3.8-flash", "input": "plan a kite", "stream": True}
    answer = gemini("POST", "/v1/interactions", json=asked)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    *told, end = lines_of_events(answer)
    events = [json.loads(line) for line in told]
    kinds = [event["event_type"] for event in events]
    assert (kinds[0], kinds[1], kinds[-2], kinds[-1], end) == (
        "interaction.created", "step.start", "step.stop", "interaction.completed", "[DONE]",
    )  # fmt: skip
    pieces = [event["delta"]["text"] for event in events if event["event_type"] == "step.delta"]
    assert "".join(pieces) == events[-1]["interaction"]["steps"][0]["content"][0]["text"]
    assert len(pieces) > 1
    kept = gemini("GET", f"/v1/interactions/{events[0]['interaction']['id']}").json()
    assert kept["status"] == "completed"


def test_an_interaction_is_cancelled_and_then_told_so(emulator: EmulatorProcess, gemini: Wire) -> None:
    emulator.script({"vendor": "gemini", "endpoint": "submit", "do": "never_ends"})
    made = gemini("POST", "/v1/interactions", json={"model": "gemini-omni-1.1-flash", "input": "a kite"}).json()["id"]
    assert gemini("POST", f"/v1/interactions/{made}/cancel").json()["status"] == "cancelled"
    assert gemini("GET", f"/v1/interactions/{made}").json()["status"] == "cancelled"
    assert gemini("GET", "/v1/interactions/none").status_code == 404


def test_vertex_has_interactions_below_a_project(emulator: EmulatorProcess) -> None:
    vertex = Wire(emulator, "vertex", {"Authorization": "Bearer ya29.x"})
    place = "/v1beta1/projects/p/locations/global/interactions"
    form = {"type": "video", "gcs_uri": "gs://bucket/films", "duration": "3s"}
    asked = {"model": "gemini-omni-1.2-flash", "input": [{"type": "text", "text": "a kite"}], "response_format": form}
    made = vertex("POST", place, json=asked).json()["id"]
    done = wait_for(lambda: next((t for t in [vertex("GET", f"{place}/{made}").json()] if "steps" in t), None))
    assert done["steps"][0]["content"][0]["uri"].startswith("gs://bucket/films/")
