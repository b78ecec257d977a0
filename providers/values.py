"""The words every adapter speaks: tasks, model cards, requests, answers. Plain Python, no Django.

Money here is the vendor's own amount as ``Decimal``; rows and budgets use ``genengine.core.money``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from providers.errors import ErrorKind, Exchange, InvalidRequest
from providers.prices import Amount as Amount
from providers.prices import Free as Free
from providers.prices import PerCall as PerCall
from providers.prices import PerMillionTokens as PerMillionTokens
from providers.prices import PerSecond as PerSecond
from providers.prices import PerThousandCharacters as PerThousandCharacters
from providers.prices import Price as Price
from providers.prices import Rate as Rate


class Task(StrEnum):
    """What a model is asked to make."""

    TEXT_TO_VIDEO = "text_to_video"
    IMAGE_TO_VIDEO = "image_to_video"
    VIDEO_TO_VIDEO = "video_to_video"
    AVATAR_VIDEO = "avatar_video"
    REFERENCES_TO_VIDEO = "references_to_video"
    LIP_SYNC = "lip_sync"
    VIDEO_EXTEND = "video_extend"
    UPSCALE = "upscale"
    TEXT_TO_IMAGE = "text_to_image"
    IMAGE_TO_IMAGE = "image_to_image"
    TEXT_TO_SPEECH = "text_to_speech"
    SPEECH_TO_TEXT = "speech_to_text"
    SOUND_EFFECT = "sound_effect"
    MUSIC = "music"
    DUBBING = "dubbing"
    PLAN_SCENES = "plan_scenes"


class Feature(StrEnum):
    """What a model or its vendor can do beyond the task itself."""

    NEGATIVE_PROMPT = "negative_prompt"
    SEED = "seed"
    LAST_FRAME = "last_frame"
    REFERENCE_IMAGES = "reference_images"
    NATIVE_AUDIO = "native_audio"
    CAMERA_CONTROL = "camera_control"
    WEBHOOK = "webhook"
    CANCEL = "cancel"
    FIND_BY_KEY = "find_by_key"
    PROGRESS = "progress"


class InputRole(StrEnum):
    """What an input file is for."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE = "reference"
    STYLE = "style"
    VIDEO = "video"
    AUDIO = "audio"


