"""OpenAI on the wire: Responses at once and streamed, pictures, who may call."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.wire import Wire, lines_of_events

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}
FORMAT = {"format": {"type": "json_schema", "name": "plan", "strict": True, "schema": SCHEMA}}


@pytest.fixture
def api(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "openai", {"Authorization": "Bearer sk-x"})


def test_a_response_is_json_of_its_schema_and_is_kept_unless_that_is_declined(api: Wire) -> None:
    asked = {"model": "gpt-6-luna", "input": "plan an ad", "instructions": "be brief", "text": FORMAT}
    told = api("POST", "/v1/responses", json=asked).json()
    (part,) = told["output"][0]["content"]
    assert (told["status"], part["type"]) == ("completed", "output_text")
    assert set(json.loads(part["text"])) == {"title"}
    assert told["usage"]["total_tokens"] == told["usage"]["input_tokens"] + told["usage"]["output_tokens"]
    assert api("GET", f"/v1/responses/{told['id']}").json()["output"] == told["output"]
    unkept = api("POST", "/v1/responses", json={**asked, "store": False}).json()
    assert api("GET", f"/v1/responses/{unkept['id']}").status_code == 404


def test_a_streamed_response_is_numbered_events_whose_deltas_are_the_text(api: Wire) -> None:
    content = [{"type": "input_text", "text": "hello"}]
    asked = {"model": "gpt-6-luna", "input": [{"role": "user", "content": content}], "stream": True}
    events = [json.loads(line) for line in lines_of_events(api("POST", "/v1/responses", json=asked))]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert text == events[-1]["response"]["output"][0]["content"][0]["text"]
    assert "hello" in text


def test_a_refusal_and_a_limit_are_told_in_their_own_fields(api: Wire, emulator: EmulatorProcess) -> None:
    cut = api("POST", "/v1/responses", json={"model": "gpt-6-luna", "input": "x" * 400, "max_output_tokens": 2}).json()
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    emulator.script({"vendor": "openai", "endpoint": "submit", "do": "refuse_at_end"})
    refused = api("POST", "/v1/responses", json={"model": "gpt-6-luna", "input": "x"}).json()
    assert refused["output"][0]["content"][0]["type"] == "refusal"


def test_a_picture_comes_in_the_asked_form(api: Wire) -> None:
    asked = {"model": "gpt-image-2", "prompt": "a cup", "size": "1024x1024", "output_format": "jpeg", "n": 2}
    told: dict[str, Any] = api("POST", "/v1/images/generations", json=asked).json()
    assert [base64.b64decode(item["b64_json"])[:2] for item in told["data"]] == [b"\xff\xd8"] * 2
    for field, wrong in (("size", "10x10"), ("n", 11), ("output_format", "gif"), ("prompt", "")):
        answer = api("POST", "/v1/images/generations", json={**asked, field: wrong})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


def test_no_key_and_a_wrong_one_are_told_apart(api: Wire) -> None:
    assert api.without_key()("GET", "/v1/models").json()["error"]["code"] is None
    wrong = api.without_key()("GET", "/v1/models", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
