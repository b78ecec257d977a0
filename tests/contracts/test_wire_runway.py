"""RunwayML on the wire: the version header, uploads as a form, errors with their issues, deletion."""

from __future__ import annotations

import base64
import io
import uuid
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire

SFX, STS = "eleven_text_to_sound_v2", "eleven_multilingual_sts_v2"
STILL = {"model": "gen4_image", "promptText": "a kite", "ratio": "1280:720"}


@pytest.fixture
def runway(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "runway", {"Authorization": "Bearer key_x", "X-Runway-Version": "2024-11-06"})


def test_every_call_needs_the_key_and_a_known_version(runway: Wire) -> None:
    assert runway.without_key()("GET", "/v1/organization").status_code == 401
    for version in ("", "2020-01-01"):
        answer = runway("GET", "/v1/organization", headers={"X-Runway-Version": version})
        assert (answer.status_code, "X-Runway-Version" in answer.json()["error"]) == (400, True)


def test_an_upload_is_a_form_with_the_fields_first_and_its_uri_is_used(runway: Wire, frame: Path) -> None:
    place = runway("POST", "/v1/uploads", json={"filename": "frame.jpg", "type": "ephemeral"}).json()
    files = {"file": ("frame.jpg", frame.read_bytes(), "image/jpeg")}
    assert runway.without_key()("POST", place["uploadUrl"], data=place["fields"], files=files).status_code == 204
    asked = {**STILL, "referenceImages": [{"uri": place["runwayUri"], "tag": "cup"}]}
    assert runway("POST", "/v1/text_to_image", json=asked).json()["id"]
    gone = {**STILL, "referenceImages": [{"uri": "runway://" + "0" * 32}]}
    assert runway("POST", "/v1/text_to_image", json=gone).status_code == 400


def test_a_bad_field_is_named_and_a_retired_model_has_a_hint(runway: Wire) -> None:
    told = runway("POST", "/v1/text_to_image", json={**STILL, "ratio": "1:1"}).json()
    assert told["issues"][0]["path"] == ["ratio"]
    retired = runway("POST", "/v1/image_to_video", json={"model": "gen3a_turbo"})
    assert "gen4_turbo" in retired.json()["error"]


