"""KlingAI on the wire: both designs, signed tokens, codes, lists, sound in the legacy design."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire


@pytest.fixture
def kling(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "kling", {"Authorization": f"Bearer {uuid.uuid4().hex}"})


def token(**claims: Any) -> str:
    """A token as the reference says: HS256 over access key, expiry and not-before."""
    now = int(time.time())
    head = {"alg": "HS256", "typ": "JWT"}
    body = {"iss": "emulator-access-key", "exp": now + 1800, "nbf": now - 5, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)]
    text = ".".join(parts)
    signature = hmac.new(b"emulator-secret-key", text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_task_of_the_new_design_is_found_by_both_ids_and_in_the_list(kling: Wire) -> None:
    key = uuid.uuid4().hex
    asked = {"prompt": "a kite", "settings": {"duration": 3}, "options": {"external_task_id": key}}
    made = kling("POST", "/text-to-video/kling-3.0", json=asked).json()["data"]
    for query in ({"task_ids": made["id"]}, {"external_task_ids": key}):
        (task,) = kling("GET", "/tasks", params=query).json()["data"]
        assert (task["id"], task["external_id"]) == (made["id"], key)
    page = kling("POST", "/tasks", json={"limit": 1}).json()["data"]
    assert (page["result"][0]["id"], page["has_more"]) == (made["id"], False)
    again = kling("POST", "/text-to-video/kling-3.0", json=asked)
    assert (again.status_code, again.json()["code"]) == (400, 1201)


@pytest.mark.parametrize(
    ("claims", "code"), [({"exp": 1}, 1004), ({"nbf": 9_999_999_999}, 1003), ({"iss": "other"}, 1000)]
)
def test_a_signed_token_is_for_the_legacy_design_and_is_checked(kling: Wire, claims: dict[str, Any], code: int) -> None:
    good = {"Authorization": f"Bearer {token()}"}
    assert kling("GET", "/v1/videos/text2video", headers=good).json()["code"] == 0
    assert kling("GET", "/tasks", params={"task_ids": "1"}, headers=good).json()["code"] == 1002
    bad = kling("GET", "/v1/videos/text2video", headers={"Authorization": f"Bearer {token(**claims)}"})
    assert (bad.status_code, bad.json()["code"]) == (401, code)
    assert kling.without_key()("GET", "/account/costs").json()["code"] == 1001


def test_sound_and_scale_of_the_legacy_design_are_checked_by_model(kling: Wire) -> None:
    asked = {"model_name": "kling-v3", "prompt": "a kite", "duration": "3", "sound": "on"}
    assert kling("POST", "/v1/videos/text2video", json=asked).json()["code"] == 0
    for change in ({"model_name": "kling-v1", "duration": "5"}, {"cfg_scale": 2}, {"duration": 3}, {"mode": "max"}):
        answer = kling("POST", "/v1/videos/text2video", json={**asked, **change})
        assert (answer.status_code, answer.json()["code"]) == (400, 1201)


def test_a_legacy_task_is_read_by_either_id_and_listed_in_pages(kling: Wire) -> None:
    key = uuid.uuid4().hex
    asked = {"model_name": "kling-v1-6", "prompt": "a kite", "external_task_id": key}
    made = kling("POST", "/v1/videos/text2video", json=asked).json()["data"]
    assert made["task_status"] == "submitted"
    for name in (made["task_id"], key):
        assert kling("GET", f"/v1/videos/text2video/{name}").json()["data"]["task_id"] == made["task_id"]
    listed = kling("GET", "/v1/videos/text2video", params={"pageNum": 1, "pageSize": 1}).json()["data"]
    assert [task["task_id"] for task in listed] == [made["task_id"]]
    assert kling("GET", "/v1/videos/image2video/1").json()["code"] == 1203
    assert kling("POST", "/image-to-video/kling-9", json={"contents": []}).json()["code"] == 1203


def made(kling: Wire, path: str, **body: Any) -> dict[str, Any]:
    """What a task of the older design has made."""
    told = kling("POST", path, json=body)
    assert told.status_code == 200, told.text
    task = told.json()["data"]["task_id"]

    def finished() -> dict[str, Any] | None:
        data: dict[str, Any] = kling("GET", f"{path}/{task}").json()["data"]
        assert data["task_status"] != "failed", data
        return data["task_result"] if data["task_status"] == "succeed" else None

    return wait_for(finished)


def test_effects_avatars_omni_and_motion_make_films(kling: Wire, frame: Path) -> None:
    picture = base64.b64encode(frame.read_bytes()).decode()
    film = {"video_url": "https://example.com/a.mp4"}
    for path, body in (
        ("/v1/videos/effects", {"effect_scene": "squish", "input": {"image": picture}}),
        ("/v1/videos/avatar/image2video", {"image": picture, "audio_id": "a-1", "prompt": "she nods"}),
        ("/v1/videos/omni-video", {"prompt": "a cup", "image_list": [{"image_url": picture}], "duration": "3"}),
        ("/v1/videos/motion-control", {"image_url": picture, **film, "character_orientation": "image"}),
    ):
        (video,) = made(kling, path, **body)["videos"]
        assert kling("GET", video["url"]).content[4:8] == b"ftyp", path
        assert len(kling("GET", path).json()["data"]) == 1
    lips = {"mode": "text2video", "text": "Hello", "voice_id": "girl", "voice_language": "en", **film}
    assert made(kling, "/v1/videos/lip-sync", input=lips)["videos"]
    contents = [{"type": "image", "url": picture}, {"type": "video", "url": film["video_url"]}]
    new = kling("POST", "/motion-control/kling-3.0", json={"contents": contents}).json()["data"]
    assert kling("GET", "/tasks", params={"task_ids": new["id"]}).json()["data"][0]["id"] == new["id"]


def test_sounds_pictures_and_try_ons_have_results_of_their_own(kling: Wire, frame: Path) -> None:
    picture = base64.b64encode(frame.read_bytes()).decode()
    said = kling("POST", "/v1/audio/tts", json={"text": "one two", "voice_id": "genshin", "voice_language": "en"})
    (speech,) = said.json()["data"]["task_result"]["audios"]
    assert kling("GET", speech["url"]).headers["Content-Type"] == "audio/mpeg"
    (bell,) = made(kling, "/v1/audio/text-to-audio", prompt="a bell", duration=3.0)["audios"]
    assert kling("GET", bell["url_mp3"]).status_code == 200
    two = made(kling, "/v1/images/generations", model_name="kling-v2", prompt="a cup", n=2)["images"]
    assert [image["index"] for image in two] == [0, 1]
    assert kling("GET", two[1]["url"]).content.startswith(b"\x89PNG")
    worn = made(kling, "/v1/images/kolors-virtual-try-on", human_image=picture, cloth_image=picture)["images"]
    assert len(worn) == 1
    rows = kling("POST", "/account/billing/balance", json={"limit": 10}).json()["data"]["result"]
    assert len(rows) == 4
    assert all(float(row["amount"]) > 0 for row in rows)


def test_what_is_wrong_with_these_is_said_with_the_service_code(kling: Wire) -> None:
    for path, body in (
        ("/v1/videos/effects", {"effect_scene": "squish", "input": {}}),
        ("/v1/videos/avatar/image2video", {"image": "https://example.com/a.jpg"}),
        ("/v1/videos/lip-sync", {"input": {"mode": "karaoke", "video_url": "https://example.com/a.mp4"}}),
        ("/v1/audio/tts", {"text": "hello"}),
        ("/v1/images/generations", {"prompt": "a cup", "n": 12}),
    ):
        answer = kling("POST", path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, 1201), path
    assert kling("POST", "/v1/videos/karaoke", json={}).json()["code"] == 1202
