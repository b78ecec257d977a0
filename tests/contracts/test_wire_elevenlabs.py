"""ElevenLabs on the wire: the two kinds of 401, history, catalogues, streams."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid

import pytest
import requests

from tests.contracts.callback_receiver import callback_receiver
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
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


def test_a_cloned_voice_speaks_is_changed_and_can_be_removed(eleven: Wire) -> None:
    recording = eleven("POST", SPEECH, json={"text": "one two three"}).content
    sent = {"name": (None, "Mara"), "labels": (None, '{"accent": "irish"}'), "files": ("a.mp3", recording)}
    voice = eleven("POST", "/v1/voices/add", files=sent).json()["voice_id"]
    assert eleven("POST", f"/v1/text-to-speech/{voice}", json={"text": "Hello"}).status_code == 200
    assert eleven("POST", f"/v1/voices/{voice}/edit", files={"name": (None, "Mara B")}).json() == {"status": "ok"}
    assert eleven("POST", f"/v1/voices/{voice}/settings/edit", json={"stability": 0.9}).status_code == 200
    assert eleven("GET", f"/v1/voices/{voice}/settings").json()["stability"] == 0.9
    told = eleven("GET", "/v2/voices", params={"category": "cloned"}).json()["voices"]
    assert [(item["name"], item["labels"]) for item in told] == [("Mara B", {"accent": "irish"})]
    assert eleven("GET", told[0]["preview_url"]).headers["Content-Type"] == "audio/mpeg"
    assert eleven("DELETE", f"/v1/voices/{voice}").json() == {"status": "ok"}
    gone = eleven("POST", f"/v1/text-to-speech/{voice}", json={"text": "Hello"})
    assert (gone.status_code, gone.json()["detail"]["status"]) == (404, "voice_not_found")
    assert eleven("POST", "/v1/voices/add", files={"name": (None, "Mara")}).status_code == 422
    assert eleven("DELETE", "/v1/voices/voice-test").status_code == 400


def test_a_professional_voice_is_trained_only_after_its_owner_has_read_the_captcha(eleven: Wire) -> None:
    made = eleven("POST", "/v1/voices/pvc", json={"name": "Mara", "language": "en"}).json()["voice_id"]
    one = f"/v1/voices/pvc/{made}"
    assert eleven("POST", f"{one}/samples", files={"files": ("a.mp3", b"ID3")}).json()[0]["file_name"] == "a.mp3"
    assert eleven("POST", f"{one}/train", json={}).json()["detail"]["status"] == "voice_not_verified"
    assert eleven("GET", f"{one}/captcha").content.startswith(b"\x89PNG")
    assert eleven("POST", f"{one}/captcha", files={"recording": ("a.mp3", b"ID3")}).status_code == 200
    assert eleven("POST", f"{one}/train", json={"model_id": "eleven_v3"}).status_code == 200
    assert eleven("GET", f"/v1/voices/{made}").json()["fine_tuning"]["state"] == {"eleven_v3": "fine_tuned"}


def transcribed(eleven: Wire, **fields: str) -> requests.Response:
    form = {name: (None, value) for name, value in {"model_id": "scribe_v2", **fields}.items()}
    return eleven("POST", "/v1/speech-to-text", files={"file": ("a.mp3", b"ID3"), **form})


def test_a_transcript_has_the_asked_forms_and_is_read_again_until_it_is_removed(eleven: Wire) -> None:
    forms = json.dumps([{"format": "srt"}, {"format": "txt"}])
    told = transcribed(eleven, timestamps_granularity="character", diarize="true", additional_formats=forms).json()
    assert told["words"][0]["characters"][0]["text"] == told["words"][0]["text"][0]
    assert told["words"][0]["speaker_id"] == "speaker_0"
    assert [form["content"][:2] for form in told["additional_formats"]] == ["1\n", told["text"][:2]]
    place = f"/v1/speech-to-text/transcripts/{told['transcription_id']}"
    assert eleven("GET", place).json() == told
    assert eleven("DELETE", place).status_code == 200
    assert eleven("GET", place).status_code == 404
    assert transcribed(eleven, timestamps_granularity="syllable").status_code == 422


def test_a_transcript_that_was_not_waited_for_comes_signed_to_the_workspaces_webhook(emulator: EmulatorProcess) -> None:
    eleven = Wire(emulator, "elevenlabs", {"xi-api-key": uuid.uuid4().hex})
    assert transcribed(eleven, webhook="true").json()["detail"]["status"] == "no_webhook_configured"
    with callback_receiver() as receiver:
        asked = {"auth_type": "hmac", "name": "ours", "webhook_url": receiver.url}
        hook = eleven("POST", "/v1/workspace/webhooks", json={"settings": asked}).json()
        made = transcribed(eleven, webhook="true", webhook_metadata='{"job": 7}')
        assert made.status_code == 202
        (call,) = wait_for(lambda: receiver.received)
    stamp, _, signature = call.headers["ElevenLabs-Signature"].removeprefix("t=").partition(",v0=")
    wanted = hmac.new(hook["webhook_secret"].encode(), f"{stamp}.".encode() + call.body, hashlib.sha256).hexdigest()
    assert signature == wanted
    told = json.loads(call.body)["data"]
    assert (told["webhook_metadata"], told["request_id"]) == ({"job": 7}, made.json()["request_id"])
    assert eleven("DELETE", f"/v1/workspace/webhooks/{hook['webhook_id']}").status_code == 200


def test_music_stems_and_dialogues_are_made_and_counted(eleven: Wire) -> None:
    music = eleven("POST", "/v1/music", json={"prompt": "calm strings", "music_length_ms": 3000})
    assert (music.status_code, music.headers["Content-Type"]) == (200, "audio/mpeg")
    assert eleven("POST", "/v1/music", json={"prompt": "calm", "music_length_ms": 100}).status_code == 400
    stems = eleven("POST", "/v1/music/stem-separation", files={"file": ("a.mp3", b"ID3")})
    assert stems.content.startswith(b"PK")
    lines = [{"text": "one two", "voice_id": "voice-test"}, {"text": "three", "voice_id": "pNInz6obpgDQGcFmaJgB"}]
    told = eleven("POST", "/v1/text-to-dialogue/with-timestamps", json={"inputs": lines}).json()
    spoken = [
        "".join(told["alignment"]["characters"][part["character_start_index"] : part["character_end_index"]])
        for part in told["voice_segments"]
    ]
    assert spoken == ["one two", "three"]
    now = int(time.time() * 1000)
    used = eleven("GET", "/v1/usage/character-stats", params={"start_unix": now - 86_400_000, "end_unix": now}).json()
    assert (len(used["time"]), sum(used["usage"]["All"]) > 0) == (2, True)


LEXICON = """<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa" xml:lang="en-US">
<lexeme><grapheme>Aurora</grapheme><phoneme>əˈrɔːrə</phoneme></lexeme>
<lexeme><grapheme>UN</grapheme><alias>United Nations</alias></lexeme></lexicon>"""
DICTIONARIES = "/v1/pronunciation-dictionaries"


def test_a_dictionary_gets_a_version_with_every_change_and_speech_names_one_that_there_is(eleven: Wire) -> None:
    file = {"name": (None, "Brand"), "file": ("brand.pls", LEXICON.encode(), "text/xml")}
    made = eleven("POST", f"{DICTIONARIES}/add-from-file", files=file).json()
    assert (made["name"], made["version_rules_num"]) == ("Brand", 2)
    one = f"{DICTIONARIES}/{made['id']}"
    rule = {"type": "alias", "string_to_replace": "UN", "alias": "U N"}
    added = eleven("POST", f"{one}/add-rules", json={"rules": [rule, {**rule, "string_to_replace": "EU"}]}).json()
    assert (added["version_rules_num"], added["version_id"] != made["version_id"]) == (3, True)
    aliases = {r["string_to_replace"]: r.get("alias") for r in eleven("GET", one).json()["rules"]}
    assert aliases == {"Aurora": None, "UN": "U N", "EU": "U N"}
    left = eleven("POST", f"{one}/remove-rules", json={"rule_strings": ["UN", "EU"]}).json()
    assert left["version_rules_num"] == 1
    old = eleven("GET", f"{one}/{made['version_id']}/download").text
    assert ("United Nations" in old, "əˈrɔːrə" in old) == (True, True)
    locator = {"pronunciation_dictionary_id": made["id"], "version_id": left["version_id"]}
    said = {"text": "Aurora", "pronunciation_dictionary_locators": [locator]}
    assert eleven("POST", SPEECH, json=said).status_code == 200
    assert eleven("POST", SPEECH, json={**said, "pronunciation_dictionary_locators": [locator] * 4}).status_code == 400
    gone = [{**locator, "version_id": "none"}]
    assert eleven("POST", SPEECH, json={**said, "pronunciation_dictionary_locators": gone}).status_code == 404


def test_archived_dictionaries_are_listed_only_when_asked_for_and_bad_rules_are_named(eleven: Wire) -> None:
    rules = [{"type": "phoneme", "string_to_replace": "brew", "phoneme": "bruː", "alphabet": "ipa"}]
    made = eleven("POST", f"{DICTIONARIES}/add-from-rules", json={"name": "Old", "rules": rules}).json()["id"]
    assert eleven("PATCH", f"{DICTIONARIES}/{made}", json={"archived": True}).json()["archived_time_unix"] > 0

    def listed(**query: str) -> set[str]:
        page = eleven("GET", DICTIONARIES, params=query).json()
        return {item["id"] for item in page["pronunciation_dictionaries"]}

    assert made not in listed()
    assert made in listed(include_archived="true")
    half = [{"type": "alias", "string_to_replace": "x"}]
    told = eleven("POST", f"{DICTIONARIES}/add-from-rules", json={"name": "Half", "rules": half})
    assert (told.status_code, told.json()["detail"][0]["loc"]) == (422, ["body", "alias"])
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><lexicon/>'
    file = {"name": (None, "Bomb"), "file": ("bomb.pls", bomb)}
    assert eleven("POST", f"{DICTIONARIES}/add-from-file", files=file).status_code == 400


def test_a_voice_is_designed_from_words_heard_kept_and_remixed(eleven: Wire) -> None:
    asked = {"voice_description": "A calm and warm narrator from the north", "auto_generate_text": True}
    told = eleven("POST", "/v1/text-to-voice/design", json=asked).json()
    ids = [preview["generated_voice_id"] for preview in told["previews"]]
    assert len(set(ids)) == 3
    assert base64.b64decode(told["previews"][0]["audio_base_64"])[:3] in (b"ID3", b"\xff\xfb\x90")
    assert eleven("GET", f"/v1/text-to-voice/{ids[1]}/stream").headers["Content-Type"] == "audio/mpeg"
    made = {"voice_name": "Nora", "voice_description": asked["voice_description"], "generated_voice_id": ids[1]}
    voice = eleven("POST", "/v1/text-to-voice", json={**made, "labels": {"accent": "nordic"}}).json()
    assert (voice["voice_id"], voice["category"], voice["labels"]) == (ids[1], "generated", {"accent": "nordic"})
    assert eleven("POST", f"/v1/text-to-speech/{ids[1]}", json={"text": "Hello"}).status_code == 200
    streamed = {**asked, "stream_previews": True}
    remixed = eleven("POST", f"/v1/text-to-voice/{ids[1]}/remix", json=streamed).json()
    assert {preview["audio_base_64"] for preview in remixed["previews"]} == {""}
    assert eleven("POST", "/v1/text-to-voice/voice-test/remix", json=asked).status_code == 400
    assert eleven("POST", "/v1/text-to-voice", json={**made, "generated_voice_id": "none"}).status_code == 404
    short = eleven("POST", "/v1/text-to-voice/design", json={**asked, "voice_description": "short"})
    assert short.json()["detail"]["status"] == "invalid_voice_description"
