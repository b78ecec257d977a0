"""ElevenLabs on the wire: the two kinds of 401, history, catalogues, streams."""

from __future__ import annotations

import json

import pytest

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.wire import Wire

SPEECH = "/v1/text-to-speech/voice-test"


@pytest.fixture
def eleven(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "elevenlabs", {"xi-api-key": f"key-{id(emulator)}"})


def test_no_key_and_a_wrong_key_are_401_with_different_codes(eleven: Wire) -> None:
    nobody = eleven.without_key()
    assert nobody("GET", "/v1/user").json()["detail"]["status"] == "needs_authorization"
    assert nobody("GET", "/v1/user", headers={"xi-api-key": "wrong"}).json()["detail"]["status"] == "invalid_api_key"
    assert nobody("GET", "/v1/user", headers={"Authorization": "Bearer token"}).status_code == 200


def test_what_was_said_is_in_the_history_and_can_be_heard_again_for_nothing(eleven: Wire) -> None:
    said = eleven("POST", SPEECH, json={"text": "Cold brew for slow mornings"})
    item = said.headers["history-item-id"]
    again = eleven("GET", f"/v1/history/{item}/audio")
    assert (again.headers["Content-Type"], again.content) == ("audio/mpeg", said.content)
    (newest,) = eleven("GET", "/v1/history", params={"page_size": 1}).json()["history"]
    assert (newest["history_item_id"], newest["text"]) == (item, "Cold brew for slow mornings")
    assert eleven("DELETE", f"/v1/history/{item}").status_code == 200
    assert eleven("GET", f"/v1/history/{item}").status_code == 404


def test_a_timed_stream_is_a_json_object_a_line(eleven: Wire) -> None:
    answer = eleven("POST", f"{SPEECH}/stream/with-timestamps", json={"text": "one two three"})
    lines = [json.loads(line)["alignment"]["characters"] for line in answer.text.splitlines()]
    assert "".join(character for line in lines for character in line) == "one two three"


def test_voices_models_and_the_plan_are_listed_on_both_versions(eleven: Wire) -> None:
    voices = eleven("GET", "/v2/voices", params={"page_size": 2}).json()
    assert (len(voices["voices"]), voices["has_more"]) == (2, True)
    more = eleven("GET", "/v2/voices", params={"next_page_token": voices["next_page_token"]}).json()
    assert more["has_more"] is False
    assert len(eleven("GET", "/v1/voices").json()["voices"]) == 3
    assert eleven("GET", "/v1/models").json()[0]["can_do_text_to_speech"] is True
    assert eleven("GET", "/v1/user/subscription").json()["character_limit"] > 0


def test_a_missing_text_is_a_422_with_its_place(eleven: Wire) -> None:
    answer = eleven("POST", SPEECH, json={})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "text"])
