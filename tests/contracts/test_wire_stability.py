"""Stability on the wire: multipart always, the asked form of picture, bytes or JSON, errors as lists."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.wire import Wire

CORE = "/v2beta/stable-image/generate/core"


@pytest.fixture
def stability(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "stability", {"Authorization": "Bearer sk-x", "Accept": "image/*"})


def form(**fields: str) -> dict[str, Any]:
    return {name: (None, value) for name, value in {"prompt": "a cup", **fields}.items()}


def generate(stability: Wire, path: str = CORE, accept: str = "image/*", **fields: str) -> requests.Response:
    return stability("POST", path, files=form(**fields), headers={"Accept": accept})


def test_the_picture_has_the_asked_format_and_seed(stability: Wire) -> None:
    for name, start in (("png", b"\x89PNG"), ("jpeg", b"\xff\xd8"), ("webp", b"RIFF")):
        answer = generate(stability, output_format=name, seed="7")
        assert answer.content.startswith(start)
        assert (answer.headers["Content-Type"], answer.headers["seed"]) == (f"image/{name}", "7")
    told = generate(stability, accept="application/json").json()
    assert base64.b64decode(told["image"]).startswith(b"\x89PNG")
    assert told["finish_reason"] == "SUCCESS"


def test_what_is_not_allowed_is_told_in_a_list(stability: Wire) -> None:
    for fields in ({"output_format": "gif"}, {"seed": "-1"}, {"aspect_ratio": "2:1"}, {"prompt": ""}):
        answer = generate(stability, **fields)
        assert (answer.status_code, answer.json()["name"]) == (400, "bad_request")
        assert len(answer.json()["errors"]) == 1
    sd3 = generate(stability, "/v2beta/stable-image/generate/sd3", output_format="webp")
    assert sd3.status_code == 400
    assert generate(stability, accept="text/html").status_code == 400
    assert stability("POST", CORE, json={"prompt": "a cup"}).status_code == 400
    assert stability.without_key()("GET", "/v1/user/balance").json()["name"] == "unauthorized"
