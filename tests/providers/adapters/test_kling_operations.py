"""KlingAI on films and several pictures: made, extended and lip-synced against the emulator; misfits go nowhere."""

from __future__ import annotations

import hashlib
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from genengine.media import probe
from genengine.media.ffmpeg.binaries import ffmpeg
from providers.adapters.kling import KlingAdapter
from providers.emulator.accounts import TEST_ACCESS_KEY, TEST_SECRET_KEY
from providers.errors import InvalidRequest, OutcomeUnknown, ProviderError, Unsupported
from providers.http import Timeouts
from providers.values import (
    Accepted,
    GenerationRequest,
    InputAsset,
    InputRole,
    RemoteState,
    RemoteTask,
    StagedInputs,
    Task,
    TaskReport,
    snap_request,
)
from tests.contracts.cases import picture
from tests.contracts.emulator_process import QUARTER, EmulatorProcess
from tests.contracts.waiting import wait_for

PHOTOS = sorted((Path(__file__).resolve().parents[3] / "examples" / "media").rglob("*.jpg"))
PICTURES = tuple(picture(path, InputRole.REFERENCE) for path in PHOTOS[:2])
WEB_FILM = {"video_url": "https://films.example.com/speaker.mp4"}
KEYS = {
    "api-key": {"api_key": "operations-key"},
    "access-key": {"access_key": TEST_ACCESS_KEY, "secret_key": TEST_SECRET_KEY},
}
both_ways = pytest.mark.parametrize("kling", KEYS, indirect=True)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator"), arguments=QUARTER).start()
    yield running
    running.stop()


@pytest.fixture
def kling(request: pytest.FixtureRequest, emulator: EmulatorProcess) -> KlingAdapter:
    emulator.script()
    patience = Timeouts(connect=10, read=60, submit=60)
    keys = KEYS[getattr(request, "param", "api-key")]
    return KlingAdapter(credentials=keys, base_url=f"{emulator.url}/kling", timeouts=patience)