class Facts(StrEnum):
    """Where a card's facts come from; only ``DOC`` and ``SDK`` count as sure."""

    DOC = "doc"
    SDK = "sdk"
    CODE = "code"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class SecondsRange:
    """Every length from ``low`` to ``high`` in ``step`` seconds."""

    low: float
    high: float
    step: float = 1.0


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What one model can do, costs and promises. Declared by the adapter; routing and the docs read it.

    ``durations`` are seconds, a tuple of allowed values or a :class:`SecondsRange`; empty means the task has
    no length. ``speed_s_per_s`` is declared render seconds for one output second, ``quality`` is 1 to 10.
    ``version`` pins what the vendor calls this build; ``input_roles`` are the files it accepts.
    ``reference_durations`` are the lengths it makes by reference pictures, where these are others.
    """

    id: str
    version: str
    label: str
    tasks: frozenset[Task]
    price: Price
    speed_s_per_s: float
    quality: int
    facts: Facts
    prices_as_of: date
    durations: tuple[float, ...] | SecondsRange = ()
    ratios: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    supports: frozenset[Feature] = frozenset()
    input_roles: frozenset[InputRole] = frozenset()
    max_prompt_chars: int = 2500
    max_references: int = 0
    reference_durations: tuple[float, ...] = ()
    rate: Rate | None = None
    unverified: bool = False
    notes: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class InputAsset:
    """A file the model is to use. ``sha256`` is the content's hex digest."""

    role: InputRole
    path: Path
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One clip asked of one model. ``options`` holds vendor-specific values by plain names."""

    task: Task
    model: str
    prompt: str
    negative_prompt: str = ""
    duration_s: float = 0.0
    ratio: str = ""
    resolution: str = ""
    seed: int | None = None
    inputs: tuple[InputAsset, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 of everything the vendor would see; where the files lie does not count."""
        facts = {
            "task": self.task.value,
            "model": self.model,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "duration_s": self.duration_s,
            "ratio": self.ratio,
            "resolution": self.resolution,
            "seed": self.seed,
            "inputs": [[item.role.value, item.media_type, item.sha256] for item in self.inputs],
            "options": dict(self.options),
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def input(self, role: InputRole) -> InputAsset | None:
        """The first input with this role, if there is one."""
        return next((item for item in self.inputs if item.role is role), None)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request should cost and take. ``notes`` say aloud what was snapped to the model's limits."""

    amount: Decimal
    currency: str
    seconds_p50: float
    seconds_p90: float
    billed_seconds: Decimal
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StagedInput:
    """One input as the vendor will receive it: an address, an id at the vendor, or inline text."""

    role: InputRole
    value: str
    media_type: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StagedInputs:
    """Inputs ready to be named in a submit, in the request's order."""

    items: tuple[StagedInput, ...] = ()

    def get(self, role: InputRole) -> StagedInput | None:
        return next((item for item in self.items if item.role is role), None)

    def all(self, role: InputRole) -> tuple[StagedInput, ...]:
        return tuple(item for item in self.items if item.role is role)


class RemoteState(StrEnum):
    """Where a task stands at the vendor. ``UNKNOWN`` keeps a word we have not met."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        return self in (RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELLED)


@dataclass(frozen=True, slots=True)
class RemoteTask:
    """The handle of a task at the vendor. ``details`` is what else polling needs; JSON, stored with the id."""

    remote_id: str
    task: Task
    model: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor took the task. Commit ``remote_id`` and ``details`` before the first poll."""

    remote_id: str
    raw: Mapping[str, Any]
    details: Mapping[str, str] = field(default_factory=dict)
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One result named by a report: an address to fetch, or inline bytes already in ``raw`` by ``inline_key``."""

    kind: str
    url: str = ""
    media_type: str = ""
    inline_key: str = ""
    expires_at: datetime | None = None
    needs_auth: bool = False


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """Why a task that was accepted did not succeed."""

    kind: ErrorKind
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What the vendor says about a task now; a poll and a webhook give the same type."""

    remote_id: str
    state: RemoteState
    raw: Mapping[str, Any]
    vendor_state: str = ""
    progress: float | None = None
    outputs: tuple[Output, ...] = ()
    error: TaskFailure | None = None
    cost: Amount | None = None
    idempotency_key: str = ""
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that is here: hashed, size known, on disk before it is named."""

    path: Path
    media_type: str
    sha256: str
    size: int
    kind: str = "video"


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer of a synchronous call or an in-process engine: files, text, or both."""

    artefacts: tuple[Artefact, ...] = ()
    remote_id: str = ""
    text: str = ""
    cost: Amount | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    exchange: Exchange | None = None


class CancelResult(StrEnum):
    """What a cancel came to."""

    CANCELLED = "cancelled"
    REQUESTED = "requested"
    TOO_LATE = "too_late"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True, slots=True)
class CancelOutcome:
    """The result of a cancel and, in words, whether the task may still be charged."""

    result: CancelResult
    message: str
    may_be_charged: bool = True


@dataclass(frozen=True, slots=True)
class AccountReport:
    """What the vendor says about the account behind the credentials."""

    ok: bool
    message: str
    balance: Amount | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


