"""OpenAI's and Google's own clients for text: typed answers, streams, uploads, lists, their errors and retries."""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="no-untyped-call,union-attr,unused-ignore,arg-type,index"

from __future__ import annotations

import io
from pathlib import Path

import openai
import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials
from pydantic import BaseModel

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]
FLASH = "gemini-3.8-flash"


class Scene(BaseModel):
    visual: str
    seconds: int


class Plan(BaseModel):
    title: str
    scenes: list[Scene]


@pytest.fixture
def api(emulator: EmulatorProcess) -> openai.OpenAI:
    return openai.OpenAI(api_key="x", base_url=f"{emulator.url}/openai/v1", max_retries=0)


@pytest.fixture
def gemini(emulator: EmulatorProcess) -> genai.Client:
    return genai.Client(api_key="x", http_options=types.HttpOptions(base_url=f"{emulator.url}/gemini"))


@pytest.fixture
def vertex(emulator: EmulatorProcess) -> genai.Client:
    options = types.HttpOptions(base_url=f"{emulator.url}/vertex")
    login = Credentials("ya29.token")
    return genai.Client(vertexai=True, project="p", location="us-central1", credentials=login, http_options=options)


def test_openai_parses_a_typed_plan_and_tells_a_cut_or_refused_one_apart(
    api: openai.OpenAI, emulator: EmulatorProcess
) -> None:
    asked = [{"role": "user", "content": [{"type": "text", "text": "Plan an advert for cold brew"}]}]
    whole = api.chat.completions.parse(model="gpt-6-sol", messages=asked, response_format=Plan)  # type: ignore[arg-type]
    assert whole.choices[0].message.parsed is not None
    with pytest.raises(openai.LengthFinishReasonError):
        api.chat.completions.parse(
            model="gpt-6-sol",
            messages=asked,  # type: ignore[arg-type]
            response_format=Plan,
            max_completion_tokens=4,
        )
    emulator.script({"vendor": "openai", "endpoint": "submit", "do": "refuse_at_end"})
    refused = api.chat.completions.parse(model="gpt-6-sol", messages=asked, response_format=Plan)  # type: ignore[arg-type]
    assert refused.choices[0].message.refusal
    assert refused.choices[0].message.parsed is None


def test_openai_streams_words_and_then_the_usage(api: openai.OpenAI) -> None:
    stream = api.chat.completions.create(
        model="gpt-6-sol",
        messages=[{"role": "user", "content": "plan"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said.startswith("A plan for")
    assert chunks[-1].usage is not None


def test_openai_raises_its_own_error_for_every_mistake(api: openai.OpenAI) -> None:
    message = [{"role": "user", "content": "plan"}]
    open_schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "plan", "strict": True, "schema": open_schema}}
    for kind, param, more in (
        (openai.NotFoundError, "model", {"model": "nothing"}),
        (openai.BadRequestError, "max_tokens", {"max_tokens": 5}),
        (openai.BadRequestError, "temperature", {"temperature": 0.2}),
        (openai.BadRequestError, "messages", {"messages": []}),
        (openai.BadRequestError, "response_format", {"response_format": form}),
    ):
        with pytest.raises(kind) as caught:
            api.chat.completions.create(**{"model": "gpt-6-sol", "messages": message, **more})  # type: ignore[call-overload]
        assert caught.value.param == param
    assert api.models.retrieve("gpt-6-sol").id in {model.id for model in api.models.list()}


def test_openai_waits_out_a_rate_limit(emulator: EmulatorProcess) -> None:
    patient = openai.OpenAI(api_key="x", base_url=f"{emulator.url}/openai/v1", max_retries=2)
    emulator.script({"vendor": "openai", "endpoint": "submit", "do": "rate_limited", "retry_after": 0.1, "nth": [1]})
    answer = patient.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": "plan"}])
    assert answer.usage is not None
    assert emulator.fired() == 1


@pytest.mark.parametrize("how", ["model", "schema"])
def test_gemini_gives_typed_json_in_both_of_its_schema_forms(gemini: genai.Client, how: str) -> None:
    schema = {"response_schema": Plan} if how == "model" else {"response_json_schema": Plan.model_json_schema()}
    config = types.GenerateContentConfig(
        response_mime_type="application/json",
        system_instruction="You plan adverts.",
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
        **schema,  # type: ignore[arg-type]
    )
    answer = gemini.models.generate_content(model=FLASH, contents="Plan an advert for cold brew", config=config)
    assert Plan.model_validate_json(answer.text or "").scenes
    assert answer.usage_metadata is not None


def test_gemini_streams_counts_lists_and_keeps_files(gemini: genai.Client, vertex: genai.Client, frame: Path) -> None:
    for client in (gemini, vertex):
        chunks = client.models.generate_content_stream(model=FLASH, contents="Plan an advert for cold brew, slowly")
        assert "".join(chunk.text or "" for chunk in chunks).startswith("A plan for")
    assert gemini.models.count_tokens(model=FLASH, contents="Plan an advert").total_tokens
    assert f"models/{FLASH}" in {model.name for model in gemini.models.list()}
    kept = gemini.files.upload(file=io.BytesIO(frame.read_bytes()), config={"mime_type": "image/jpeg"})
    assert kept.name is not None
    assert gemini.files.get(name=kept.name).size_bytes == frame.stat().st_size
    gemini.files.delete(name=kept.name)
    with pytest.raises(errors.ClientError):
        gemini.files.get(name=kept.name)


def test_google_says_what_is_wrong_in_its_own_words(emulator: EmulatorProcess, gemini: genai.Client) -> None:
    stranger = genai.Client(api_key="wrong", http_options=types.HttpOptions(base_url=f"{emulator.url}/gemini"))
    for client, model, code, status in (
        (gemini, "nothing", 404, "NOT_FOUND"),
        (stranger, FLASH, 400, "INVALID_ARGUMENT"),
    ):
        with pytest.raises(errors.ClientError) as caught:
            client.models.generate_content(model=model, contents="x")
        assert (caught.value.code, caught.value.status) == (code, status)
    emulator.script({"vendor": "gemini", "endpoint": "submit", "do": "refuse_at_end"})
    blocked = gemini.models.generate_content(model=FLASH, contents="x")
    assert blocked.prompt_feedback is not None
    assert blocked.candidates is None


def test_veo_on_vertex_fills_a_bucket_with_as_many_clips_as_asked(vertex: genai.Client) -> None:
    config = types.GenerateVideosConfig(
        number_of_videos=2, output_gcs_uri="gs://bucket/out", duration_seconds=4, generate_audio=False, seed=3
    )
    running = vertex.models.generate_videos(model="veo-3.1-generate-001", prompt="a red kite", config=config)
    done = wait_for(lambda: next((op for op in [vertex.operations.get(running)] if op.done), None))
    found = {video.video.uri for video in done.response.generated_videos}
    assert len(found) == 2
    assert all(uri.startswith("gs://bucket/out/") for uri in found)


def test_veo_on_the_gemini_api_takes_first_and_last_frames(gemini: genai.Client, frame: Path) -> None:
    image = types.Image(image_bytes=frame.read_bytes(), mime_type="image/jpeg")
    config = types.GenerateVideosConfig(aspect_ratio="9:16", duration_seconds=8, resolution="720p", last_frame=image)
    source = types.GenerateVideosSource(prompt="a red kite", image=image)
    running = gemini.models.generate_videos(model="veo-3.1-generate-preview", source=source, config=config)
    done = wait_for(lambda: next((op for op in [gemini.operations.get(running)] if op.done), None))
    assert gemini.files.download(file=done.response.generated_videos[0].video)[4:8] == b"ftyp"
