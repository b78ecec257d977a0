"""The values that routing reads and returns. Money in micro-units, time in milliseconds or whole seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from jobs.routing.figures import PRIOR, Figures
from providers.registry.queries import CardInForce
from providers.values import ModelCard, Task


class Profile(StrEnum):
    """What a brief cares about most."""

    QUALITY = "quality"
    BALANCED = "balanced"
    ECONOMY = "economy"


@dataclass(frozen=True)
class SceneNeed:
    """What one scene asks of a model. `complexity` is 1 to 10 and `complexity_reason` says why."""

    key: str
    duration_ms: int
    complexity: int
    complexity_reason: str = ""
    has_image: bool = False
    has_footage: bool = False
    reference_images: int = 0  # pictures that say what people, things and places look like, and are not shown
    exact_lettering: bool = False  # a logo or words alone on a plain ground: must be drawn, not imagined


@dataclass(frozen=True)
class BranchNeed:
    """One variant; `lead_model` set by a person holds for all its scenes, empty lets routing choose."""

    key: str
    lead_model: str = ""


@dataclass(frozen=True)
class Lane:
    """How the way to a model is as a plan is made: `health` 1 is open, 0 shut; `words` say why it is not open."""

    health: float = 1.0
    words: str = ""


OPEN_LANE = Lane()


@dataclass(frozen=True)
class Candidate:
    """A model of the catalogue as this workspace may use it; `refusal` says why it may not."""

    card: ModelCard  # priced for this month's volume and the hour
    label: str  # the provider's own spelling
    is_local: bool = False
    refusal: str = ""
    terms: CardInForce | None = None  # the card at list price, its revision, volume tiers and off-peak hours
    used_units: Decimal = Decimal(0)  # billed this calendar month: seconds, calls
    figures: Figures = PRIOR  # what live attempts measured
    load: int = 0  # clips given to this provider lately
    lane: Lane = OPEN_LANE  # whether the vendor takes requests for it now

    @property
    def list_card(self) -> ModelCard:
        """The card before any reduction."""
        return self.terms.card if self.terms else self.card


@dataclass(frozen=True)
class Measured:
    """What past work tells routing, by model and by provider; what is missing is taken as nothing known."""

    figures: Mapping[str, Figures] = field(default_factory=dict)  # by model
    units: Mapping[str, Decimal] = field(default_factory=dict)  # by model: billed this calendar month
    loads: Mapping[str, int] = field(default_factory=dict)  # by provider: clips of the last day
    lanes: Mapping[tuple[str, str], Lane] = field(default_factory=dict)  # by provider and model, "" for all others


@dataclass(frozen=True)
class Limits:
    """What the brief allows: money for the whole job, seconds until the deadline, the profile."""

    profile: Profile
    cap_micro: int
    seconds_left: int | None = None
    ratio: str = "9:16"
    local_workers: int = 2
    parallel_remote: int = 50
    reserved_micro: int = 0  # already promised to locked clips of the same plan
    exploration: float = 0.0  # share of variants that are led by a model of which little is known
    seed: str = ""  # decides which variants explore: the same plan explores the same


@dataclass(frozen=True)
class Offer:
    """What one model would make of one scene: what is asked of it, its price and its time."""

    candidate: Candidate
    task: Task
    duration_ms: int
    ratio: str
    resolution: str
    price_micro: int
    price_upper_micro: int
    expected_s: int
    notes: tuple[str, ...] = ()
    list_micro: int = 0  # before volume tiers and off-peak hours
    references: int = 0  # of the scene's reference pictures, the first ones; the scene's own picture goes before them


@dataclass(frozen=True)
class Score:
    """The named parts, each 0 to 1; `total` is their weighted sum, less where the model's lane is not open."""

    quality: float
    fit: float
    price: float
    speed: float
    total: float
    proven: float = 0.0
    health: float = 1.0


@dataclass(frozen=True)
class Choice:
    """The model of one clip, why it was taken and why each other one was not."""

    scene: str
    branch: str
    offer: Offer
    score: Score
    reason: str
    rejected: tuple[str, ...]
    naive: Offer | None = None  # what a choice by declared quality alone would have taken

    @property
    def provider(self) -> str:
        """The stable name of the provider."""
        return self.offer.candidate.card.provider

    @property
    def model(self) -> str:
        """The id of the model card."""
        return self.offer.candidate.card.id


class FixKind(StrEnum):
    """What a person can change when the constraints cannot be met."""

    FEWER_VARIANTS = "fewer_variants"
    CHEAPER_MODEL = "cheaper_model"
    LONGER_DEADLINE = "longer_deadline"
    RAISE_CAP = "raise_cap"


@dataclass(frozen=True)
class Fix:
    """One adjustment as a value, ready to be applied to the brief: what to set and what comes of it."""

    kind: FixKind
    sentence: str
    variants: int | None = None
    profile: Profile | None = None
    cap_micro: int | None = None
    seconds: int | None = None


@dataclass(frozen=True)
class Problem:
    """A constraint that cannot be met, in a sentence, with what would meet it."""

    code: str  # over_cap | past_deadline
    sentence: str
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class Routing:
    """The choices for every scene and branch, their sums, and what does not fit."""

    choices: tuple[Choice, ...]
    price_micro: int
    price_upper_micro: int
    expected_s: int
    leads: dict[str, str]  # branch → model id
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    peers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # branch → models as fit as its lead, itself too

    def choice(self, scene: str, branch: str) -> Choice:
        """Return the choice for a clip."""
        return next(c for c in self.choices if (c.scene, c.branch) == (scene, branch))


AtHand = Mapping[tuple[str, str], int]  # branch, model → what earlier results of the same requests would save
NOTHING_AT_HAND: AtHand = {}


class NothingFits(Exception):
    """No model can make this scene: connect a provider or add a picture to the scene."""
