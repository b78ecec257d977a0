"""RunwayML: clips from text and pictures, films restyled and enlarged, through the developer API.

Reference: https://docs.dev.runwayml.com. There is no webhook, no list of tasks and no idempotency key: a lost
answer to a submit cannot be looked up, so the id must be stored the moment it comes.
"""

from __future__ import annotations

import base64
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
    Transient,
    Unsupported,
)
from providers.http import CallKind, Reply
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_decimal, as_dict, as_fraction, texts
from providers.values import (
    Accepted,
    AccountReport,
    Amount,
    CancelOutcome,
    CancelResult,
    Facts,
    Feature,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    PerSecond,
    Rate,
    RemoteState,
    RemoteTask,
    SecondsRange,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)

API_VERSION = "2024-11-06"
CREDIT = Rate("rw-cred", Decimal("0.01"), date(2026, 4, 1))
# A data URI may have 5 MB; base64 makes four bytes of three.
PICTURE = PictureLimits(max_bytes=3_600_000, min_side=2, max_side=4096, max_shape=2.0)
SIZES = {
    ("16:9", "720p"): "1280:720",
    ("9:16", "720p"): "720:1280",
    ("1:1", "720p"): "960:960",
    ("16:9", "1080p"): "1920:1080",
    ("9:16", "1080p"): "1080:1920",
}
CLIPS = frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO})
PATHS = {
    Task.TEXT_TO_VIDEO: "/v1/text_to_video",
    Task.IMAGE_TO_VIDEO: "/v1/image_to_video",
    Task.VIDEO_TO_VIDEO: "/v1/video_to_video",
    Task.UPSCALE: "/v1/video_upscale",
}
FILM_BYTES = 200_000_000
FILM = frozenset({InputRole.VIDEO})
COMMON = frozenset({Feature.SEED, Feature.CANCEL, Feature.PROGRESS})
FIRST = frozenset({InputRole.FIRST_FRAME})


def _veo(model: str, label: str, silent: str, sound: str, quality: int, speed: float) -> ModelCard:
    """Veo through Runway: the same limits for both builds."""
    tiers = {"720p": silent, "1080p": silent, "720p+audio": sound, "1080p+audio": sound}
    return ModelCard(
        id=model,
        version=model,
        label=label,
        tasks=CLIPS,
        durations=(4, 6, 8),
        ratios=("16:9", "9:16"),
        resolutions=("720p", "1080p"),
        supports=COMMON | {Feature.NEGATIVE_PROMPT, Feature.NATIVE_AUDIO, Feature.LAST_FRAME},
        input_roles=FIRST | {InputRole.LAST_FRAME},
        max_prompt_chars=1000,
        price=PerSecond(Decimal(silent), "USD", {name: Decimal(value) for name, value in tiers.items()}),
        rate=CREDIT,
        speed_s_per_s=speed,
        quality=quality,
        facts=Facts.SDK,
        prices_as_of=date(2026, 4, 1),
    )


ASPECTS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")


def _film(model: str, label: str, task: Task, price: str, *, quality: int, **more: Any) -> ModelCard:
    """A model that changes a film. Its price is that of the build it replaced, so no live money until it is proved."""
    return ModelCard(
        id=model,
        version=model,
        label=label,
        tasks=frozenset({task}),
        durations=SecondsRange(1, 40, 0.001),
        input_roles=FILM,
        max_prompt_chars=1000,
        price=PerSecond(Decimal(price)),
        rate=CREDIT,
        speed_s_per_s=14.0,
        quality=quality,
        facts=Facts.UNSURE,
        unverified=True,
        prices_as_of=date(2026, 4, 1),
        notes="The price is the predecessor's; RunwayML names the true one with each task.",
        **more,
    )


