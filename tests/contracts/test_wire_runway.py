"""RunwayML on the wire: the version header, uploads as a form, errors with their issues, deletion."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.wire import Wire

STILL = {"model": "gen4_image", "promptText": "a kite", "ratio": "1280:720"}


@pytest.fixture
def runway(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "runway", {"Authorization": "Bearer key_x", "X-Runway-Version": "2024-11-06"})


def test_every_call_needs_the_key_and_a_known_version(runway: Wire) -> None:
    assert runway.without_key()("GET", "/v1/organization").status_code == 401
    for version in ("", "2020-01-01"):
        answer = runway("GET", "/v1/organization", headers={"X-Runway-Version": version})
        assert (answer.status_code, "X-Runway-Version" in answer.json()["error"]) == (400, True)


def test_an_upload_is_a_form_with_the_fields_first_and_its_uri_is_used(runway: Wire, frame: Path) -> None:
    place = runway("POST", "/v1/uploads", json={"filename": "frame.jpg", "type": "ephemeral"}).json()
    files = {"file": ("frame.jpg", frame.read_bytes(), "image/jpeg")}
    assert runway.without_key()("POST", place["uploadUrl"], data=place["fields"], files=files).status_code == 204
    asked = {**STILL, "referenceImages": [{"uri": place["runwayUri"], "tag": "cup"}]}
    assert runway("POST", "/v1/text_to_image", json=asked).json()["id"]
    gone = {**STILL, "referenceImages": [{"uri": "runway://" + "0" * 32}]}
    assert runway("POST", "/v1/text_to_image", json=gone).status_code == 400


def test_a_bad_field_is_named_and_a_retired_model_has_a_hint(runway: Wire) -> None:
    told = runway("POST", "/v1/text_to_image", json={**STILL, "ratio": "1:1"}).json()
    assert told["issues"][0]["path"] == ["ratio"]
    retired = runway("POST", "/v1/image_to_video", json={"model": "gen3a_turbo"})
    assert "gen4_turbo" in retired.json()["error"]


def test_a_deleted_task_is_gone(runway: Wire) -> None:
    made = runway("POST", "/v1/text_to_image", json=STILL).json()["id"]
    deleted = runway("DELETE", f"/v1/tasks/{made}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert runway("GET", f"/v1/tasks/{made}").json() == {"error": "Task not found"}