def test_a_deleted_task_is_gone(runway: Wire) -> None:
    made = runway("POST", "/v1/text_to_image", json=STILL).json()["id"]
    deleted = runway("DELETE", f"/v1/tasks/{made}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert runway("GET", f"/v1/tasks/{made}").json() == {"error": "Task not found"}


def data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def sound(runway: Wire) -> str:
    """A short sound, made by the vendor itself."""
    made = runway("POST", "/v1/sound_effect", json={"model": SFX, "promptText": "a bell", "duration": 6}).json()["id"]
    return data_uri("audio/mp3", requests.get(output(runway, made), timeout=60).content)


def output(runway: Wire, task: str) -> str:
    told = wait_for(lambda: next((t for t in [runway("GET", f"/v1/tasks/{task}").json()] if "output" in t), None))
    return str(told["output"][0])


def test_sounds_are_changed_dubbed_and_isolated_by_their_length(runway: Wire) -> None:
    voice = {"type": "runway-preset", "presetId": "Maya"}
    given = sound(runway)
    for path, body, credits in (
        ("speech_to_speech", {"media": {"type": "audio", "uri": given}, "voice": voice, "model": STS}, 2),
        ("voice_dubbing", {"audioUri": given, "targetLang": "de", "model": "eleven_voice_dubbing"}, 3),
        ("voice_isolation", {"audioUri": given, "model": "eleven_voice_isolation"}, 1),
    ):
        made = runway("POST", f"/v1/{path}", json=body)
        assert (made.status_code, made.json().get("estimatedCost")) == (200, {"credits": credits}), made.text
        assert requests.get(output(runway, made.json()["id"]), timeout=60).headers["Content-Type"] == "audio/mpeg"
    wrong = {"audioUri": given, "targetLang": "xx", "model": "eleven_voice_dubbing"}
    assert runway("POST", "/v1/voice_dubbing", json=wrong).json()["issues"][0]["path"] == ["targetLang"]


def test_pictures_are_enlarged_and_films_get_hdr_and_sound(runway: Wire, frame: Path, film: bytes) -> None:
    larger = {"model": "magnific_precision_upscaler_v2", "imageUri": data_uri("image/jpeg", frame.read_bytes())}
    made = runway("POST", "/v1/image_upscale", json={**larger, "scaleFactor": 2}).json()["id"]
    with Image.open(io.BytesIO(requests.get(output(runway, made), timeout=60).content)) as picture:
        assert picture.size == (2560, 1440)
    assert runway("POST", "/v1/image_upscale", json={**larger, "scaleFactor": 3}).status_code == 400
    uri = data_uri("video/mp4", film)
    assert runway("POST", "/v1/video_to_hdr", json={"model": "ruby", "videoUri": uri}).status_code == 200
    heard = {"model": "mirelo_sfx_2_0", "videoUri": uri, "duration": 3, "promptText": "rain"}
    assert runway("POST", "/v1/video_to_audio", json=heard).status_code == 200


def test_a_router_takes_the_cheapest_model_or_the_one_it_is_set_to(runway: Wire) -> None:
    slug = f"ads-{uuid.uuid4().hex[:8]}"
    made = runway("POST", "/v1/routers", json={"slug": slug}).json()
    asked = {"configId": slug, "input": {"promptText": "a kite", "aspectRatio": "16:9", "duration": 5}}
    cheap = runway("POST", "/v1/generate/video", json=asked).json()["routing"]
    only = {"settings": {"models": {"mode": "allowlist_only", "ids": ["gen4.5"]}}}
    assert runway("PATCH", f"/v1/routers/{made['id']}", json=only).json()["version"] == 2
    chosen = runway("POST", "/v1/generate/video", json=asked).json()
    assert (chosen["routing"]["model"], cheap["model"] != "gen4.5") == ("gen4.5", True)
    asked_so_far = runway("GET", f"/v1/routers/{made['id']}/requests").json()["data"]
    assert asked_so_far[0]["taskId"] == chosen["id"]
    assert runway("POST", "/v1/generate/video", json={**asked, "configId": "none"}).status_code == 404
    speech = {"configId": slug, "input": {"type": "speech", "promptText": "one two"}}
    assert runway("POST", "/v1/generate/audio", json=speech).status_code == 400  # only gen4.5 may be taken
    assert runway("DELETE", f"/v1/routers/{made['id']}").status_code == 204


def test_recipes_make_a_picture_or_a_clip_of_the_product(runway: Wire, frame: Path) -> None:
    picture = {"uri": data_uri("image/jpeg", frame.read_bytes())}
    for name, body in (
        ("product_ad", {"productImages": [picture], "duration": 5}),
        ("ad_localization", {"referenceImage": picture, "targetLanguage": "de"}),
        ("multi_shot_video", {"mode": "auto", "prompt": "a morning"}),
        ("marketing_stock_image", {"prompt": "a cup"}),
    ):
        made = runway("POST", f"/v1/recipes/{name}", json={**body, "version": "2026-06"})
        assert (made.status_code, "id" in made.json()) == (200, True), made.text
    assert runway("POST", "/v1/recipes/product_ad", json={"version": "2026-06"}).status_code == 400
    assert runway("POST", "/v1/recipes/product_ad", json={"productImages": [picture]}).status_code == 400


AVATAR = {"name": "Ada", "personality": "Calm and warm.", "voice": {"type": "runway-live-preset", "presetId": "maya"}}


def test_an_avatar_knows_its_documents_and_speaks_once_it_is_ready(runway: Wire, frame: Path) -> None:
    document = runway("POST", "/v1/documents", json={"name": "Facts", "content": "Brewed slowly."}).json()["id"]
    asked = {**AVATAR, "referenceImage": data_uri("image/jpeg", frame.read_bytes()), "documentIds": [document]}
    avatar = runway("POST", "/v1/avatars", json=asked).json()
    assert (avatar["status"], avatar["voice"]["name"]) == ("PROCESSING", "Maya")
    place = f"/v1/avatars/{avatar['id']}"
    film = {"model": "gwm1_avatars", "avatar": {"type": "custom", "avatarId": avatar["id"]}}
    film["speech"] = {"type": "text", "text": "Slow mornings taste better"}
    wait_for(lambda: runway("GET", place).json()["status"] == "READY" or None)
    (user,) = runway("GET", f"/v1/documents/{document}").json()["usedBy"]
    assert user["id"] == avatar["id"]
    made = runway("POST", "/v1/avatar_videos", json=film).json()["id"]
    assert requests.get(output(runway, made), timeout=60).content[4:8] == b"ftyp"
    assert runway("PATCH", place, json={"documentIds": []}).json()["documentIds"] == []
    assert runway("DELETE", place).status_code == 204
    assert runway("POST", "/v1/avatar_videos", json=film).json() == {"error": "Avatar not found"}
    nobody = {**film, "avatar": {"type": "runway-preset", "presetId": "nobody"}}
    assert runway("POST", "/v1/avatar_videos", json=nobody).json()["issues"][0]["path"] == ["avatar.presetId"]


def test_documents_are_listed_in_pages_in_the_asked_order(runway: Wire) -> None:
    wire = Wire(runway.emulator, "runway", {**runway.headers, "Authorization": f"Bearer key_{uuid.uuid4().hex}"})
    for name in ("one", "two", "three"):
        wire("POST", "/v1/documents", json={"name": name, "content": name})
    query = {"limit": "2", "sort": "createdAt", "order": "asc"}
    first = wire("GET", "/v1/documents", params=query).json()
    rest = wire("GET", "/v1/documents", params={**query, "cursor": first["nextCursor"]}).json()
    listed = [item["name"] for item in (*first["data"], *rest["data"])]
    assert sorted(listed) == ["one", "three", "two"]
    assert (rest["nextCursor"], "content" in first["data"][0]) == (None, False)
    document = first["data"][0]["id"]
    assert wire("PATCH", f"/v1/documents/{document}", json={"content": "new"}).status_code == 204
    assert wire("GET", f"/v1/documents/{document}").json()["content"] == "new"
    assert wire("DELETE", f"/v1/documents/{document}").status_code == 204
    assert wire("GET", f"/v1/documents/{document}").status_code == 404
    assert wire("GET", "/v1/documents", params={"limit": "2"}).json()["issues"][0]["path"] == ["order"]


def test_a_published_workflow_runs_with_a_given_prompt_and_its_files_stand_at_their_node(runway: Wire) -> None:
    (listed,) = runway("GET", "/v1/workflows").json()["data"]
    one = f"/v1/workflows/{listed['versions'][0]['id']}"
    graph = runway("GET", one).json()["graph"]
    source, film = graph["edges"][0]["source"], graph["edges"][0]["target"]
    given = {source: {"prompt": {"type": "primitive", "value": "a red kite"}}}
    run = runway("POST", one, json={"nodeOutputs": given}).json()["id"]

    def done() -> list[str] | None:
        told = runway("GET", f"/v1/workflow_invocations/{run}").json()
        return told["output"][film] if told["status"] == "SUCCEEDED" else None

    (url,) = wait_for(done)
    assert requests.get(url, timeout=60).content[4:8] == b"ftyp"
    assert runway("POST", one, json={"nodeOutputs": {film: {}}}).json()["issues"][0]["path"] == ["nodeOutputs"]
    assert runway("GET", f"/v1/workflow_invocations/{uuid.uuid4()}").status_code == 404
