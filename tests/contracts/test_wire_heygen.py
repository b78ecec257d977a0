"""HeyGen on the wire: pictures given three ways, registered webhook endpoints, bulk states, deletion."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.callback_receiver import callback_receiver
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire

HOOKS = "/v3/webhooks/endpoints"
VIDEO = {"type": "avatar", "avatar_id": "look-ada", "script": "Cold brew for slow mornings"}


@pytest.fixture
def heygen(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "heygen", {"X-Api-Key": uuid.uuid4().hex})


def test_a_picture_is_taken_as_an_address_as_base64_and_as_an_asset(heygen: Wire, frame: Path) -> None:
    files = {"file": ("frame.jpg", frame.read_bytes(), "image/jpeg")}
    asset = heygen("POST", "/v3/assets", files=files).json()["data"]["asset_id"]
    data = base64.b64encode(frame.read_bytes()).decode()
    for image in (
        {"type": "url", "url": "https://example.com/a.jpg"},
        {"type": "base64", "media_type": "image/jpeg", "data": data},
        {"type": "asset_id", "asset_id": asset},
    ):
        made = heygen("POST", "/v3/videos", json={"type": "image", "image": image, "script": "Hello"})
        assert made.status_code == 200, made.text
    plain = {"type": "image", "image": {"type": "url", "url": "http://example.com/a.jpg"}, "script": "Hello"}
    assert heygen("POST", "/v3/videos", json=plain).json()["error"]["param"] == "image"


def test_a_registered_endpoint_is_called_with_its_own_secret_until_it_is_switched_off(heygen: Wire) -> None:
    with callback_receiver() as receiver:
        hook = heygen("POST", HOOKS, json={"url": receiver.url, "events": ["avatar_video.success"]}).json()["data"]
        secret = heygen("POST", f"{HOOKS}/{hook['endpoint_id']}/rotate-secret").json()["data"]["secret"]
        assert secret != hook["secret"]
        made = heygen("POST", "/v3/videos", json=VIDEO).json()["data"]["video_id"]
        (call,) = wait_for(lambda: receiver.received)
    told = json.loads(call.body)
    assert (told["event_type"], told["event_data"]["video_id"]) == ("avatar_video.success", made)
    assert call.headers["Heygen-Signature"] == hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    one = f"{HOOKS}/{hook['endpoint_id']}"
    assert heygen("PATCH", one, json={"status": "disabled"}).json()["data"]["status"] == "disabled"
    (listed,) = heygen("GET", HOOKS).json()["data"]
    assert "secret" not in listed
    assert heygen("DELETE", one).status_code == 200
    assert heygen("DELETE", one).json()["error"]["code"] == "resource_not_found"


def test_an_endpoint_must_be_public_and_its_events_must_exist(heygen: Wire) -> None:
    for body in ({"url": "http://example.com/x"}, {"url": "https://example.com/x", "events": ["video.done"]}):
        answer = heygen("POST", HOOKS, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter")


def test_many_states_are_read_at_once_and_a_deleted_video_is_gone(heygen: Wire) -> None:
    made = heygen("POST", "/v3/videos", json=VIDEO).json()["data"]["video_id"]
    entries: list[dict[str, Any]] = heygen("GET", "/v3/videos/statuses", params={"video_ids": f"{made},none"}).json()[
        "data"
    ]
    assert [entry["video_id"] for entry in entries] == [made, "none"]
    assert entries[1]["status"] == "not_found"
    assert heygen("DELETE", f"/v3/videos/{made}").json()["data"] == {"id": made, "deleted": True}
    assert heygen("GET", f"/v3/videos/{made}").json()["error"]["code"] == "video_not_found"
    assert heygen("GET", "/v3/videos").json()["data"] == []


def test_an_oauth_token_signs_in_too_and_groups_have_looks(heygen: Wire) -> None:
    token = heygen.without_key()("GET", "/v3/users/me", headers={"Authorization": "Bearer token"})
    assert token.status_code == 200
    group = heygen("GET", "/v3/avatars").json()["data"][0]["id"]
    looks = heygen("GET", "/v3/avatars/looks", params={"group_id": group}).json()["data"]
    assert [look["group_id"] for look in looks] == [group]
    assert heygen.without_key()("GET", "/v3/users/me").json()["error"]["code"] == "unauthorized"


SPOKEN = {
    "character": {"type": "avatar", "avatar_id": "look-ada", "avatar_style": "normal"},
    "voice": {"type": "text", "voice_id": "voice-en-1", "input_text": "Cold brew for slow mornings"},
}


def test_the_second_version_makes_a_video_in_its_own_envelopes(heygen: Wire) -> None:
    asked = {"video_inputs": [SPOKEN], "dimension": {"width": 640, "height": 360}, "callback_id": "job-42"}
    made = heygen("POST", "/v2/video/generate", json=asked).json()
    assert made["error"] is None
    named = {"video_id": made["data"]["video_id"]}

    def done() -> dict[str, Any] | None:
        told: dict[str, Any] = heygen("GET", "/v1/video_status.get", params=named).json()
        assert (told["code"], told["message"]) == (100, "Success")
        return told["data"] if told["data"]["status"] == "completed" else None

    video = wait_for(done)
    assert (video["callback_id"], video["duration"], video["error"]) == ("job-42", 2.0, None)
    assert heygen("GET", video["video_url"]).content[4:8] == b"ftyp"
    (listed,) = heygen("GET", "/v1/video.list").json()["data"]["videos"]
    assert listed["video_id"] == named["video_id"]
    assert heygen("GET", "/v2/user/remaining_quota").json()["data"]["remaining_quota"] < 360_000
    assert heygen("DELETE", "/v1/video.delete", params=named).json()["code"] == 100
    assert heygen("GET", "/v1/video_status.get", params=named).status_code == 404


def test_the_second_version_refuses_in_its_own_words(heygen: Wire) -> None:
    for scene, code in (
        ({**SPOKEN, "character": {"type": "avatar", "avatar_id": "nobody"}}, "avatar_not_found"),
        ({**SPOKEN, "voice": {"type": "text", "input_text": "Hi"}}, "invalid_parameter"),
    ):
        answer = heygen("POST", "/v2/video/generate", json={"video_inputs": [scene]})
        assert (answer.status_code, answer.json()["data"], answer.json()["error"]["code"]) == (400, None, code)
    nobody = heygen.without_key()
    assert nobody("GET", "/v2/avatars").json()["error"]["code"] == "unauthorized"
    assert nobody("GET", "/v1/video_status.get").json()["code"] == 400112


def test_old_catalogues_uploads_and_webhooks_answer(heygen: Wire, frame: Path) -> None:
    assert heygen("GET", "/v2/avatars").json()["data"]["avatars"][0]["avatar_id"] == "look-ada"
    voice = heygen("GET", "/v2/voices").json()["data"]["voices"][0]
    assert heygen("GET", voice["preview_audio"]).content.startswith(b"RIFF")
    sent = heygen("POST", "/v1/asset", data=frame.read_bytes(), headers={"Content-Type": "image/jpeg"}).json()
    assert (sent["code"], sent["data"]["file_type"]) == (100, "image")
    hook = heygen("POST", "/v1/webhook/endpoint.add", json={"url": "https://example.com/x", "events": None}).json()
    assert hook["data"]["secret"]
    assert len(heygen("GET", "/v1/webhook/endpoint.list").json()["data"]) == 1
    gone = heygen("DELETE", "/v1/webhook/endpoint.delete", params={"endpoint_id": hook["data"]["endpoint_id"]})
    assert gone.json()["code"] == 100


def test_a_template_is_listed_filled_in_and_made_on_both_versions(heygen: Wire) -> None:
    template = heygen("GET", "/v3/templates").json()["data"][0]["template_id"]
    variables = heygen("GET", f"/v3/templates/{template}").json()["data"]["variables"]
    given = {name: {**value, "properties": {"content": "Cold brew"}} for name, value in variables.items()}
    made = heygen("POST", f"/v3/templates/{template}", json={"variables": given, "fps": 30}).json()["data"]
    assert (made["status"], made["title"]) == ("pending", "Product teaser")
    assert heygen("POST", f"/v3/templates/{template}", json={"variables": {"colour": "x"}}).status_code == 400
    assert heygen("GET", f"/v2/template/{template}").json()["data"]["variables"].keys() == variables.keys()
    old = heygen("POST", f"/v2/template/{template}/generate", json={"title": "Spring", "variables": given}).json()
    assert heygen("GET", f"/v3/videos/{old['data']['video_id']}").json()["data"]["title"] == "Spring"
    assert heygen("GET", "/v3/templates/none").json()["error"]["code"] == "resource_not_found"


def test_a_batch_takes_each_video_by_itself_and_is_charged_for_each(heygen: Wire) -> None:
    videos = [VIDEO, {**VIDEO, "resolution": "8k"}, {**VIDEO, "script": "Two words"}]
    batch = heygen("POST", "/v3/videos/batches", json={"title": "Spring", "videos": videos}).json()["data"]["batch_id"]
    items = heygen("GET", f"/v3/videos/batches/{batch}").json()["data"]["items"]
    assert [item["error"] and item["error"]["code"] for item in items] == [None, "invalid_parameter", None]
    made = {item["video_id"] for item in items} - {None}
    charged = [line["remote_id"] for line in heygen.emulator.lines() if line.get("billed")]
    assert len(made) == 2
    assert made <= set(charged)
    told = heygen("GET", "/v3/videos/statuses", params={"batch_ids": batch}).json()["data"]
    assert [entry["item_index"] for entry in told] == [0, 1, 2]


def test_scenes_cinematic_looks_and_references_are_taken(heygen: Wire) -> None:
    scenes = [
        {"type": "avatar_video", "avatar_id": "look-ada", "script": "Cold brew"},
        {"type": "image", "duration": 3},
    ]
    assert heygen("POST", "/v3/videos", json={"type": "studio", "scenes": scenes}).status_code == 200
    film = {"type": "cinematic_avatar", "prompt": "A walk", "avatar_id": ["look-ada"], "duration": 4}
    assert heygen("POST", "/v3/videos", json=film).json()["data"]["status"] == "waiting"
    assert heygen("POST", "/v3/videos", json={**film, "duration": 60}).json()["error"]["param"] == "duration"
    picture = {"type": "url", "url": "https://example.com/a.jpg"}
    clip = {"model": "heygen-video-1", "mode": "reference_to_video", "prompt": "A cup", "reference_images": [picture]}
    assert heygen("POST", "/v3/models/videos", json={**clip, "resolution": "1080p"}).status_code == 202
    assert heygen("POST", "/v3/models/videos", json={**clip, "reference_images": []}).status_code == 400


def test_what_has_happened_can_be_read_again(heygen: Wire) -> None:
    made = heygen("POST", "/v3/videos", json={**VIDEO, "callback_id": "job-7"}).json()["data"]["video_id"]
    (event,) = wait_for(lambda: heygen("GET", "/v3/webhooks/events").json()["data"])
    assert event["event_type"] == "avatar_video.success"
    assert event["event_data"] == {"video_id": made, "callback_id": "job-7"}


TRANSLATIONS = "/v3/video-translations"


def test_a_video_is_translated_into_several_languages_and_each_is_followed_by_itself(heygen: Wire, film: bytes) -> None:
    files = {"file": ("film.mp4", film, "video/mp4")}
    asset = heygen("POST", "/v3/assets", files=files).json()["data"]["asset_id"]
    spoken = heygen("GET", f"{TRANSLATIONS}/languages").json()["data"]["languages"]
    asked = {"video": {"type": "asset_id", "asset_id": asset}, "output_languages": spoken[2:4], "title": "Spring"}
    once = {"Idempotency-Key": uuid.uuid4().hex}
    with callback_receiver() as receiver:
        hook = {"url": receiver.url, "events": ["video_translate.success"]}
        assert heygen("POST", HOOKS, json=hook).status_code == 200
        made = heygen("POST", TRANSLATIONS, json=asked, headers=once).json()["data"]["video_translation_ids"]
        other = {**asked, "output_languages": spoken[:1]}  # the key decides, not the body
        assert heygen("POST", TRANSLATIONS, json=other, headers=once).json()["data"]["video_translation_ids"] == made
        told = wait_for(lambda: receiver.received if len(receiver.received) == 2 else None)
    assert {json.loads(call.body)["event_data"]["video_translate_id"] for call in told} == set(made)
    views = [heygen("GET", f"{TRANSLATIONS}/{one}").json()["data"] for one in made]
    assert [(v["status"], v["output_language"], v["duration"]) for v in views] == [
        ("completed", language, 3.0) for language in spoken[2:4]
    ]
    assert heygen("GET", views[0]["video_url"]).content[4:8] == b"ftyp"
    charged = [line for line in heygen.emulator.lines() if line.get("billed") and line["remote_id"] in made]
    assert [float(line["cost"]) for line in charged] == pytest.approx([0.0999, 0.0999])


def test_translations_are_listed_and_deleted_and_bad_ones_are_named(heygen: Wire) -> None:
    asked = {"video": {"type": "url", "url": "https://example.com/a.mp4"}, "output_languages": ["German"]}
    (made,) = heygen("POST", TRANSLATIONS, json=asked).json()["data"]["video_translation_ids"]
    assert [item["id"] for item in heygen("GET", TRANSLATIONS).json()["data"]] == [made]
    assert heygen("GET", "/v3/videos").json()["data"] == []
    assert heygen("DELETE", f"{TRANSLATIONS}/{made}").json()["data"] == {"id": made, "deleted": True}
    assert heygen("GET", f"{TRANSLATIONS}/{made}").json()["error"]["code"] == "resource_not_found"
    for change, param in (
        ({"output_languages": ["Klingon"]}, "output_languages"),
        ({"output_languages": []}, "output_languages"),
        ({"mode": "best"}, "mode"),
        ({"video": {"type": "url", "url": "http://example.com/a.mp4"}}, "video"),
    ):
        assert heygen("POST", TRANSLATIONS, json={**asked, **change}).json()["error"]["param"] == param
