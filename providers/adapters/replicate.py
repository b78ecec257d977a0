"""Replicate: hosted models by name, one prediction a call, results that vanish within the hour.

Reference: https://replicate.com/docs/reference/http. Inputs are each model's own; the schemas here were read
in 2026-11 and official models change without a version, so every card is unverified until a test call passed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.base import RemoteAdapter
from providers.errors import (
    CredentialsRejected,
    ErrorKind,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
    WebhookRejected,
)
from providers.http import CallKind, Reply
from providers.limits import TrafficLimits
from providers.pictures import PictureLimits, prepare_picture
from providers.replicate_inputs import INPUTS, SVD, SVD_FRAMES
from providers.shapes import as_decimal, as_dict, has_word, texts
from providers.spool import write_json
from providers.values import (
    Accepted,
    AccountReport,
    Artefact,
    CancelOutcome,
    CancelResult,
    Facts,
    Feature,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    PerCall,
    PerSecond,
    RemoteState,
    RemoteTask,
    SecondsRange,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)
from providers.webhooks import verify_standard_webhook

PRICED = date(2026, 11, 1)
PICTURE = PictureLimits(max_bytes=10_000_000, min_side=64, max_side=4096)
CONTENT_WORDS = ("e005", "sensitive", "nsfw", "content policy", "moderation", "safety")
PASSING_WORDS = ("e1000", "e6716", "e8367", "e8765", "e9243", "e9825", "e004", "interrupted", "temporarily", "busy")
COMMON = frozenset({Feature.WEBHOOK, Feature.CANCEL})
UNSURE: dict[str, Any] = {"facts": Facts.UNSURE, "unverified": True, "prices_as_of": PRICED}
FIRST = frozenset({InputRole.FIRST_FRAME})


VERSION = re.compile(r"[0-9a-f]{64}")
OPTIONS = frozenset({"audio", "sync_mode", "temperature", "active_speaker", "language", "motion_bucket_id", "version"})
# Community models have no standing version: options.version pins one; else the newest is read, pinned in the call
# and kept with the task.
COMMUNITY = frozenset({"stability-ai/sdxl", "openai/whisper", SVD})


class ReplicateAdapter(RemoteAdapter):
    """Creates predictions, polls them, cancels them; files go up to ``/v1/files`` and live a day."""

    name = "replicate"
    label = "Replicate"
    docs_url = "https://replicate.com/docs/reference/http"
    live_url = "https://api.replicate.com"
    credential_fields = ("api_key", "webhook_secret")
    unknown_window = timedelta(minutes=30)
    poll_interval = timedelta(seconds=5)
    traffic = TrafficLimits(per_minute=600, burst=60)
    states = {
        "starting": RemoteState.QUEUED,
        "processing": RemoteState.RUNNING,
        "succeeded": RemoteState.SUCCEEDED,
        "failed": RemoteState.FAILED,
        "aborted": RemoteState.FAILED,
        "canceled": RemoteState.CANCELLED,
    }
    models = (
        ModelCard(
            id="google/veo-3",
            version="official",
            label="Veo 3 at Replicate",
            tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
            durations=(4, 6, 8),
            ratios=("16:9", "9:16"),
            resolutions=("720p", "1080p"),
            supports=COMMON | {Feature.SEED, Feature.NEGATIVE_PROMPT, Feature.NATIVE_AUDIO},
            input_roles=FIRST,
            price=PerSecond(
                Decimal("0.20"),
                "USD",
                {name: Decimal("0.40") for name in ("720p+audio", "1080p+audio")},
            ),
            speed_s_per_s=14.0,
            quality=9,
            **UNSURE,
        ),
        ModelCard(
            id="kwaivgi/kling-v2.1",
            version="official",
            label="Kling 2.1 at Replicate",
            tasks=frozenset({Task.IMAGE_TO_VIDEO}),
            durations=(5, 10),
            ratios=("16:9", "9:16", "1:1"),
            resolutions=("720p", "1080p"),
            supports=COMMON | {Feature.NEGATIVE_PROMPT, Feature.LAST_FRAME},
            input_roles=FIRST | {InputRole.LAST_FRAME},
            price=PerSecond(Decimal("0.05"), "USD", {"720p": Decimal("0.05"), "1080p": Decimal("0.09")}),
            speed_s_per_s=18.0,
            quality=7,
            **UNSURE,
        ),
        ModelCard(
            id="sync/lipsync-2-pro",
            version="official",
            label="Lipsync 2 Pro at Replicate",
            tasks=frozenset({Task.LIP_SYNC}),
            durations=SecondsRange(1, 300, 0.001),
            supports=COMMON,
            input_roles=frozenset({InputRole.VIDEO, InputRole.AUDIO}),
            price=PerSecond(Decimal("0.083")),
            speed_s_per_s=12.0,
            quality=8,
            **UNSURE,
        ),
        ModelCard(
            id="stability-ai/sdxl",
            version="newest, or pinned by options.version",
            label="SDXL at Replicate",
            tasks=frozenset({Task.TEXT_TO_IMAGE}),
            ratios=("1:1", "16:9", "9:16", "4:5"),
            supports=COMMON | {Feature.SEED, Feature.NEGATIVE_PROMPT},
            price=PerCall(Decimal("0.01")),
            speed_s_per_s=8.0,
            quality=6,
            **UNSURE,
        ),
        ModelCard(
            id=SVD,
            version="newest, or pinned by options.version",
            label="Stable Video Diffusion at Replicate",
            tasks=frozenset({Task.IMAGE_TO_VIDEO}),
            durations=(2.5, 3.125, round(SVD_FRAMES / 6, 3)),
            ratios=("16:9", "9:16", "1:1"),
            resolutions=("576p",),
            supports=COMMON | {Feature.SEED},
            input_roles=FIRST,
            price=PerCall(Decimal("0.17")),
            speed_s_per_s=20.0,
            quality=4,
            **UNSURE,
            notes="The picture moves by itself; the prompt is not read.",
        ),
        ModelCard(
            id="openai/whisper",
            version="newest, or pinned by options.version",
            label="Whisper at Replicate",
            tasks=frozenset({Task.SPEECH_TO_TEXT}),
            durations=SecondsRange(0.1, 3600, 0.001),
            supports=COMMON,
            input_roles=frozenset({InputRole.AUDIO}),
            price=PerCall(Decimal("0.01")),
            speed_s_per_s=0.3,
            quality=7,
            **UNSURE,
        ),
    )

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.credential('api_key')}"}

    def check_credentials(self) -> AccountReport:
        body, _ = self.call_json(CallKind.READ, "GET", "/v1/account")
        return AccountReport(True, f"Signed in as {body.get('username') or 'an account'}.", raw=body)

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Every file is uploaded and named by its address at Replicate, which lasts a day."""
        staged = []
        for item in inputs:
            if item.media_type.startswith("image/"):
                picture = prepare_picture(item.path, PICTURE, ratio=ratio)
                url = self._upload("picture.jpg", picture.data, picture.media_type)
            else:
                url = self._upload(item.path.name, item.path.read_bytes(), item.media_type)
            expires = self.clock() + timedelta(hours=24)
            staged.append(StagedInput(item.role, url, item.media_type, expires))
        return StagedInputs(tuple(staged))

    def _upload(self, name: str, data: bytes, media_type: str) -> str:
        files = {"content": (name, data, media_type)}
        body, reply = self.call_json(CallKind.WRITE, "POST", "/v1/files", files=files)
        url = str(as_dict(body.get("urls")).get("get") or "")
        if not url:
            raise Transient("Replicate took the file without an address; try again.", exchange=reply.exchange)
        return url

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        unknown = set(request.options) - OPTIONS
        if unknown:
            raise Unsupported(f"Replicate's models know no option {', '.join(sorted(unknown))}; remove it.")
        body: dict[str, Any] = {"input": INPUTS[self.card(request.model).id](request, staged)}
        if callback_url:
            body |= {"webhook": callback_url, "webhook_events_filter": ["completed"]}
        path = f"/v1/models/{request.model}/predictions"
        version = ""
        if request.model in COMMUNITY:
            version = self._pinned(request) or self._newest_version(request.model)
            path, body["version"] = "/v1/predictions", version
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", path, body=body)
        remote_id = str(answer.get("id") or "")
        if not remote_id:
            raise OutcomeUnknown("Replicate accepted the call without naming a prediction.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {"version": version} if version else {}, reply.exchange)

    @staticmethod
    def _pinned(request: GenerationRequest) -> str:
        version = str(request.options.get("version") or "")
        if version and not VERSION.fullmatch(version):
            raise InvalidRequest("options.version is the 64 hexadecimal digits of a version, as Replicate lists it.")
        return version

    def _newest_version(self, model: str) -> str:
        body, reply = self.call_json(CallKind.READ, "GET", f"/v1/models/{model}")
        version = str(as_dict(body.get("latest_version")).get("id") or "")
        if not version:
            raise InvalidRequest(f"Replicate names no version of {model}.", exchange=reply.exchange)
        return version

    def poll(self, task: RemoteTask) -> TaskReport:
        body, reply = self.call_json(CallKind.READ, "GET", f"/v1/predictions/{task.remote_id}")
        return self._report(body, reply)

    def _report(self, body: Mapping[str, Any], reply: Reply | None = None) -> TaskReport:
        word = str(body.get("status") or "")
        state = self.state_of(word)
        outputs: tuple[Output, ...] = ()
        error: TaskFailure | None = None
        if state is RemoteState.SUCCEEDED:
            outputs = _outputs(body.get("output"))
            if not outputs:
                state = RemoteState.FAILED
                words = "Replicate no longer has the result; it keeps results for an hour."
                error = TaskFailure(ErrorKind.RESULT_GONE, "data_removed", words)
        elif state is RemoteState.FAILED:
            error = _failure(str(body.get("error") or word))
        return TaskReport(
            remote_id=str(body.get("id") or ""),
            state=state,
            raw=dict(body),
            vendor_state=word,
            outputs=outputs,
            error=error,
            exchange=reply.exchange if reply else None,
        )

    def fetch_output(self, report: TaskReport, sink: Path) -> list[Artefact]:
        """Files are fetched; a transcript is part of the report and is written down as JSON."""
        if any(output.inline_key for output in report.outputs):
            return [write_json(sink, "transcript-0.json", report.raw["output"], kind="transcript")]
        return super().fetch_output(report, sink)

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        body, _ = self.call_json(CallKind.WRITE, "POST", f"/v1/predictions/{task.remote_id}/cancel")
        state = self.state_of(str(body.get("status") or ""))
        if state is RemoteState.CANCELLED:
            return CancelOutcome(CancelResult.CANCELLED, "Replicate cancelled the run; computing so far is charged.")
        if state.is_final:
            return CancelOutcome(CancelResult.TOO_LATE, "Replicate had already finished the run.")
        return CancelOutcome(CancelResult.REQUESTED, "Replicate was asked to stop; the run may still finish.")

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        secret = self.credentials.get("webhook_secret") or self._fetch_secret()
        verify_standard_webhook(secret, headers, body, now=self.clock())

    def _fetch_secret(self) -> str:
        """The account's signing secret, asked for when none is kept; the exchange is not recorded."""
        headers = dict(self.auth_headers())
        reply = self.client.call(CallKind.READ, "GET", "/v1/webhooks/default/secret", headers=headers, quiet=True)
        secret = str(reply.data.get("key") or "")
        if not secret:
            raise WebhookRejected("Replicate did not give its webhook secret; add it under Providers.")
        return secret

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[TaskReport]:
        try:
            told = json.loads(body)
        except ValueError as error:
            raise WebhookRejected("The callback's body is not JSON.") from error
        return [self._report(told)] if isinstance(told, dict) and told.get("id") else []

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        if reply.ok and not reply.data.get("detail"):
            return None
        words, code = str(reply.data.get("detail") or reply.data.get("title") or ""), str(reply.status)
        if reply.ok:
            lost = OutcomeUnknown if kind is CallKind.SUBMIT else Transient
            return lost(f"Replicate answered with an error: {words}", code, words)
        if reply.status in (401, 403):
            return CredentialsRejected(f"Replicate does not accept this token: {words}", code, words)
        if reply.status == 402:
            return QuotaExhausted(f"The Replicate account has no credit: {words}", code, words)
        if reply.status == 429:
            return RateLimited(f"Replicate is saturated: {words}", code, words, retry_after=_wait(reply, words))
        if reply.status < 500:
            return InvalidRequest(f"Replicate finds the request invalid: {words}", code, words)
        return None


def _wait(reply: Reply, words: str) -> float | None:
    """The header's wait, else the one in "Your rate limit resets in ~30s."."""
    if reply.retry_after is not None:
        return reply.retry_after
    _, found, rest = words.partition("resets in ~")
    number = as_decimal(rest.partition("s")[0]) if found else None
    return None if number is None else float(number)


def _outputs(output: Any) -> tuple[Output, ...]:
    """One address, several, or an object such as a transcript."""
    if isinstance(output, dict) and output:
        return (Output("transcript", media_type="application/json", inline_key="output"),)
    return tuple(_output(url) for url in texts(output))


def _output(url: str) -> Output:
    path = url.partition("?")[0].lower()
    if path.endswith((".png", ".jpg", ".jpeg", ".webp")):
        return Output("image", url)
    if path.endswith((".wav", ".mp3", ".flac", ".ogg")):
        return Output("audio", url)
    return Output("video", url)


def _failure(words: str) -> TaskFailure:
    if has_word(words, CONTENT_WORDS):
        return TaskFailure(ErrorKind.CONTENT_REFUSED, "failed", words)
    passing = has_word(words, PASSING_WORDS) or words in ("failed", "aborted")
    return TaskFailure(ErrorKind.TRANSIENT if passing else ErrorKind.INVALID_REQUEST, "failed", words)
