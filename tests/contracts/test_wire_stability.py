"""Stability on the wire: multipart always, the asked form of picture, bytes or JSON, errors as lists."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, ImageOps

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
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


def edited(stability: Wire, kind: str, frame: Path, **fields: str) -> requests.Response:
    files = {"image": ("frame.jpg", frame.read_bytes(), "image/jpeg"), **form(**fields)}
    return stability("POST", f"/v2beta/stable-image/{kind}", files=files)


def size_of(answer: requests.Response) -> tuple[int, int]:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as picture:
        return picture.size


def test_edits_keep_the_pictures_size_and_outpainting_adds_to_it(stability: Wire, frame: Path) -> None:
    assert size_of(edited(stability, "edit/erase", frame)) == (1280, 720)
    assert size_of(edited(stability, "edit/search-and-replace", frame, search_prompt="cup")) == (1280, 720)
    assert size_of(edited(stability, "edit/search-and-recolor", frame, select_prompt="cup")) == (1280, 720)
    assert size_of(edited(stability, "edit/remove-background", frame)) == (1280, 720)
    assert size_of(edited(stability, "edit/outpaint", frame, left="100", up="60")) == (1380, 780)
    assert size_of(edited(stability, "upscale/fast", frame)) == (5120, 2880)
    for kind in ("edit/outpaint", "edit/search-and-replace", "upscale/conservative"):
        answer = edited(stability, kind, frame, creativity="0.9")
        assert (answer.status_code, answer.json()["name"]) == (400, "bad_request"), kind
    assert edited(stability, "edit/nothing", frame).status_code == 404


def test_a_slow_upscale_is_accepted_with_an_id_and_fetched_when_it_is_done(stability: Wire, frame: Path) -> None:
    made = edited(stability, "upscale/creative", frame).json()["id"]
    for place in (f"/v2beta/results/{made}", f"/v2beta/stable-image/upscale/creative/result/{made}"):
        done = wait_for(partial(_done_at, stability, place))
        assert (done.headers["finish-reason"], done.content[:4]) == ("SUCCESS", b"\x89PNG")
    assert stability("GET", "/v2beta/results/" + "0" * 64).status_code == 404
    assert (
        Wire(stability.emulator, "stability", {"Authorization": "Bearer sk-y", "Accept": "image/*"})(
            "GET", f"/v2beta/results/{made}"
        ).status_code
        == 404
    )  # another account's


def _done_at(stability: Wire, place: str) -> requests.Response | None:
    answer = stability("GET", place)
    if answer.status_code == 202:
        assert answer.json()["status"] == "in-progress"
        return None
    return answer


def test_a_picture_of_one_of_three_sizes_becomes_four_seconds_of_film(stability: Wire, photo: Path) -> None:
    with Image.open(photo) as image:
        small = io.BytesIO()
        ImageOps.fit(image.convert("RGB"), (768, 768)).save(small, "PNG")
    files = {"image": ("frame.png", small.getvalue(), "image/png"), "cfg_scale": (None, "1.8")}
    made = stability("POST", "/v2beta/image-to-video", files=files).json()["id"]
    place = f"/v2beta/image-to-video/result/{made}"
    film = wait_for(partial(_done_at, replace(stability, headers={**stability.headers, "Accept": "video/*"}), place))
    assert (film.headers["Content-Type"], film.content[4:8]) == ("video/mp4", b"ftyp")
    wrong = {"image": ("frame.jpg", photo.read_bytes(), "image/jpeg")}
    assert stability("POST", "/v2beta/image-to-video", files=wrong).status_code == 400
