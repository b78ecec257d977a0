"""The Gemini API and Vertex AI on the wire: keys in three places, both spellings of names, files, tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.emulator_process import EmulatorProcess
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
