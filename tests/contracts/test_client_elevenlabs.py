"""ElevenLabs' own client: formats, streams, voices in pages, music, transcripts, dubbing, its errors."""

# The client's own types are looser or narrower than what it sends.
# mypy: disable-error-code="union-attr,unused-ignore"

from __future__ import annotations

import io

import pytest
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("clients_closed")]

TEXT = "Slow mornings taste better"


@pytest.fixture
def eleven(emulator: EmulatorProcess) -> ElevenLabs:
    return ElevenLabs(api_key="x", base_url=f"{emulator.url}/elevenlabs")


@pytest.fixture
def voice(eleven: ElevenLabs) -> str:
    return str(eleven.voices.search().voices[0].voice_id)


@pytest.mark.parametrize(
    ("form", "opening"), [("mp3_22050_32", b"ID3"), ("wav_24000", b"RIFF"), ("opus_48000_64", b"OggS")]
)
def test_speech_comes_in_the_format_that_is_asked_for(
    eleven: ElevenLabs, voice: str, form: str, opening: bytes
) -> None:
    assert b"".join(eleven.text_to_speech.convert(voice_id=voice, text=TEXT, output_format=form)).startswith(opening)  # type: ignore[arg-type]


def test_bare_samples_are_as_long_as_the_speech(eleven: ElevenLabs, voice: str) -> None:
    samples = b"".join(eleven.text_to_speech.convert(voice_id=voice, text=TEXT, output_format="pcm_16000"))
    assert len(samples) / 2 / 16_000 == pytest.approx(1.6, abs=0.05)


def test_a_stream_carries_sound_and_the_times_of_all_characters(eleven: ElevenLabs, voice: str) -> None:
    assert b"".join(eleven.text_to_speech.stream(voice_id=voice, text=TEXT))
    chunks = list(eleven.text_to_speech.stream_with_timestamps(voice_id=voice, text=TEXT))
    said = [char for chunk in chunks if chunk.alignment for char in chunk.alignment.characters]
    assert "".join(said) == TEXT
    assert all(chunk.audio_base_64 for chunk in chunks)


def test_the_charge_and_the_requests_name_are_in_the_headers(eleven: ElevenLabs, voice: str) -> None:
    with eleven.text_to_speech.with_raw_response.convert(voice_id=voice, text=TEXT) as answer:
        assert answer.headers["character-cost"] == str(len(TEXT))
        assert answer.headers["request-id"]


def test_voices_come_in_pages_and_are_looked_up(eleven: ElevenLabs) -> None:
    first = eleven.voices.search(page_size=1)
    second = eleven.voices.search(page_size=1, next_page_token=first.next_page_token)
    assert first.has_more
    assert first.voices[0].voice_id != second.voices[0].voice_id
    assert eleven.voices.get(first.voices[0].voice_id).name == first.voices[0].name
    assert len(eleven.voices.get_all().voices) == first.total_count


def test_music_and_effects_are_made(eleven: ElevenLabs) -> None:
    plan = eleven.music.composition_plan.create(prompt="calm piano", music_length_ms=4_000)
    assert sum(section.duration_ms for section in plan.sections) == 4_000
    assert b"".join(eleven.music.compose(composition_plan=plan)).startswith(b"ID3")
    assert b"".join(eleven.text_to_sound_effects.convert(text="a bell", duration_seconds=1)).startswith(b"ID3")
    with pytest.raises(ApiError) as caught:
        list(eleven.music.compose(prompt="in the style of a famous band", music_length_ms=4_000))
    assert caught.value.status_code == 400


def test_recordings_are_transcribed_aligned_and_cleaned(eleven: ElevenLabs, film: bytes) -> None:
    def recording() -> tuple[str, io.BytesIO, str]:
        return "film.mp4", io.BytesIO(film), "video/mp4"

    words = eleven.speech_to_text.convert(model_id="scribe_v2", file=recording()).words
    assert [word.text for word in words if word.type == "word"][:2] == ["Slow", "mornings"]
    assert [word.text for word in eleven.forced_alignment.create(file=recording(), text=TEXT).words] == TEXT.split()
    assert b"".join(eleven.audio_isolation.convert(audio=recording()))


def test_a_film_is_dubbed_listed_captioned_and_removed(eleven: ElevenLabs, film: bytes) -> None:
    made = eleven.dubbing.create(file=("film.mp4", io.BytesIO(film), "video/mp4"), target_lang="es")
    assert made.expected_duration_sec == pytest.approx(3, abs=0.2)
    wait_for(lambda: eleven.dubbing.get(made.dubbing_id).status == "dubbed")
    assert b"".join(eleven.dubbing.audio.get(made.dubbing_id, "es"))[4:8] == b"ftyp"
    assert "-->" in str(eleven.dubbing.transcripts.get(made.dubbing_id, "es", format_type="srt"))
    assert made.dubbing_id in {dub.dubbing_id for dub in eleven.dubbing.list().dubs}
    eleven.dubbing.delete(made.dubbing_id)
    with pytest.raises(ApiError) as caught:
        eleven.dubbing.get(made.dubbing_id)
    assert caught.value.status_code == 404


def test_the_account_and_the_models_can_be_read(eleven: ElevenLabs) -> None:
    assert eleven.user.get().subscription.tier == eleven.user.subscription.get().tier == "pro"
    assert "eleven_multilingual_v2" in {model.model_id for model in eleven.models.list()}


def test_every_mistake_has_its_status(eleven: ElevenLabs, emulator: EmulatorProcess, voice: str) -> None:
    stranger = ElevenLabs(api_key="wrong", base_url=f"{emulator.url}/elevenlabs")
    speak = eleven.text_to_speech.convert
    for status, call in (
        (422, lambda: list(speak(voice_id=voice, text=""))),
        (404, lambda: list(speak(voice_id="nobody", text="x"))),
        (400, lambda: list(speak(voice_id=voice, text="x", model_id="nothing"))),
        (400, lambda: list(speak(voice_id=voice, text="x" * 3_001, model_id="eleven_v3"))),
        (401, stranger.voices.search),
    ):
        with pytest.raises(ApiError) as caught:
            call()
        assert caught.value.status_code == status
