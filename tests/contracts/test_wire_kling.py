"""KlingAI on the wire: both designs, signed tokens, codes, lists, sound in the legacy design."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import pytest

from tests.contracts.emulator_process import EmulatorProcess
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
