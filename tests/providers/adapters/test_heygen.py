"""HeyGen beyond presenters: clips, the Video Agent, speech, large uploads, webhook endpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genengine.media import probe
from providers.adapters.heygen import HeyGenAdapter
from providers.errors import InvalidRequest, OutcomeUnknown, ProviderError, Transient, Unsupported
from providers.http import Timeouts
from providers.values import (
    Accepted,
    Finished,
    GenerationRequest,
    InputAsset,
    InputRole,
    RemoteState,
    RemoteTask,
    StagedInputs,
    Task,
    TaskReport,
)
from tests.contracts.emulator_process import QUARTER, EmulatorProcess
from tests.contracts.waiting import wait_for

TEXT = "Slow mornings taste better with a glass of cold brew"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator"), arguments=QUARTER).start()
    yield running
    running.stop()


@pytest.fixture
def heygen(emulator: EmulatorProcess) -> HeyGenAdapter:
    emulator.script()
    patience = Timeouts(connect=10, read=60, submit=60)
    return HeyGenAdapter(credentials={"api_key": "key_test"}, base_url=f"{emulator.url}/heygen", timeouts=patience)


def clip(**changes: Any) -> GenerationRequest:
    values = {"prompt": "Ice falls into a glass", "duration_s": 5.0, "ratio": "16:9", "resolution": "480p", **changes}
    return GenerationRequest(values.pop("task", Task.TEXT_TO_VIDEO), "heygen-video-1", **values)


def agent(**changes: Any) -> GenerationRequest:
    values = {"prompt": "Tell why cold brew fits slow mornings", "duration_s": 6.0, "ratio": "9:16", **changes}
    return GenerationRequest(Task.AVATAR_VIDEO, "heygen-video-agent", **values)


def speech(**changes: Any) -> GenerationRequest:
    values = {"prompt": TEXT, "options": {"voice_id": "voice-en-1"}, **changes}
    return GenerationRequest(Task.TEXT_TO_SPEECH, "heygen-starfish", **values)


def asset(path: Path, role: InputRole, media_type: str) -> InputAsset:
    return InputAsset(role, path, media_type, hashlib.sha256(path.read_bytes()).hexdigest())


def finish(heygen: HeyGenAdapter, request: GenerationRequest) -> tuple[Accepted, TaskReport]:
    staged = heygen.stage_inputs(request.inputs, ratio=request.ratio)
    accepted = heygen.submit(request, staged, idempotency_key=hashlib.sha256(repr(request).encode()).hexdigest())
    assert isinstance(accepted, Accepted)
    task = RemoteTask(accepted.remote_id, request.task, request.model, accepted.details)
    return accepted, wait_for(lambda: next((r for r in [heygen.poll(task)] if r.state.is_final), None))


def test_a_clip_from_a_picture_has_the_asked_shape_and_the_estimated_price(
    heygen: HeyGenAdapter, tmp_path: Path
) -> None:
    picture = tmp_path / "tall.jpg"
    Image.effect_noise((600, 900), 40).convert("RGB").save(picture)
    request = clip(task=Task.IMAGE_TO_VIDEO, ratio="1:1", inputs=(asset(picture, InputRole.FIRST_FRAME, "image/jpeg"),))
    _, report = finish(heygen, request)
    assert report.state is RemoteState.SUCCEEDED
    assert report.cost is not None
    assert report.cost.value == heygen.estimate(request).amount
    (artefact,) = heygen.fetch_output(report, tmp_path)
    video = probe(artefact.path).video
    assert video is not None
    assert (video.width, video.height) == (120, 120)  # a quarter of the asked 480p


def test_the_agents_session_is_followed_to_its_video(heygen: HeyGenAdapter, tmp_path: Path) -> None:
    note = tmp_path / "facts.pdf"
    note.write_bytes(b"%PDF-1.4 facts")
    request = agent(inputs=(asset(note, InputRole.REFERENCE, "application/pdf"),))
    estimate = heygen.estimate(request)
    accepted, report = finish(heygen, request)
    assert accepted.remote_id == report.remote_id
    assert accepted.remote_id.startswith("session:")
    assert report.state is RemoteState.SUCCEEDED
    assert report.cost is not None
    assert report.cost.value == estimate.amount
    assert any("decides the length" in words for words in estimate.notes)
    (artefact,) = heygen.fetch_output(report, tmp_path)
    media = probe(artefact.path)
    assert media.video is not None
    assert media.video.height > media.video.width


def test_speech_comes_with_the_times_of_its_words_and_costs_its_length(heygen: HeyGenAdapter, tmp_path: Path) -> None:
    request = speech(options={"voice_id": "voice-en-1", "speed": 2})
    finished = heygen.submit(request, StagedInputs(), idempotency_key="speech-1", sink=tmp_path)
    assert isinstance(finished, Finished)
    sound, timings = finished.artefacts
    words = json.loads(timings.path.read_text())["words"]
    assert [word["text"] for word in words] == TEXT.split()
    assert words[-1]["end"] <= 2.1
    assert sound.media_type == "audio/wav"
    assert finished.cost is not None
    assert finished.cost.value == heygen.estimate(request).amount


def test_speech_that_was_paid_but_whose_file_does_not_come_is_never_simply_sent_again(
    heygen: HeyGenAdapter, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.script({"vendor": "heygen", "endpoint": "fetch", "do": "status", "status": 503})
    with pytest.raises(OutcomeUnknown, match="charged"):
        heygen.submit(speech(), StagedInputs(), idempotency_key="speech-2", sink=tmp_path)


def test_a_file_past_32_megabytes_goes_straight_to_the_storage_without_our_key(
    heygen: HeyGenAdapter, tmp_path: Path
) -> None:
    voice = tmp_path / "long.wav"
    with voice.open("wb") as file:
        file.truncate(33_000_000)
    (staged,) = heygen.stage_inputs((asset(voice, InputRole.AUDIO, "audio/wav"),)).items
    (put,) = [exchange for exchange in heygen.exchanges if exchange.method == "PUT"]
    assert put.status == 200
    assert "x-api-key" not in {name.lower() for name, _ in put.request_headers}
    assert staged.value
    broken = replace(asset(voice, InputRole.AUDIO, "audio/wav"), sha256="0" * 64)
    with pytest.raises(Transient, match="storage answered 400"):
        heygen.stage_inputs((broken,))


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (clip(duration_s=4.0), InvalidRequest),
        (clip(duration_s=5.5), InvalidRequest),
        (clip(prompt=" "), InvalidRequest),
        (clip(task=Task.IMAGE_TO_VIDEO), InvalidRequest),
        (clip(negative_prompt="text"), Unsupported),
        (agent(seed=3), Unsupported),
        (agent(options={"mode": "chat"}), Unsupported),
        (speech(options={}), InvalidRequest),
        (speech(options={"voice_id": "v", "speed": 3}), InvalidRequest),
        (speech(prompt="a " * 2501), InvalidRequest),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_sent(
    heygen: HeyGenAdapter, tmp_path: Path, request_: GenerationRequest, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind):
        heygen.submit(request_, StagedInputs(), idempotency_key="k", sink=tmp_path)
    assert heygen.exchanges == []


def test_a_size_the_clip_model_lacks_is_snapped_and_said(heygen: HeyGenAdapter) -> None:
    estimate = heygen.estimate(clip(resolution="1080p", ratio="4:5", duration_s=3.2))
    assert len(estimate.notes) == 3
    assert float(estimate.billed_seconds) == 5