def snap_request(card: ModelCard, request: GenerationRequest) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Fit a request to the model's limits; each change is a sentence for the plan and the estimate.

    A length is rounded up to an allowed one so that the scene is never cut, except past the longest. What no
    rounding can repair (another task, files the model does not take) raises ``InvalidRequest``.
    """
    _refuse_misfit(card, request)
    if any(item.role is InputRole.REFERENCE for item in request.inputs):
        card = by_references(card)
    notes: list[str] = []
    fitted = replace(
        request,
        duration_s=_snap_duration(card, request.duration_s, notes),
        ratio=_snap_ratio(card, request.ratio, notes),
        resolution=_snap_resolution(card, request.resolution, notes),
        seed=_snap_seed(card, request.seed, notes),
    )
    return _snap_prompt(card, fitted, notes), tuple(notes)


def _refuse_misfit(card: ModelCard, request: GenerationRequest) -> None:
    if request.task not in card.tasks:
        offered = ", ".join(sorted(task.value for task in card.tasks))
        raise InvalidRequest(f"{card.label} does not do {request.task.value}; it does {offered}.")
    for item in request.inputs:
        if item.role not in card.input_roles:
            raise InvalidRequest(f"{card.label} takes no {item.role.value} input; remove it or choose another model.")
    references = sum(1 for item in request.inputs if item.role is InputRole.REFERENCE)
    if references > card.max_references:
        raise InvalidRequest(f"{card.label} takes at most {card.max_references} reference files, not {references}.")


def by_references(card: ModelCard) -> ModelCard:
    """The card with the lengths that hold when reference pictures are given, within the longest that it may make.

    Raises ``InvalidRequest`` where an operator allows shorter clips only.
    """
    if not card.reference_durations:
        return card
    longest = card.durations.high if isinstance(card.durations, SecondsRange) else max(card.durations, default=0)
    lengths = tuple(seconds for seconds in card.reference_durations if seconds <= longest)
    if not lengths:
        fixed = " or ".join(f"{seconds:g}" for seconds in card.reference_durations)
        raise InvalidRequest(
            f"{card.label} follows reference pictures in {fixed} s only, and an operator allows it {longest:g} s at "
            "most; take the references away, choose another model, or have the operator's limit raised."
        )
    return replace(card, durations=lengths)


def allowed_duration(card: ModelCard, asked: float) -> float:
    """The shortest allowed length that is not shorter than asked, else the longest."""
    if isinstance(card.durations, SecondsRange):
        span = card.durations
        low, step = Decimal(str(span.low)), Decimal(str(span.step))
        steps = ((Decimal(str(asked)) - low) / step).to_integral_value(ROUND_CEILING)
        wanted = low + max(Decimal(0), steps) * step
        return float(min(wanted, Decimal(str(span.high))))
    fitting = [value for value in sorted(card.durations) if value >= asked]
    return float(fitting[0] if fitting else max(card.durations))


def _snap_duration(card: ModelCard, asked: float, notes: list[str]) -> float:
    if not card.durations:
        return asked
    chosen = allowed_duration(card, asked)
    if chosen > asked:
        notes.append(f"{card.label} makes {chosen:g} s instead of {asked:g} s; the rest is trimmed.")
    elif chosen < asked:
        notes.append(
            f"{card.label} makes at most {chosen:g} s of the {asked:g} s asked; the scene must be split or held."
        )
    return chosen


def ratio_value(ratio: str) -> float:
    """Width over height of ``"16:9"``."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)


def _snap_ratio(card: ModelCard, asked: str, notes: list[str]) -> str:
    if not card.ratios:
        return asked
    if not asked:
        return card.ratios[0]
    if asked in card.ratios:
        return asked
    chosen = min(card.ratios, key=lambda ratio: abs(ratio_value(ratio) / ratio_value(asked) - 1))
    notes.append(f"{card.label} does not make {asked}; it makes {chosen}, which is then reframed.")
    return chosen


def resolution_lines(resolution: str) -> int:
    """Lines of the shorter side for ordering: ``720p`` → 720, ``4k`` → 2160."""
    text = resolution.lower().rstrip("p")
    return int(text[:-1]) * 540 if text.endswith("k") else int(text)


def _snap_resolution(card: ModelCard, asked: str, notes: list[str]) -> str:
    if not card.resolutions:
        return asked
    ordered = sorted(card.resolutions, key=resolution_lines)
    if not asked:
        return card.resolutions[0]
    if asked in card.resolutions:
        return asked
    fitting = [item for item in ordered if resolution_lines(item) >= resolution_lines(asked)]
    chosen = fitting[0] if fitting else ordered[-1]
    notes.append(f"{card.label} does not make {asked}; it makes {chosen}.")
    return chosen


def _snap_seed(card: ModelCard, seed: int | None, notes: list[str]) -> int | None:
    if seed is None or Feature.SEED in card.supports:
        return seed
    notes.append(f"{card.label} takes no seed; a rerun gives another picture.")
    return None


def _snap_prompt(card: ModelCard, request: GenerationRequest, notes: list[str]) -> GenerationRequest:
    prompt, negative = request.prompt.strip(), request.negative_prompt.strip()
    if negative and Feature.NEGATIVE_PROMPT not in card.supports:
        prompt, negative = f"{prompt} Avoid: {negative}.", ""
        notes.append(f"{card.label} has no negative prompt; what to avoid is written into the prompt.")
    if len(prompt) > card.max_prompt_chars:
        notes.append(f"The prompt was cut from {len(prompt)} to {card.max_prompt_chars} characters for {card.label}.")
        prompt = _cut_at_word(prompt, card.max_prompt_chars)
    return replace(request, prompt=prompt, negative_prompt=negative)


def _cut_at_word(text: str, limit: int) -> str:
    cut = text[:limit]
    space = cut.rfind(" ")
    return cut[:space] if space > limit // 2 else cut