class RunwayAdapter(RemoteAdapter):
    """Submits to the address of the task, polls ``/v1/tasks/{id}``, cancels by DELETE; films go up first."""

    name = "runway"
    label = "RunwayML"
    docs_url = "https://docs.dev.runwayml.com"
    live_url = "https://api.dev.runwayml.com"
    unknown_window = timedelta(minutes=10)
    poll_interval = timedelta(seconds=6)
    states = {
        "PENDING": RemoteState.QUEUED,
        "THROTTLED": RemoteState.QUEUED,
        "RUNNING": RemoteState.RUNNING,
        "SUCCEEDED": RemoteState.SUCCEEDED,
        "FAILED": RemoteState.FAILED,
        "CANCELLED": RemoteState.CANCELLED,
    }
    models = (
        ModelCard(
            id="gen4.5",
            version="gen4.5",
            label="Runway Gen-4.5",
            tasks=CLIPS,
            durations=SecondsRange(2, 10),
            ratios=("16:9", "9:16"),
            resolutions=("720p",),
            supports=COMMON,
            input_roles=FIRST,
            max_prompt_chars=1000,
            price=PerSecond(Decimal("0.12")),
            rate=CREDIT,
            speed_s_per_s=12.0,
            quality=9,
            facts=Facts.SDK,
            prices_as_of=date(2026, 4, 1),
        ),
        ModelCard(
            id="gen4_turbo",
            version="gen4_turbo",
            label="Runway Gen-4 Turbo",
            tasks=frozenset({Task.IMAGE_TO_VIDEO}),
            durations=SecondsRange(2, 10),
            ratios=("16:9", "9:16", "1:1"),
            resolutions=("720p",),
            supports=COMMON,
            input_roles=FIRST,
            max_prompt_chars=1000,
            price=PerSecond(Decimal("0.05")),
            rate=CREDIT,
            speed_s_per_s=5.0,
            quality=7,
            facts=Facts.SDK,
            prices_as_of=date(2026, 4, 1),
        ),
        _film("aleph2", "Runway Aleph 2", Task.VIDEO_TO_VIDEO, "0.15", ratios=ASPECTS, supports=COMMON, quality=8),
        _film(
            "magnific_video_upscaler_creative",
            "Magnific upscaler at Runway",
            Task.UPSCALE,
            "0.02",
            resolutions=("720p", "1k", "2k", "4k"),
            supports=COMMON - {Feature.SEED},
            quality=7,
        ),
        _veo("veo3.1", "Veo 3.1 at Runway", "0.20", "0.40", 9, 15.0),
        _veo("veo3.1_fast", "Veo 3.1 Fast at Runway", "0.10", "0.15", 8, 8.0),
    )

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.credential('api_key')}", "X-Runway-Version": API_VERSION}

    def check_credentials(self) -> AccountReport:
        """Read the organisation: balance, tier, today's use."""
        body, _ = self.call_json(CallKind.READ, "GET", "/v1/organization")
        left = as_decimal(body.get("creditBalance")) or Decimal(0)
        return AccountReport(True, f"{left:f} credits left.", Amount(left, CREDIT.unit), body)

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures go inline as data URIs, cropped to the asked ratio; films are uploaded and live a day."""
        staged = []
        for item in inputs:
            if item.role is InputRole.VIDEO:
                expires = self.clock() + timedelta(hours=24)
                staged.append(StagedInput(item.role, self._upload(item), item.media_type, expires))
                continue
            if item.role not in (InputRole.FIRST_FRAME, InputRole.LAST_FRAME):
                raise Unsupported(f"RunwayML takes frames and films here, not {item.role.value} files.")
            picture = prepare_picture(item.path, PICTURE, ratio=ratio)
            text = base64.b64encode(picture.data).decode()
            staged.append(StagedInput(item.role, f"data:{picture.media_type};base64,{text}", picture.media_type))
        return StagedInputs(tuple(staged))

    def _upload(self, item: InputAsset) -> str:
        """The address of an ephemeral upload. Its place is signed: our key does not go there."""
        size = item.path.stat().st_size
        if not 512 <= size <= FILM_BYTES:
            raise InvalidRequest(f"{item.path.name} has {size} bytes; RunwayML takes 512 bytes to 200 MB.")
        asked = {"filename": item.path.name, "type": "ephemeral"}
        place, reply = self.call_json(CallKind.WRITE, "POST", "/v1/uploads", body=asked)
        uri, url = str(place.get("runwayUri") or ""), str(place.get("uploadUrl") or "")
        if not uri or not url:
            raise Transient("RunwayML named no place for the upload; try again.", exchange=reply.exchange)
        fields = {name: str(value) for name, value in as_dict(place.get("fields")).items()}
        files = {"file": (item.path.name, item.path.read_bytes(), item.media_type)}
        sent = self.client.call(CallKind.WRITE, "POST", url, data=fields, files=files)
        if not sent.ok:
            raise Transient(f"RunwayML's storage answered {sent.status}; upload again.", exchange=sent.exchange)
        return uri

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        body = self._body(request, staged)
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", PATHS[request.task], body=body)
        remote_id = str(answer.get("id") or "")
        if not remote_id:
            raise OutcomeUnknown("RunwayML accepted the call without naming a task.", exchange=reply.exchange)
        return Accepted(remote_id, answer, {}, reply.exchange)

    def _body(self, request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
        card = self.card(request.model)
        if request.task in (Task.VIDEO_TO_VIDEO, Task.UPSCALE):
            return _film_body(request, staged)
        size = SIZES.get((request.ratio, request.resolution))
        unknown = set(request.options) - {"audio"}
        if unknown:
            raise Unsupported(f"RunwayML knows no option {', '.join(sorted(unknown))}; remove it.")
        if request.task not in PATHS or size is None or request.duration_s != int(request.duration_s):
            raise InvalidRequest("RunwayML cannot make this size or length; snap the request to its card first.")
        body: dict[str, Any] = {
            "model": request.model,
            "promptText": request.prompt,
            "ratio": size,
            "duration": int(request.duration_s),
        }
        if request.seed is not None:
            body["seed"] = request.seed % 2**32
        if Feature.NATIVE_AUDIO in card.supports:
            body["audio"] = self.price_tier(request).endswith("+audio")
        elif request.options.get("audio") not in (None, "off", False):
            raise Unsupported(f"{card.label} makes no sound; ask for it without audio.")
        if request.negative_prompt:
            if Feature.NEGATIVE_PROMPT not in card.supports:
                raise Unsupported(f"{card.label} has no negative prompt; snap the request to its card first.")
            body["negativePrompt"] = request.negative_prompt
        if request.task is Task.IMAGE_TO_VIDEO:
            body["promptImage"] = _frames(staged)
        return body

    def poll(self, task: RemoteTask) -> TaskReport:
        try:
            body, reply = self.call_json(CallKind.READ, "GET", f"/v1/tasks/{task.remote_id}")
        except InvalidRequest as error:
            if error.vendor_code != "404":
                raise
            # A task disappears when it is deleted, and deleting is how Runway cancels.
            return TaskReport(task.remote_id, RemoteState.CANCELLED, {}, "404", exchange=error.exchange)
        word = str(body.get("status") or "")
        state = self.state_of(word)
        urls = texts(body.get("output")) if state is RemoteState.SUCCEEDED else []
        return TaskReport(
            remote_id=task.remote_id,
            state=state,
            raw=body,
            vendor_state=word,
            progress=as_fraction(body.get("progress")),
            outputs=tuple(Output("video", url, "video/mp4") for url in urls),
            error=_failure(body) if state is RemoteState.FAILED else None,
            cost=_cost(body),
            exchange=reply.exchange,
        )

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        """DELETE cancels a task that runs but erases one that has ended, so the state is read first."""
        before = self.poll(task)
        if before.state.is_final:
            return CancelOutcome(CancelResult.TOO_LATE, "RunwayML had already finished the task.")
        self.call(CallKind.WRITE, "DELETE", f"/v1/tasks/{task.remote_id}")
        charged = before.state is RemoteState.RUNNING
        words = "may still be charged" if charged else "is not charged"
        return CancelOutcome(CancelResult.CANCELLED, f"RunwayML cancelled the task; it {words}.", charged)

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        words = str(reply.data.get("error") or "")
        if reply.ok and words:
            wrong = OutcomeUnknown if kind is CallKind.SUBMIT else InvalidRequest
            return wrong(f"RunwayML answered with an error: {words}", str(reply.status), words)
        if reply.status == 400 and "credit" in words.lower():
            return QuotaExhausted("The RunwayML account has no credits left. Buy some.", "400", words)
        if reply.status == 400 and "version" in words.lower():
            return CredentialsRejected("RunwayML no longer speaks this API version; update the engine.", "400", words)
        if reply.status in (400, 404, 405, 422):
            return InvalidRequest(f"RunwayML finds the request invalid: {words}", str(reply.status), words)
        return None


def _film_body(request: GenerationRequest, staged: StagedInputs) -> dict[str, Any]:
    """A film restyled by a prompt, or enlarged without one."""
    film = staged.get(InputRole.VIDEO)
    if film is None:
        raise InvalidRequest("This model changes a film; add one.")
    if request.options:
        raise Unsupported(f"RunwayML knows no option {', '.join(sorted(request.options))} here; remove it.")
    body: dict[str, Any] = {"model": request.model, "videoUri": film.value}
    if request.task is Task.UPSCALE:
        if request.prompt.strip():
            raise Unsupported("The upscaler takes no prompt; leave it empty.")
        return {**body, "resolution": request.resolution}
    body["promptText"] = request.prompt
    if request.ratio:
        body["targetAspectRatio"] = request.ratio
    if request.seed is not None:
        body["seed"] = request.seed % 2**32
    return body


def _frames(staged: StagedInputs) -> Any:
    """One URI for a first frame alone, a positioned list with a last frame."""
    first, last = staged.get(InputRole.FIRST_FRAME), staged.get(InputRole.LAST_FRAME)
    if first is None:
        raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
    if last is None:
        return first.value
    return [{"uri": first.value, "position": "first"}, {"uri": last.value, "position": "last"}]


def _failure(body: Mapping[str, Any]) -> TaskFailure:
    """Failure codes are dotted and matched by their beginning."""
    code, words = str(body.get("failureCode") or ""), str(body.get("failure") or "no reason given")
    if "SAFETY" in code:
        kind = ErrorKind.CONTENT_REFUSED
    elif code.startswith("ASSET"):
        kind = ErrorKind.INVALID_REQUEST
    else:
        kind = ErrorKind.TRANSIENT
    return TaskFailure(kind, code, words)


def _cost(body: Mapping[str, Any]) -> Amount | None:
    credits = as_decimal(as_dict(body.get("cost")).get("credits"))
    return None if credits is None else Amount(credits, CREDIT.unit)
