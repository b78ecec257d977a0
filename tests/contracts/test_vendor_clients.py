"""The vendors' own Python clients against the emulator: each makes its main thing, unchanged but for the address.

They are checks only (``requirements-dev.txt``); the product speaks to the vendors through its own adapters. More of
each client is in ``test_client_*.py`` beside this file.
"""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="attr-defined,no-untyped-call,union-attr,index,arg-type"

from __future__ import annotations

import fal_client
import openai
import pytest
from elevenlabs import ElevenLabs
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from replicate import Client as Replicate
from runwayml import RunwayML

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]


def test_runways_client_creates_waits_and_deletes(emulator: EmulatorProcess) -> None:
    runway = RunwayML(api_key="key_" + "a" * 128, base_url=f"{emulator.url}/runway", max_retries=0)
    made = runway.text_to_video.create(model="gen4.5", prompt_text="a kite", ratio="1280:720", duration=2)
    task = wait_for(lambda: next((t for t in [runway.tasks.retrieve(made.id)] if t.status == "SUCCEEDED"), None))
    assert task.output[0].startswith("http")
    runway.tasks.delete(made.id)
    assert runway.organization.retrieve().credit_balance > 0


def test_replicates_client_runs_lists_and_cancels(emulator: EmulatorProcess) -> None:
    replicate = Replicate(api_token="r8_x", base_url=f"{emulator.url}/replicate")
    asked = {"prompt": "a kite", "duration": 4, "resolution": "720p"}
    made = replicate.models.predictions.create("google/veo-3", asked)

    def is_over() -> bool:
        made.reload()
        return made.status == "succeeded"

    wait_for(is_over)
    assert ".mp4" in str(made.output)
    other = replicate.models.predictions.create("google/veo-3", asked)
    other.cancel()
    other.reload()
    assert other.status == "canceled"
    assert {item.id for item in replicate.predictions.list().results} >= {made.id, other.id}


def test_elevenlabs_client_speaks_with_times(emulator: EmulatorProcess) -> None:
    eleven = ElevenLabs(api_key="x", base_url=f"{emulator.url}/elevenlabs")
    voice = eleven.voices.search().voices[0]
    spoken = eleven.text_to_speech.convert_with_timestamps(voice_id=voice.voice_id, text="Hello cold brew")
    assert spoken.alignment is not None
    assert spoken.alignment.characters[:5] == list("Hello")
    assert b"".join(eleven.text_to_speech.convert(voice_id=voice.voice_id, text="Hello"))


def test_openais_client_gets_json_of_its_schema(emulator: EmulatorProcess) -> None:
    api = openai.OpenAI(api_key="x", base_url=f"{emulator.url}/openai/v1", max_retries=0)
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    answer = api.chat.completions.create(
        model="gpt-6-sol",
        messages=[{"role": "user", "content": "plan"}],
        response_format={"type": "json_schema", "json_schema": {"name": "p", "strict": True, "schema": schema}},
    )
    assert '"title"' in str(answer.choices[0].message.content)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(api_key="wrong", base_url=f"{emulator.url}/openai/v1", max_retries=0).models.list()


@pytest.mark.parametrize("mode", ["gemini", "vertex"])
def test_googles_client_makes_a_clip_in_both_modes(emulator: EmulatorProcess, mode: str) -> None:
    options = types.HttpOptions(base_url=f"{emulator.url}/{mode}")
    if mode == "vertex":
        login = Credentials("ya29.token")
        api = genai.Client(vertexai=True, project="p", location="us-central1", credentials=login, http_options=options)
        model = "veo-3.1-fast-generate-001"
    else:
        api, model = genai.Client(api_key="x", http_options=options), "veo-3.1-fast-generate-preview"
    asked = types.GenerateVideosConfig(aspect_ratio="16:9", duration_seconds=4, resolution="720p")
    running = api.models.generate_videos(model=model, prompt="a red kite", config=asked)
    done = wait_for(lambda: next((op for op in [api.operations.get(running)] if op.done), None))
    video = done.response.generated_videos[0].video
    data = api.files.download(file=video) if mode == "gemini" else video.video_bytes
    assert data[4:8] == b"ftyp"


def test_fals_client_submits_follows_and_gets_the_result(
    emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{emulator.url}/fal/")
    seen: list[fal_client.Status] = []
    result = fal_client.SyncClient(key="id:secret").subscribe(
        "fal-ai/pika/v2.2/text-to-video", {"prompt": "a kite"}, with_logs=True, on_queue_update=seen.append
    )
    assert result["video"]["content_type"] == "video/mp4"
    assert isinstance(seen[-1], fal_client.Completed)
