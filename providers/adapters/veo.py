"""Veo 3.1 on Vertex AI: long-running operations, results inline or in a bucket, filtering that looks like success.

Reference: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation. The Gemini API
no longer serves Veo (2026-10-22), so there is no API-key mode.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from providers.base import RemoteAdapter
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
from providers.google_tokens import service_account_token
from providers.http import CallKind, Reply
from providers.limits import TrafficLimits
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_dict, has_word, objects
from providers.spool import write_artefact
from providers.values import (
    Accepted,
    AccountReport,
    Artefact,
    Facts,
    Feature,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    PerSecond,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)

GOOGLE = "https://us-central1-aiplatform.googleapis.com"
BUCKETS = "https://storage.googleapis.com"
PICTURE = PictureLimits(max_bytes=15_000_000, min_side=64, max_side=4096)
PRICED = date(2026, 9, 1)
POLICY_WORDS = ("policy", "policies", "safety", "support code", "responsible", "sensitive", "violat")
SPENT_WORDS = ("per day", "daily", "spend", "billing", "prepay")
OPTIONS = frozenset({"audio", "enhance_prompt", "person_generation", "resize_mode", "compression_quality"})
INSTANCE_NAMES = {InputRole.FIRST_FRAME: "image", InputRole.LAST_FRAME: "lastFrame"}


def _card(model: str, label: str, prices: Mapping[str, tuple[str, str]], **more: Any) -> ModelCard:
    """``prices`` are dollars a second by resolution: silent, with sound."""
    tiers = {name: Decimal(silent) for name, (silent, _) in prices.items()}
    tiers |= {f"{name}+audio": Decimal(sound) for name, (_, sound) in prices.items()}
    values: dict[str, Any] = {
        "tasks": frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
        "durations": (4, 6, 8),
        "ratios": ("16:9", "9:16"),
        "resolutions": tuple(prices),
        "supports": frozenset(
            {Feature.SEED, Feature.NEGATIVE_PROMPT, Feature.NATIVE_AUDIO, Feature.LAST_FRAME, Feature.REFERENCE_IMAGES}
        ),
        "input_roles": frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME, InputRole.REFERENCE}),
        "max_references": 3,
        "reference_durations": (8,),
        "max_prompt_chars": 3000,
        "facts": Facts.DOC,
        "prices_as_of": PRICED,
    }
    values.update(more)
    return ModelCard(id=model, version=model, label=label, price=PerSecond(tiers["720p"], "USD", tiers), **values)


class VeoAdapter(RemoteAdapter):
    """``:predictLongRunning`` and ``:fetchPredictOperation`` of one project and location."""

    name = "veo"
    label = "Google Veo"
    docs_url = "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation"
    live_url = GOOGLE
    credential_fields = ("service_account_json", "access_token", "project", "location", "storage_uri")
    emulated_as = "vertex"
    unknown_window = timedelta(minutes=10)
    poll_interval = timedelta(seconds=12)
    model_traffic: ClassVar[Mapping[str, TrafficLimits]] = {  # of a project and region
        "veo-3.1-generate-001": TrafficLimits(per_minute=50),
        "veo-3.1-fast-generate-001": TrafficLimits(per_minute=50),
    }
    models = (
        _card(
            "veo-3.1-generate-001",
            "Veo 3.1",
            {"720p": ("0.20", "0.40"), "1080p": ("0.20", "0.40"), "4k": ("0.40", "0.60")},
            speed_s_per_s=14.0,
            quality=10,
        ),
        _card(
            "veo-3.1-fast-generate-001",
            "Veo 3.1 Fast",
            {"720p": ("0.08", "0.10"), "1080p": ("0.10", "0.12")},
            speed_s_per_s=7.0,
            quality=8,
        ),
        _card(
            "veo-3.1-lite-generate-001",
            "Veo 3.1 Lite",
            {"720p": ("0.03", "0.05"), "1080p": ("0.05", "0.08")},
            speed_s_per_s=6.0,
            quality=7,
            supports=frozenset({Feature.SEED, Feature.NEGATIVE_PROMPT, Feature.NATIVE_AUDIO, Feature.LAST_FRAME}),
            input_roles=frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME}),
            max_references=0,
            reference_durations=(),
            notes="Preview at the vendor.",
        ),
    )

    # -- signing in ------------------------------------------------------------------------------------------

    def secrets(self) -> tuple[str, ...]:
        """Project and location are no secrets; hiding them would blind the logs."""
        return tuple(
            self.credentials[name] for name in ("service_account_json", "access_token") if self.credentials.get(name)
        )

    def auth_headers(self) -> Mapping[str, str]:
        token = self.credentials.get("access_token") or service_account_token(
            self.credential("service_account_json"), client=self.client, now=self.clock(), token_url=self._token_url()
        )
        return {"Authorization": f"Bearer {token}"}

    def _token_url(self) -> str:
        """Google's own token address in live mode, never one that the key file names."""
        return "" if self.base_url.endswith(".googleapis.com") else f"{self.base_url}/token"

    def check_credentials(self) -> AccountReport:
        """Sign in and read a model's card, which is free."""
        self.credential("project")
        body, _ = self.call_json(CallKind.READ, "GET", "/v1/publishers/google/models/veo-3.1-generate-001")
        return AccountReport(True, f"Signed in to project {self.credential('project')}.", raw=body)

    @property
    def _models_path(self) -> str:
        location = self.credentials.get("location") or "us-central1"
        return f"/v1/projects/{self.credential('project')}/locations/{location}/publishers/google/models"

    # -- the paid call ---------------------------------------------------------------------------------------

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures go inline, cropped to the asked ratio; references keep their shape."""
        staged = []
        for item in inputs:
            if item.role not in (*INSTANCE_NAMES, InputRole.REFERENCE):
                raise Unsupported(f"Veo takes frames and reference pictures here, not {item.role.value} files.")
            shape = ratio if item.role in INSTANCE_NAMES else ""
            picture = prepare_picture(item.path, PICTURE, ratio=shape)
            staged.append(StagedInput(item.role, base64.b64encode(picture.data).decode(), picture.media_type))
        return StagedInputs(tuple(staged))

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        body = {
            "instances": [self._instance(request, staged)],
            "parameters": self._parameters(request, staged),
            "labels": {"attempt": re.sub(r"[^a-z0-9_-]", "-", idempotency_key.lower())[:63]},
        }
        path = f"{self._models_path}/{request.model}:predictLongRunning"
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", path, body=body)
        name = str(answer.get("name") or "")
        if not name:
            raise OutcomeUnknown("Veo accepted the call without naming an operation.", exchange=reply.exchange)
        return Accepted(name, answer, {"model": request.model}, reply.exchange)

    @staticmethod
    def _instance(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
        instance: dict[str, Any] = {"prompt": request.prompt}
        for role, name in INSTANCE_NAMES.items():
            item = staged.get(role)
            if item is not None:
                instance[name] = _picture(item)
        references = staged.all(InputRole.REFERENCE)
        if references:
            instance["referenceImages"] = [{"image": _picture(item), "referenceType": "asset"} for item in references]
        if request.task is Task.IMAGE_TO_VIDEO and "image" not in instance:
            raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
        return instance

    def _parameters(self, request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
        unknown = set(request.options) - OPTIONS
        if unknown:
            raise Unsupported(f"Veo knows no option {', '.join(sorted(unknown))}; remove it.")
        if staged.all(InputRole.REFERENCE) and request.duration_s != 8:
            raise InvalidRequest("Veo makes clips from reference pictures in 8 s only; ask for 8 s.")
        parameters: dict[str, Any] = {
            "sampleCount": 1,
            "aspectRatio": request.ratio,
            "durationSeconds": int(request.duration_s),
            "resolution": request.resolution,
            "generateAudio": self.price_tier(request).endswith("+audio"),
        }
        named = {
            "negativePrompt": request.negative_prompt,
            "seed": None if request.seed is None else request.seed % 2**32,
            "enhancePrompt": request.options.get("enhance_prompt"),
            "personGeneration": request.options.get("person_generation"),
            "resizeMode": request.options.get("resize_mode"),
            "compressionQuality": request.options.get("compression_quality"),
            "storageUri": self.credentials.get("storage_uri"),
        }
        parameters.update({name: value for name, value in named.items() if value not in (None, "")})
        return parameters

    # -- after it --------------------------------------------------------------------------------------------

    def poll(self, task: RemoteTask) -> TaskReport:
        body, reply = self._operation(task.remote_id)
        if not body.get("done"):
            raw = dict(body)
            return TaskReport(task.remote_id, RemoteState.RUNNING, raw, "running", exchange=reply.exchange)
        failure = _failure(body)
        state = RemoteState.FAILED if failure else RemoteState.SUCCEEDED
        return TaskReport(
            remote_id=task.remote_id,
            state=state,
            raw=_without_bytes(body),
            vendor_state="done",
            outputs=() if failure else _outputs(body),
            error=failure,
            exchange=reply.exchange,
        )

    def _operation(self, name: str) -> tuple[dict[str, Any], Reply]:
        model_path = name.partition("/operations/")[0]
        path = f"/v1/{model_path}:fetchPredictOperation"
        return self.call_json(CallKind.READ, "POST", path, body={"operationName": name}, read_timeout=60)

    def fetch_output(self, report: TaskReport, sink: Path) -> list[Artefact]:
        """Bytes come with another reading of the operation; files in a bucket over the storage address."""
        inline = [output for output in report.outputs if output.inline_key]
        if not inline:
            return super().fetch_output(report, sink)
        body, _ = self._operation(report.remote_id)
        videos = objects(as_dict(body.get("response")), "videos")
        return [_write_inline(videos, int(output.inline_key), sink) for output in inline]

    def _fetch_one(self, report: TaskReport, output: Output, index: int, sink: Path) -> Artefact:
        bucket, _, item = output.url.removeprefix("gs://").partition("/")
        host = BUCKETS if self.base_url.endswith(".googleapis.com") else self.base_url
        url = f"{host}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(item, safe='')}?alt=media"
        return self.fetch_from(host, url, output, index, sink)

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        first = reply.json[0] if isinstance(reply.json, list) and reply.json else reply.json
        error = as_dict(as_dict(first).get("error"))
        # A finished operation carries its error as data: that is a failed task, not a failed call.
        if not error or as_dict(first).get("done"):
            return None
        return _error_of(error, reply, kind)


def _error_of(error: Mapping[str, Any], reply: Reply, kind: CallKind) -> ProviderError:
    status, words = str(error.get("status") or error.get("code") or ""), str(error.get("message") or "")
    told: dict[str, Any] = {"vendor_code": status, "vendor_message": words}
    if status in ("UNAUTHENTICATED", "PERMISSION_DENIED") or reply.status in (401, 403):
        return CredentialsRejected(f"Google does not accept this account: {words}", **told)
    if status == "RESOURCE_EXHAUSTED":
        if has_word(words, SPENT_WORDS):
            return QuotaExhausted(f"The Google project has used its quota: {words}", **told)
        return RateLimited(f"Google is saturated: {words}", retry_after=_retry_delay(error), **told)
    if status == "INVALID_ARGUMENT" and has_word(words, POLICY_WORDS):
        return ContentRefused(f"Google refuses this content: {words}", **told)
    if status in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"):
        return InvalidRequest(f"Google finds the request invalid: {words}", **told)
    if kind is CallKind.SUBMIT:
        return OutcomeUnknown(f"Google failed ({words}); a clip may exist, and there is no way to look.", **told)
    return Transient(f"Google failed: {words} Try again later.", **told)


def _retry_delay(error: Mapping[str, Any]) -> float | None:
    for detail in objects(error, "details"):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(detail.get("retryDelay") or ""))
        if match:
            return float(match.group(1))
    return None


def _picture(item: StagedInput) -> dict[str, str]:
    return {"bytesBase64Encoded": item.value, "mimeType": item.media_type}


def _failure(body: Mapping[str, Any]) -> TaskFailure | None:
    """An error, or a success without videos because they were filtered."""
    error = as_dict(body.get("error"))
    if error:
        words, code = str(error.get("message") or "no reason given"), str(error.get("code") or "")
        refused = code == "3" and has_word(words, POLICY_WORDS)
        transient = code in ("4", "8", "13", "14", "2", "10")
        other = ErrorKind.TRANSIENT if transient else ErrorKind.INVALID_REQUEST
        return TaskFailure(ErrorKind.CONTENT_REFUSED if refused else other, code, words)
    response = as_dict(body.get("response"))
    if objects(response, "videos"):
        return None
    reasons = response.get("raiMediaFilteredReasons")
    if response.get("raiMediaFilteredCount") or reasons:
        words = " ".join(str(reason) for reason in reasons) if isinstance(reasons, list) else "Filtered."
        return TaskFailure(ErrorKind.CONTENT_REFUSED, "rai_filtered", words)
    return TaskFailure(ErrorKind.TRANSIENT, "empty", "The operation ended without a video.")


def _outputs(body: Mapping[str, Any]) -> tuple[Output, ...]:
    found = []
    for index, video in enumerate(objects(as_dict(body.get("response")), "videos")):
        media_type = str(video.get("mimeType") or "video/mp4")
        if video.get("gcsUri"):
            found.append(Output("video", str(video["gcsUri"]), media_type, needs_auth=True))
        elif video.get("bytesBase64Encoded"):
            found.append(Output("video", "", media_type, inline_key=str(index)))
    return tuple(found)


def _without_bytes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The operation as it can be stored: megabytes of base64 are counted, not kept."""
    response = as_dict(body.get("response"))
    if not response:
        return dict(body)
    videos = [
        {key: f"[{len(value)} characters]" if key == "bytesBase64Encoded" else value for key, value in video.items()}
        for video in objects(response, "videos")
    ]
    return {**body, "response": {**response, "videos": videos}}


def _write_inline(videos: list[dict[str, Any]], index: int, sink: Path) -> Artefact:
    try:
        data = base64.b64decode(str(videos[index]["bytesBase64Encoded"]), validate=True)
    except (IndexError, KeyError, binascii.Error, ValueError) as error:
        raise Transient("The result's bytes are not whole; fetch it again.") from error
    media_type = str(videos[index].get("mimeType") or "video/mp4")
    return write_artefact(sink, f"video-{index}.mp4", data, media_type=media_type, kind="video")
