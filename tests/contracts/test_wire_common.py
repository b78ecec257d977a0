"""What every vendor's HTTP has in common: preflights, HEAD, ranges, encoded names, a slash at the end."""

from __future__ import annotations

import pytest
import requests

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire

BROWSER = {"Origin": "https://studio.example", "Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize(
    "address",
    ["fal/fal-ai/pika/v2.2/text-to-video", "elevenlabs/v1/voices", "openai/v1/chat/completions", "heygen/v3/videos"],
)
def test_a_browser_may_ask_first_and_then_call(emulator: EmulatorProcess, address: str) -> None:
    asked = {**BROWSER, "Access-Control-Request-Headers": "authorization,content-type"}
    answer = requests.options(f"{emulator.url}/{address}", headers=asked, timeout=20)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    called = requests.post(f"{emulator.url}/{address}", headers={"Origin": BROWSER["Origin"]}, timeout=20)
    assert called.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("vendor", ["replicate", "runway", "comfyui"])
def test_vendors_that_browsers_cannot_call_allow_no_origin(emulator: EmulatorProcess, vendor: str) -> None:
    answer = requests.options(f"{emulator.url}/{vendor}/v1/x", headers=BROWSER, timeout=20)
    assert answer.status_code in (404, 405)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_result_is_served_in_ranges_to_any_origin_and_its_head_tells_its_size(emulator: EmulatorProcess) -> None:
    wire = Wire(emulator, "runway", {"Authorization": "Bearer key_x", "X-Runway-Version": "2024-11-06"})
    asked = {"model": "gen4_image", "promptText": "a kite", "ratio": "1280:720"}
    made = wire("POST", "/v1/text_to_image", json=asked).json()["id"]
    told = wait_for(lambda: next((t for t in [wire("GET", f"/v1/tasks/{made}").json()] if "output" in t), None))
    (url,) = told["output"]
    whole = requests.get(url, timeout=60)
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    head = requests.head(url, timeout=60)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(whole.content)
    part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=60)
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    beyond = requests.get(url, headers={"Range": "bytes=99999999-"}, timeout=60)
    assert beyond.status_code == 416
    assert requests.get(url.replace("signature=", "signature=0"), timeout=60).status_code == 403


def test_names_may_be_percent_encoded_and_one_slash_at_the_end_is_forgiven(emulator: EmulatorProcess) -> None:
    replicate = Wire(emulator, "replicate", {"Authorization": "Bearer r8_x"})
    assert replicate("GET", "/v1/models/google%2Fveo-3").json()["name"] == "veo-3"
    assert replicate("GET", "/v1/models/google/veo-3/").status_code == 200
    gemini = Wire(emulator, "gemini", {"x-goog-api-key": "x"})
    text = {"contents": [{"parts": [{"text": "hello"}]}]}
    assert gemini("POST", "/v1beta/models/gemini-3.8-flash%3AcountTokens", json=text).status_code == 200
    assert replicate("HEAD", "/v1/account").status_code == 200


UNKNOWN = [
    ("elevenlabs", {"detail": "Not Found"}),
    ("runway", {"error": "Not found"}),
    ("kling", {"code": 1202}),
    ("gemini", {"error": {"status": "NOT_FOUND"}}),
    ("openai", {"error": {"type": "invalid_request_error"}}),
    ("replicate", {"status": 404}),
    ("stability", {"name": "not_found"}),
]


def _holds(told: object, wanted: object) -> bool:
    if isinstance(wanted, dict):
        return isinstance(told, dict) and all(_holds(told.get(name), value) for name, value in wanted.items())
    return told == wanted


@pytest.mark.parametrize(("vendor", "body"), UNKNOWN)
def test_an_unknown_address_is_answered_in_the_vendors_own_words(
    emulator: EmulatorProcess, vendor: str, body: dict[str, object]
) -> None:
    answer = requests.get(f"{emulator.url}/{vendor}/v9/nothing/here", timeout=20)
    assert answer.status_code == 404
    assert _holds(answer.json(), body), answer.text


@pytest.mark.parametrize("address", ["heygen/v9/nothing", "comfyui/nothing"])
def test_an_edge_answers_an_unknown_address_with_plain_text(emulator: EmulatorProcess, address: str) -> None:
    answer = requests.get(f"{emulator.url}/{address}", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain")


@pytest.mark.parametrize(
    ("method", "address", "words"),
    [
        ("GET", "elevenlabs/v1/music", "Method Not Allowed"),
        ("GET", "fal/fal-ai/pika/v2.2/text-to-video", "Method Not Allowed"),
        ("GET", "openai/v1/chat/completions", "Not allowed to GET"),
        ("DELETE", "comfyui/queue", "405: Method Not Allowed"),
    ],
)
def test_a_wrong_method_is_405_and_names_what_is_allowed(
    emulator: EmulatorProcess, method: str, address: str, words: str
) -> None:
    answer = requests.request(method, f"{emulator.url}/{address}", timeout=20)
    assert (answer.status_code, words in answer.text) == (405, True), answer.text
    assert "POST" in answer.headers["Allow"]
