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
