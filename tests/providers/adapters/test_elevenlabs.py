"""What is peculiar to ElevenLabs: words from characters, transcripts, and dubbing as a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genengine.media import probe
from providers.adapters.elevenlabs import ElevenLabsAdapter, words_of
from providers.elevenlabs_voices import Voice, choose_voice
from providers.errors import InvalidRequest
from providers.values import (
    Accepted,
    CancelResult,
    Finished,
    GenerationRequest,
    InputAsset,
    InputRole,
    RemoteState,
    RemoteTask,
    StagedInputs,
    Task,
    snap_request,
)
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

VOICES = Path(__file__).resolve().parents[3] / "examples" / "media" / "voice"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("eleven")).start()
    yield running
    running.stop()


@pytest.fixture
def adapter(vendor: EmulatorProcess) -> ElevenLabsAdapter:
    return ElevenLabsAdapter(credentials={"api_key": "sk_test"}, base_url=f"{vendor.url}/elevenlabs")


@pytest.fixture
def voice() -> InputAsset:
    path = next(item for item in sorted(VOICES.iterdir()) if item.suffix in (".wav", ".mp3", ".flac", ".ogg"))
    return InputAsset(InputRole.AUDIO, path, "audio/wav", hashlib.sha256(path.read_bytes()).hexdigest())


def test_words_are_grouped_from_characters_with_their_times() -> None:
    alignment = {
        "characters": list("Hi  you"),
        "character_start_times_seconds": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "character_end_times_seconds": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
    }
    assert words_of(alignment) == [{"text": "Hi", "start": 0, "end": 0.2}, {"text": "you", "start": 0.4, "end": 0.7}]
    assert words_of({}) == []


def test_speech_comes_with_a_file_that_decodes_and_times_that_cover_it(
    adapter: ElevenLabsAdapter, tmp_path: Path
) -> None:
    request = GenerationRequest(
        Task.TEXT_TO_SPEECH, "eleven_v3", "Cold brew, made slowly", options={"voice_id": "voice-test"}
    )
    finished = adapter.submit(request, adapter.stage_inputs(()), idempotency_key="k", sink=tmp_path)
    assert isinstance(finished, Finished)
    sound, timings = finished.artefacts
    length = float(probe(sound.path).duration_s)
    words = json.loads(timings.path.read_text())["words"]
    assert [word["text"] for word in words] == ["Cold", "brew,", "made", "slowly"]
    assert words[-1]["end"] == pytest.approx(length, abs=0.1)
    assert finished.cost is not None
    assert finished.cost.value == 22


def test_music_has_the_asked_length_and_is_made_only_where_the_licence_was_confirmed(
    adapter: ElevenLabsAdapter, vendor: EmulatorProcess, tmp_path: Path
) -> None:
    asked = GenerationRequest(Task.MUSIC, "music_v2", "Calm strings over a slow beat", duration_s=12)
    sent = len(vendor.lines())
    with pytest.raises(InvalidRequest, match="licenses music by the account's plan"):
        adapter.submit(asked, StagedInputs(()), idempotency_key="k", sink=tmp_path)
    assert len(vendor.lines()) == sent
    agreed = replace(asked, options={"licence_confirmed": True, "force_instrumental": True})
    assert float(adapter.estimate(agreed).amount) == pytest.approx(0.06)
    finished = adapter.submit(agreed, StagedInputs(()), idempotency_key="k", sink=tmp_path)
    assert isinstance(finished, Finished)
    (music,) = finished.artefacts
    assert (music.kind, music.media_type) == ("music", "audio/mpeg")
    assert probe(music.path).duration_s == pytest.approx(12, abs=0.2)
    fitted, notes = snap_request(adapter.card("music_v2"), replace(agreed, duration_s=400))
    assert (fitted.duration_s, bool(notes)) == (300, True)


def test_a_transcript_is_kept_with_its_words(adapter: ElevenLabsAdapter, voice: InputAsset, tmp_path: Path) -> None:
    request = GenerationRequest(Task.SPEECH_TO_TEXT, "scribe_v2", "", inputs=(voice,))
    finished = adapter.submit(request, adapter.stage_inputs((voice,)), idempotency_key="k", sink=tmp_path)
    assert isinstance(finished, Finished)
    kept = json.loads(finished.artefacts[0].path.read_text())
    assert kept["text"] == finished.text
    assert kept["words"][0]["type"] == "word"


def dub(adapter: ElevenLabsAdapter, voice: InputAsset) -> RemoteTask:
    request = GenerationRequest(Task.DUBBING, "elevenlabs-dubbing", "", inputs=(voice,), options={"target_lang": "de"})
    accepted = adapter.submit(request, adapter.stage_inputs((voice,)), idempotency_key="k")
    assert isinstance(accepted, Accepted)
    return RemoteTask(accepted.remote_id, Task.DUBBING, request.model, accepted.details)


def test_a_dub_is_polled_and_fetched_with_the_key(
    adapter: ElevenLabsAdapter, voice: InputAsset, tmp_path: Path
) -> None:
    task = dub(adapter, voice)
    report = wait_for(lambda: next((r for r in [adapter.poll(task)] if r.state.is_final), None))
    assert report.state is RemoteState.SUCCEEDED
    (artefact,) = adapter.fetch_output(report, tmp_path)
    assert probe(artefact.path).audio is not None
    assert adapter.cancel(task).result is CancelResult.TOO_LATE


def test_a_dub_that_is_cancelled_is_gone(adapter: ElevenLabsAdapter, voice: InputAsset) -> None:
    task = dub(adapter, voice)
    assert adapter.cancel(task).result is CancelResult.CANCELLED
    with pytest.raises(InvalidRequest):
        adapter.poll(task)


def test_voices_are_listed_and_one_is_chosen_by_its_name(
    adapter: ElevenLabsAdapter, tmp_path: Path, vendor: EmulatorProcess
) -> None:
    voices = {voice.name: voice for voice in adapter.voices()}
    assert set(voices) == {"Rachel", "Adam", "Test"}
    assert voices["Rachel"].labels["gender"]
    request = GenerationRequest(
        Task.TEXT_TO_SPEECH, "eleven_flash_v2_5", "Cold brew", options={"voice_name": " rachel "}
    )
    made = adapter.submit(request, adapter.stage_inputs(()), idempotency_key="by-name", sink=tmp_path)
    assert isinstance(made, Finished)
    assert made.raw["voice_id"] == voices["Rachel"].voice_id


def test_a_name_that_fits_none_or_several_is_refused_with_what_there_is() -> None:
    two = [Voice("a", "Ada"), Voice("b", "ada"), Voice("c", "Bela")]
    assert choose_voice(two, "BELA").voice_id == "c"
    with pytest.raises(InvalidRequest, match="one of a, b"):
        choose_voice(two, "Ada")
    with pytest.raises(InvalidRequest, match="no voice Cleo; it has Ada, Bela, ada"):
        choose_voice(two, "Cleo")


@pytest.mark.parametrize("options", [{}, {"voice_id": "x", "voice_name": "Rachel"}])
def test_speech_needs_exactly_one_way_of_naming_its_voice(
    adapter: ElevenLabsAdapter, tmp_path: Path, options: dict[str, str]
) -> None:
    request = GenerationRequest(Task.TEXT_TO_SPEECH, "eleven_flash_v2_5", "Cold brew", options=options)
    with pytest.raises(InvalidRequest, match="one of options"):
        adapter.submit(request, adapter.stage_inputs(()), idempotency_key="none", sink=tmp_path)
