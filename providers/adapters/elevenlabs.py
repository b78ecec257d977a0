"""ElevenLabs: speech with timings, sound effects, music and transcripts at once; dubbing as a task.

Reference: https://elevenlabs.io/docs/api-reference. Most calls answer with the result itself: a lost answer is
paid and gone, so it is an unknown outcome and never simply sent again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from providers.base import RemoteAdapter
from providers.elevenlabs_models import CREDIT, MODELS
from providers.elevenlabs_voices import choose_voice, read_voice
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    ErrorKind,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
)
from providers.http import CallKind, Reply, Timeouts
from providers.shapes import as_decimal, as_dict, has_word, objects
from providers.spool import require_sink, write_artefact, write_json
from providers.values import (
    Accepted,
    AccountReport,
    Amount,
    CancelOutcome,
    CancelResult,
    Finished,
    GenerationRequest,
    InputAsset,
    InputRole,
    Output,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)
from providers.voice_values import Voice

PATIENCE = Timeouts(connect=5, read=30, submit=240, upload=600)
LICENCE = "licence_confirmed"
VOICE = frozenset({"voice_id", "voice_name"})
SPEECH_OPTIONS = VOICE | {"voice_settings", "language_code", "previous_text", "next_text", "apply_text_normalization"}
OPTIONS: dict[Task, frozenset[str]] = {
    Task.TEXT_TO_SPEECH: SPEECH_OPTIONS,
    Task.SOUND_EFFECT: frozenset({"prompt_influence", "loop"}),
    Task.MUSIC: frozenset({"force_instrumental", "sign_with_c2pa", LICENCE}),
    Task.SPEECH_TO_TEXT: frozenset({"language_code", "diarize", "num_speakers", "tag_audio_events"}),
    Task.DUBBING: frozenset({"target_lang", "source_lang", "num_speakers", "drop_background_audio"}),
}
QUOTA_CODES = {"quota_exceeded", "payment_required"}
POLICY_WORDS = ("against_policy", "bad_prompt", "policy", "safety", "moderation")


class ElevenLabsAdapter(RemoteAdapter):
    """``/v1/text-to-speech``, ``/v1/sound-generation``, ``/v1/music``, ``/v1/speech-to-text``, ``/v1/dubbing``."""

    name = "elevenlabs"
    label = "ElevenLabs"
    docs_url = "https://elevenlabs.io/docs/api-reference"
    live_url = "https://api.elevenlabs.io"
    unknown_window = timedelta(minutes=5)
    poll_interval = timedelta(seconds=10)
    states = {
        "preparing": RemoteState.QUEUED,
        "cloning": RemoteState.RUNNING,
        "dubbing": RemoteState.RUNNING,
        "dubbed": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
    }
    models = MODELS
    lists_voices = True

    def __init__(self, *, timeouts: Timeouts | None = None, **injected: Any) -> None:
        super().__init__(timeouts=timeouts or PATIENCE, **injected)

    def auth_headers(self) -> Mapping[str, str]:
        return {"xi-api-key": self.credential("api_key")}

    def check_credentials(self) -> AccountReport:
        body, _ = self.call_json(CallKind.READ, "GET", "/v1/user/subscription")
        used, limit = as_decimal(body.get("character_count")), as_decimal(body.get("character_limit"))
        left = (limit or Decimal(0)) - (used or Decimal(0))
        words = f"Plan {body.get('tier') or 'unknown'}, {left:f} characters left."
        return AccountReport(True, words, Amount(left, CREDIT.unit), {"tier": body.get("tier")})

    def voices(self, search: str = "") -> list[Voice]:
        """The account's voices, all pages; ``search`` looks in their names and descriptions."""
        params = {"page_size": "100", **({"search": search} if search else {})}
        pages = self.read_pages("/v2/voices", params, told="next_page_token", asked="next_page_token")
        return [read_voice(item) for page in pages for item in objects(page, "voices")]

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Files go along in the call itself: staging only names where they lie."""
        return StagedInputs(tuple(StagedInput(item.role, str(item.path), item.media_type) for item in inputs))

    # -- the paid calls --------------------------------------------------------------------------------------

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted | Finished:
        unknown = set(request.options) - OPTIONS.get(request.task, frozenset())
        if unknown:
            raise Unsupported(f"ElevenLabs knows no option {', '.join(sorted(unknown))} here; remove it.")
        if request.task is Task.DUBBING:
            return self._dub(request, staged)
        folder = require_sink(sink)
        work = {
            Task.TEXT_TO_SPEECH: self._speak,
            Task.SOUND_EFFECT: self._sound,
            Task.MUSIC: self._music,
            Task.SPEECH_TO_TEXT: self._transcribe,
        }
        if request.task not in work:
            raise Unsupported(f"ElevenLabs does not do {request.task.value} here.")
        return work[request.task](request, staged, folder)

    def _speak(self, request: GenerationRequest, staged: StagedInputs, sink: Path) -> Finished:
        """Speech with the time of every character, so that captions need no second recognition."""
        voice, name = (str(request.options.get(option) or "").strip() for option in ("voice_id", "voice_name"))
        if bool(voice) == bool(name) or not request.prompt.strip():
            raise InvalidRequest("Speech needs a text and one of options.voice_id and voice_name of a listed voice.")
        voice = voice or choose_voice(self.voices(name), name).voice_id
        body: dict[str, Any] = {"text": request.prompt, "model_id": request.model}
        body.update({option: value for option, value in request.options.items() if option not in VOICE})
        if request.seed is not None:
            body["seed"] = request.seed % 2**32
        answer, reply = self.call_json(
            CallKind.SUBMIT,
            "POST",
            f"/v1/text-to-speech/{quote(voice, safe='')}/with-timestamps",
            params={"output_format": "mp3_44100_128"},
            body=body,
        )
        data = self._audio(answer, reply)
        artefacts = [write_artefact(sink, "speech-0.mp3", data, media_type="audio/mpeg", kind="speech")]
        alignment = as_dict(answer.get("alignment"))
        if alignment:
            timings = {"words": words_of(alignment), "alignment": alignment}
            artefacts.append(write_json(sink, "timings-0.json", timings, kind="timings"))
        return self._finished(reply, artefacts, {"voice_id": voice})

    @staticmethod
    def _audio(answer: Mapping[str, Any], reply: Reply) -> bytes:
        try:
            data = base64.b64decode(str(answer.get("audio_base64") or ""), validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if not data:
            raise OutcomeUnknown("ElevenLabs answered without sound; the call may be charged.", exchange=reply.exchange)
        return data

    def _sound(self, request: GenerationRequest, staged: StagedInputs, sink: Path) -> Finished:
        body: dict[str, Any] = {"text": request.prompt, "model_id": request.model, **request.options}
        if request.duration_s:
            body["duration_seconds"] = request.duration_s
        return self._sounded("/v1/sound-generation", body, sink, "sound")

    def _music(self, request: GenerationRequest, staged: StagedInputs, sink: Path) -> Finished:
        """A piece of music. What it may be used for depends on the account's plan: the caller must have checked."""
        options = {name: value for name, value in request.options.items() if name != LICENCE}
        if request.options.get(LICENCE) is not True:
            raise InvalidRequest(
                "ElevenLabs licenses music by the account's plan: check that yours allows advertising, then set "
                f"options.{LICENCE} to true. Nothing was sent."
            )
        if not request.prompt.strip() or not request.duration_s:
            raise InvalidRequest("Music needs a prompt and a length in seconds.")
        body = {"prompt": request.prompt, "model_id": request.model, **options}
        length = {"music_length_ms": round(request.duration_s * 1000)}
        return self._sounded("/v1/music", {**body, **length}, sink, "music")

    def _sounded(self, path: str, body: Mapping[str, Any], sink: Path, kind: str) -> Finished:
        """Send a call that is answered with an MP3 and keep it."""
        params = {"output_format": "mp3_44100_128"}
        reply = self.call(CallKind.SUBMIT, "POST", path, params=params, body=body)
        if not reply.headers.get("Content-Type", "").startswith("audio/") or not reply.content:
            raise OutcomeUnknown("ElevenLabs answered without sound; the call may be charged.", exchange=reply.exchange)
        artefact = write_artefact(sink, f"{kind}-0.mp3", reply.content, media_type="audio/mpeg", kind=kind)
        return self._finished(reply, [artefact], {})

    def _transcribe(self, request: GenerationRequest, staged: StagedInputs, sink: Path) -> Finished:
        voice = staged.get(InputRole.AUDIO)
        if voice is None:
            raise InvalidRequest("Speech to text needs a sound file; add one.")
        form = {"model_id": request.model, "timestamps_granularity": "word", **_as_form(request.options)}
        files = {"file": (Path(voice.value).name, Path(voice.value).read_bytes(), voice.media_type)}
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", "/v1/speech-to-text", data=form, files=files)
        if "text" not in answer:
            raise OutcomeUnknown("ElevenLabs answered without a transcript.", exchange=reply.exchange)
        artefact = write_json(sink, "transcript-0.json", answer, kind="transcript")
        return self._finished(reply, [artefact], {}, str(answer["text"]))

    def _finished(self, reply: Reply, artefacts: list[Any], raw: dict[str, Any], text: str = "") -> Finished:
        """The vendor counts characters in a header; that, not the text's length, is what it charges."""
        spent = as_decimal(reply.headers.get("character-cost"))
        return Finished(
            tuple(artefacts),
            remote_id=reply.headers.get("request-id", ""),
            text=text,
            cost=None if spent is None else Amount(spent, CREDIT.unit),
            raw={**raw, "history_item_id": reply.headers.get("history-item-id", "")},
            exchange=reply.exchange,
        )

    # -- dubbing, the one task -------------------------------------------------------------------------------

    def _dub(self, request: GenerationRequest, staged: StagedInputs) -> Accepted:
        source = staged.get(InputRole.VIDEO) or staged.get(InputRole.AUDIO)
        target = str(request.options.get("target_lang") or "")
        if source is None or not target:
            raise InvalidRequest("Dubbing needs a video or voice file and options.target_lang.")
        # Cloning a voice needs a recorded consent; the caller asks for it apart, so it is off here.
        form = {"disable_voice_cloning": "true", **_as_form(request.options)}
        files = {"file": (Path(source.value).name, Path(source.value).read_bytes(), source.media_type)}
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", "/v1/dubbing", data=form, files=files)
        remote_id = str(answer.get("dubbing_id") or "")
        if not remote_id:
            raise OutcomeUnknown("ElevenLabs accepted the dubbing without naming it.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {"language": target}, reply.exchange)

    def poll(self, task: RemoteTask) -> TaskReport:
        body, reply = self.call_json(CallKind.READ, "GET", f"/v1/dubbing/{task.remote_id}")
        word = str(body.get("status") or "")
        state = self.state_of(word)
        url = f"{self.base_url}/v1/dubbing/{task.remote_id}/audio/{task.details.get('language', '')}"
        done = state is RemoteState.SUCCEEDED
        media_type = str(as_dict(body.get("media_metadata")).get("content_type") or "")
        kind = "video" if media_type.startswith("video/") else "speech"
        return TaskReport(
            remote_id=task.remote_id,
            state=state,
            raw=body,
            vendor_state=word,
            outputs=(Output(kind, url, needs_auth=True),) if done else (),
            error=_failure(body) if state is RemoteState.FAILED else None,
            exchange=reply.exchange,
        )

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        """Deleting a dubbing is the only way to stop it; a finished one would be erased, so it is left."""
        if self.poll(task).state.is_final:
            return CancelOutcome(CancelResult.TOO_LATE, "ElevenLabs had already finished the dubbing.")
        self.call(CallKind.WRITE, "DELETE", f"/v1/dubbing/{task.remote_id}")
        return CancelOutcome(CancelResult.CANCELLED, "ElevenLabs removed the dubbing; it may still be charged.")

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        detail = reply.data.get("detail")
        if reply.ok and detail is None:
            return None
        code, words = _code_and_words(reply.data, detail)
        return _error_of(code, words, reply, kind)


def _code_and_words(body: Mapping[str, Any], detail: Any) -> tuple[str, str]:
    """Three shapes are in use: an object, a list of field errors, plain text."""
    if isinstance(detail, dict):
        return str(detail.get("status") or detail.get("code") or ""), str(detail.get("message") or "")
    if isinstance(detail, list):
        return "validation", "; ".join(str(item.get("msg")) for item in objects(body, "detail"))
    return "", str(detail or "")


def _error_of(code: str, words: str, reply: Reply, kind: CallKind) -> ProviderError | None:
    told: dict[str, Any] = {"vendor_code": code or str(reply.status), "vendor_message": words}
    if code in QUOTA_CODES or reply.status == 402:
        return QuotaExhausted(f"The ElevenLabs plan has nothing left: {words}", **told)
    if has_word(code, POLICY_WORDS):
        return ContentRefused(f"ElevenLabs refuses this content: {words}", **told)
    if reply.status in (401, 403):
        return CredentialsRejected(f"ElevenLabs does not allow this key: {words}", **told)
    if reply.status == 429:
        return RateLimited(f"ElevenLabs is saturated: {words}", retry_after=reply.retry_after, **told)
    if reply.ok or reply.status >= 500 or reply.status in (409, 425):
        lost = OutcomeUnknown if kind is CallKind.SUBMIT else Transient
        return lost(f"ElevenLabs failed: {words}", **told)
    return InvalidRequest(f"ElevenLabs finds the request invalid: {words}", **told)


def _failure(body: Mapping[str, Any]) -> TaskFailure:
    words = str(body.get("error") or "no reason given")
    refused = has_word(words, POLICY_WORDS)
    return TaskFailure(ErrorKind.CONTENT_REFUSED if refused else ErrorKind.TRANSIENT, "failed", words)


def _as_form(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as form fields: texts as they are, the rest as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in options.items()}


def words_of(alignment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Words with start and end in seconds, grouped from the times of characters."""
    named = ("characters", "character_start_times_seconds", "character_end_times_seconds")
    columns = [alignment.get(name) or [] for name in named]
    words: list[dict[str, Any]] = []
    fresh = True
    for character, start, end in zip(*columns, strict=False):
        if str(character).isspace():
            fresh = True
            continue
        if fresh:
            words.append({"text": "", "start": start, "end": end})
            fresh = False
        words[-1]["text"] += str(character)
        words[-1]["end"] = end
    return words
