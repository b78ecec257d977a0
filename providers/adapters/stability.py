"""Stability AI: reference and storyboard pictures, one synchronous call each.

Reference: https://platform.stability.ai/docs/api-reference (v2beta). A filtered picture comes with HTTP 200 and
is a refusal. Video is not offered there any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.base import RemoteAdapter
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Unsupported,
)
from providers.http import CallKind, Reply, Timeouts
from providers.limits import TrafficLimits
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_decimal, texts
from providers.spool import require_sink, write_artefact
from providers.values import (
    AccountReport,
    Amount,
    Facts,
    Feature,
    Finished,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    PerCall,
    Rate,
    StagedInput,
    StagedInputs,
    Task,
)

PRICED = date(2026, 11, 1)
CREDIT = Rate("st-cred", Decimal("0.01"), PRICED)
RATIOS = ("1:1", "16:9", "9:16", "4:5", "5:4", "3:2", "2:3", "21:9", "9:21")
PICTURE = PictureLimits(max_bytes=9_000_000, min_side=64, max_side=3000, max_shape=2.5)
PATIENCE = Timeouts(connect=5, read=30, submit=120, upload=120)
OPTIONS = frozenset({"style_preset", "strength", "fidelity", "cfg_scale"})


@dataclass(frozen=True, slots=True)
class Route:
    """Where a model lives, its price in credits, the form field of its picture and its fixed fields."""

    path: str
    credits: str
    picture: str = ""
    fixed: tuple[tuple[str, str], ...] = ()


ROUTES = {
    "stable-image-core": Route("generate/core", "3"),
    "stable-image-ultra": Route("generate/ultra", "8", "image"),
    "sd3.5-large": Route("generate/sd3", "6.5", "image", (("model", "sd3.5-large"),)),
    "sd3.5-large-turbo": Route("generate/sd3", "4", "image", (("model", "sd3.5-large-turbo"),)),
    "stable-image-style": Route("control/style", "5", "image"),
}
BY_TEXT = frozenset({Task.TEXT_TO_IMAGE})
BOTH = frozenset({Task.TEXT_TO_IMAGE, Task.IMAGE_TO_IMAGE})
BY_PICTURE = frozenset({Task.IMAGE_TO_IMAGE})


def _card(model: str, label: str, tasks: frozenset[Task], quality: int, speed: float, **more: Any) -> ModelCard:
    values: dict[str, Any] = {
        "ratios": RATIOS,
        "supports": frozenset({Feature.SEED, Feature.NEGATIVE_PROMPT}),
        "input_roles": frozenset({InputRole.STYLE, InputRole.REFERENCE}) if tasks != BY_TEXT else frozenset(),
        "max_references": 0 if tasks == BY_TEXT else 1,
        "facts": Facts.DOC,
        **more,
    }
    price = PerCall(Decimal(ROUTES[model].credits) / 100)
    return ModelCard(
        id=model,
        version="v2beta",
        label=label,
        tasks=tasks,
        price=price,
        rate=CREDIT,
        max_prompt_chars=10_000,
        quality=quality,
        speed_s_per_s=speed,
        prices_as_of=PRICED,
        **values,
    )


class StabilityAdapter(RemoteAdapter):
    """``POST /v2beta/stable-image/…`` as multipart, answered with the picture's bytes."""

    name = "stability"
    label = "Stability AI"
    docs_url = "https://platform.stability.ai/docs/api-reference"
    live_url = "https://api.stability.ai"
    unknown_window = timedelta(minutes=5)
    traffic = TrafficLimits(per_minute=900, burst=150)  # published as 150 in ten seconds
    models = (
        _card("stable-image-core", "Stable Image Core", BY_TEXT, 6, 4.0),
        _card("stable-image-ultra", "Stable Image Ultra", BOTH, 9, 10.0),
        _card("sd3.5-large", "Stable Diffusion 3.5 Large", BOTH, 8, 8.0),
        _card("sd3.5-large-turbo", "Stable Diffusion 3.5 Turbo", BOTH, 7, 4.0),
        _card("stable-image-style", "Stable Image, style of a picture", BY_PICTURE, 7, 6.0),
    )

    def __init__(self, *, timeouts: Timeouts | None = None, **injected: Any) -> None:
        super().__init__(timeouts=timeouts or PATIENCE, **injected)

    def auth_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.credential('api_key')}"}

    def check_credentials(self) -> AccountReport:
        body, _ = self.call_json(CallKind.READ, "GET", "/v1/user/balance")
        left = as_decimal(body.get("credits")) or Decimal(0)
        return AccountReport(True, f"{left:f} credits left.", Amount(left, CREDIT.unit), body)

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures go along in the call: staging proves that each can be used."""
        for item in inputs:
            prepare_picture(item.path, PICTURE)
        return StagedInputs(tuple(StagedInput(item.role, str(item.path), item.media_type) for item in inputs))

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Finished:
        folder = require_sink(sink)
        place = ROUTES[self.card(request.model).id]
        form, files = self._form(request, staged, place)
        reply = self.call(
            CallKind.SUBMIT,
            "POST",
            f"/v2beta/stable-image/{place.path}",
            headers={"Accept": "image/*"},
            # A field without a file name keeps the body multipart even when there is no picture.
            files={**{name: (None, value) for name, value in form.items()}, **files},
        )
        self._refuse_filtered(reply)
        artefact = write_artefact(folder, "image-0.png", reply.content, media_type="image/png", kind="image")
        seed = reply.headers.get("seed", "")
        cost = Amount(Decimal(place.credits), CREDIT.unit)
        remote_id = reply.headers.get("x-request-id", "")
        return Finished((artefact,), remote_id, cost=cost, raw={"seed": seed}, exchange=reply.exchange)

    @staticmethod
    def _refuse_filtered(reply: Reply) -> None:
        if not reply.headers.get("Content-Type", "").startswith("image/") or not reply.content:
            raise OutcomeUnknown("Stability answered without a picture; it may be charged.", exchange=reply.exchange)
        reason = reply.headers.get("finish-reason", "SUCCESS")
        if reason != "SUCCESS":
            raise ContentRefused("Stability filtered the picture. Change the prompt.", reason, exchange=reply.exchange)

    def _form(
        self, request: GenerationRequest, staged: StagedInputs, place: Route
    ) -> tuple[dict[str, str], dict[str, Any]]:
        unknown = set(request.options) - OPTIONS
        if unknown:
            raise Unsupported(f"Stability knows no option {', '.join(sorted(unknown))}; remove it.")
        form = {"prompt": request.prompt, "output_format": "png", **dict(place.fixed)}
        if request.negative_prompt:
            form["negative_prompt"] = request.negative_prompt
        if request.seed is not None:
            form["seed"] = str(request.seed % 4_294_967_295)
        form.update({name: str(value) for name, value in request.options.items()})
        files: dict[str, Any] = {}
        if request.task is Task.IMAGE_TO_IMAGE:
            files["image"] = self._picture(staged)
            if place.path != "control/style":
                form.setdefault("strength", "0.6")
            if place.path == "generate/sd3":
                form["mode"] = "image-to-image"
        # The picture decides the shape where it is the canvas; elsewhere the ratio does.
        if request.ratio and not (files and place.path == "generate/sd3"):
            form["aspect_ratio"] = request.ratio
        return form, files

    @staticmethod
    def _picture(staged: StagedInputs) -> tuple[str, bytes, str]:
        item = staged.get(InputRole.STYLE) or staged.get(InputRole.REFERENCE)
        if item is None:
            raise InvalidRequest("Image to image needs a style or reference picture; add one.")
        picture = prepare_picture(Path(item.value), PICTURE)
        return "picture.jpg", picture.data, picture.media_type

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        name, words = str(reply.data.get("name") or ""), "; ".join(texts(reply.data.get("errors")))
        if not name:
            return None
        told: dict[str, Any] = {"vendor_code": name, "vendor_message": words}
        if name == "content_moderation":
            return ContentRefused(f"Stability refuses this content: {words}", **told)
        if name == "payment_required":
            return QuotaExhausted(f"The Stability account has no credits: {words}", **told)
        if name == "unauthorized":
            return CredentialsRejected(f"Stability does not accept this key: {words}", **told)
        if name == "rate_limit_exceeded":
            return RateLimited(f"Stability is saturated: {words}", retry_after=reply.retry_after, **told)
        if reply.ok or reply.status >= 500:
            return None if not reply.ok else OutcomeUnknown(f"Stability failed: {words}", **told)
        return InvalidRequest(f"Stability finds the request invalid: {words}", **told)