def sound_of(folder: Path, seconds: float) -> InputAsset:
    path = folder / "voice.mp3"
    argv = [ffmpeg(), "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"sine=d={seconds}", str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return InputAsset(InputRole.AUDIO, path, "audio/mpeg", hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> InputAsset:
    return sound_of(tmp_path_factory.mktemp("voice"), 3)


def together(model: str = "kling-1.6", **changes: Any) -> GenerationRequest:
    values = {"duration_s": 5.0, "ratio": "9:16", "resolution": "720p", "inputs": PICTURES, **changes}
    return GenerationRequest(Task.REFERENCES_TO_VIDEO, model, **{"prompt": "The bottle on the table", **values})


def longer(**options: Any) -> GenerationRequest:
    return GenerationRequest(Task.VIDEO_EXTEND, "kling-extend", "It goes on", duration_s=5.0, options=options)


def spoken(voice: InputAsset, **options: Any) -> GenerationRequest:
    given = options or WEB_FILM
    return GenerationRequest(Task.LIP_SYNC, "kling-lip-sync", "", duration_s=5.0, inputs=(voice,), options=given)


def made(kling: KlingAdapter, request: GenerationRequest) -> TaskReport:
    staged = kling.stage_inputs(request.inputs, ratio=request.ratio)
    accepted = kling.submit(request, staged, idempotency_key=uuid.uuid4().hex)
    assert isinstance(accepted, Accepted)
    task = RemoteTask(accepted.remote_id, request.task, request.model, accepted.details)
    report = wait_for(lambda: next((r for r in [kling.poll(task)] if r.state.is_final), None))
    assert report.state is RemoteState.SUCCEEDED
    assert report.cost is not None
    assert report.cost.value == kling.estimate(request).amount
    return report


@both_ways
def test_pictures_become_a_film_that_is_extended_and_then_speaks(
    kling: KlingAdapter, voice: InputAsset, tmp_path: Path
) -> None:
    first = made(kling, together())
    film = first.raw["task_result"]["videos"][0]["id"]
    extended = made(kling, longer(video_id=film))
    (artefact,) = kling.fetch_output(extended, tmp_path)
    assert float(probe(artefact.path).duration_s) == pytest.approx(10, abs=0.2)
    speaking = made(kling, spoken(voice, video_id=film, original_audio_volume=0))
    (artefact,) = kling.fetch_output(speaking, tmp_path)
    media = probe(artefact.path)
    assert media.video is not None
    assert (media.video.width, media.video.height) == (180, 320)  # a quarter of the asked 720p
    assert media.audio is not None


def test_omni_takes_several_pictures_in_the_new_design(kling: KlingAdapter, tmp_path: Path) -> None:
    report = made(kling, together("kling-3.0-omni", duration_s=3.0, options={"audio": "native"}))
    (artefact,) = kling.fetch_output(report, tmp_path)
    assert float(probe(artefact.path).duration_s) == pytest.approx(3, abs=0.2)


@both_ways
@pytest.mark.parametrize("operation", ["together", "spoken"])
def test_a_lost_answer_to_an_operation_is_found_by_our_key(
    kling: KlingAdapter, emulator: EmulatorProcess, voice: InputAsset, operation: str
) -> None:
    request = together() if operation == "together" else spoken(voice)
    key = uuid.uuid4().hex
    assert kling.find_by_key(key, request=request) is None
    emulator.script({"vendor": "kling", "endpoint": "submit", "do": "lost_response", "nth": [1]})
    with pytest.raises(OutcomeUnknown):
        kling.submit(request, kling.stage_inputs(request.inputs), idempotency_key=key)
    found = kling.find_by_key(key, request=request)
    assert found is not None
    assert kling.poll(found).idempotency_key == key


def test_what_does_not_fit_is_refused_before_anything_is_sent(
    kling: KlingAdapter, voice: InputAsset, tmp_path: Path
) -> None:
    cases: list[tuple[GenerationRequest, type[ProviderError], str]] = [
        (together(inputs=()), InvalidRequest, "1 to 4 pictures"),
        (together(resolution="1080p"), InvalidRequest, "snap"),
        (together(duration_s=7.0), InvalidRequest, "snap"),
        (together(options={"audio": "native"}), Unsupported, "audio"),
        (longer(), InvalidRequest, "video_id"),
        (spoken(voice, video_id="v-1", video_url="https://a.example/b.mp4"), InvalidRequest, "one film"),
        (spoken(voice, **WEB_FILM, insert_ms=4000), InvalidRequest, "shorten the sound"),
        (spoken(voice, **WEB_FILM, sound_volume=3), InvalidRequest, "from 0 to 2"),
        (replace(spoken(voice), prompt="Hello"), InvalidRequest, "no prompt"),
    ]
    for request, kind, words in cases:
        with pytest.raises(kind, match=words):
            kling.submit(request, kling.stage_inputs(request.inputs), idempotency_key="k")
    with pytest.raises(InvalidRequest, match="2 to 60 s"):
        kling.stage_inputs((sound_of(tmp_path, 1),))
    with pytest.raises(InvalidRequest, match="audio file"):
        kling.submit(replace(spoken(voice), inputs=()), StagedInputs(), idempotency_key="k")
    assert kling.exchanges == []


@pytest.mark.parametrize("kling", ["access-key"], indirect=True)
def test_omni_is_refused_to_access_keys(kling: KlingAdapter) -> None:
    request = together("kling-3.0-omni")
    with pytest.raises(Unsupported, match="API key"):
        kling.submit(request, kling.stage_inputs(request.inputs), idempotency_key="k")
    assert kling.exchanges == []


def test_a_film_without_a_face_and_one_that_is_unknown_start_no_task(
    kling: KlingAdapter, emulator: EmulatorProcess, voice: InputAsset
) -> None:
    key = uuid.uuid4().hex
    for request, words in (
        (spoken(voice, video_url="https://films.example.com/no-face.mp4"), "no face"),
        (spoken(voice, video_id="v-1"), "video_id"),
        (longer(video_id="v-1"), "video_id"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            kling.submit(request, kling.stage_inputs(request.inputs), idempotency_key=key)
    assert emulator.bills(key) == []


def test_limits_are_snapped_aloud_and_lip_sync_is_priced_by_five_seconds(voice: InputAsset) -> None:
    card = KlingAdapter.card("kling-1.6")
    fitted, notes = snap_request(card, together(duration_s=7.0, resolution="1080p", ratio="4:5"))
    assert (fitted.duration_s, fitted.resolution) == (10, "720p")
    assert len(notes) == 3
    kling = KlingAdapter(credentials={"api_key": "k"})
    said = kling.estimate(replace(spoken(voice), prompt="Hello there", duration_s=6.2))
    assert (said.amount, said.billed_seconds) == (Decimal("0.14"), Decimal(10))
    assert any("prompt was cut" in note for note in said.notes)
