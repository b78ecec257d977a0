"""The values of planning: what a planner reads, what it returns, the changes people make to a plan."""

from dataclasses import dataclass, field
from typing import Protocol

from jobs.plan import LocalePlan, ScenePlan
from jobs.preflight.types import PlanFinding
from jobs.routing.types import Problem

CAMERAS = (
    "push-in",
    "pull-out",
    "orbit",
    "slide-right",
    "slide-left",
    "crane-up",
    "tilt-down",
    "handheld",
    "static",
)
TRANSITIONS = ("cut", "crossfade", "fade_black", "fade_white", "slide", "wipe")
SHORTEST_SCENE_MS = 1_500
LONGEST_SCENE_MS = 8_000


class BriefNotReady(Exception):
    """The brief lacks what a plan needs; the text says what to write."""


class PlanMoved(Exception):
    """Somebody else made a newer revision; look at it before changing or launching."""

    def __init__(self, seen: int, newest: int) -> None:
        super().__init__(
            f"the plan was changed meanwhile: you saw revision {seen}, the newest is {newest}. Reload and decide again."
        )
        self.seen, self.newest = seen, newest


class PlanStale(Exception):
    """The brief was edited after this plan was made."""


class SceneLocked(Exception):
    """The scene is locked: unlock it to change it."""


class ChangeRefused(Exception):
    """The change cannot be made; the text says why and what can."""


class PriceOverCap(Exception):
    """The plan may cost more than the brief allows; `problems` carry the fixes to offer."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        offers = " ".join(fix.sentence for problem in problems for fix in problem.fixes)
        super().__init__(f"{' '.join(p.sentence for p in problems)} {offers}".strip())
        self.problems = problems


class PlanFlawed(Exception):
    """The finished films would be wrong; `findings` are the errors, each with its scene, cause and remedy."""

    def __init__(self, findings: tuple[PlanFinding, ...]) -> None:
        count = len(findings)
        first = " ".join(finding.sentence for finding in findings[:3])
        more = f" And {count - 3} more." if count > 3 else ""
        super().__init__(f"the finished films would be wrong, so nothing was started or charged. {first}{more}")
        self.findings = findings


@dataclass(frozen=True)
class AssetRef:
    """An asset of the brief as the planner sees it. `kind` is image or video, `role` a `BriefAssetRole`."""

    id: str
    kind: str
    role: str
    name: str = ""
    note: str = ""

    @property
    def overlay_only(self) -> bool:
        """Cut-outs are for laying over a picture, not for filling the frame."""
        words = f"{self.name} {self.note}".lower()
        return any(word in words for word in ("cutout", "cut-out", "overlay", "transparent"))


@dataclass(frozen=True)
class BriefValues:
    """Everything a planner reads of a brief."""

    title: str
    ad_type: str
    script: str
    length_ms: int
    language: str = "en"
    key_messages: tuple[str, ...] = ()
    call_to_action: str = ""
    tone: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    forbidden_words: tuple[str, ...] = ()
    brand_name: str = ""
    assets: tuple[AssetRef, ...] = ()
    captions: str = "burned"
    alternate_scripts: dict[str, str] = field(default_factory=dict)
    alternate_languages: tuple[str, ...] = ()
    voiceovers: dict[str, str] = field(default_factory=dict)
    channel: str = "generic"
    ratios: tuple[str, ...] = ("9:16",)
    variants: int = 1
    profile: str = "balanced"
    colours: dict[str, str] = field(default_factory=dict)
    logo_id: str = ""
    font_ids: tuple[str, ...] = ()
    music_id: str = ""
    flag_disclosures: tuple[str, ...] = ()
    engine_policy: str = ""
    audience: str = ""
    other_logo_id: str = ""

    @property
    def has_logo(self) -> bool:
        """Whether the brand kit has one to lay over the picture."""
        return bool(self.logo_id)


@dataclass(frozen=True)
class Storyboard:
    """What a planner returns: scenes that add up to the length, languages, what must not be shown, notes."""

    scenes: tuple[ScenePlan, ...]
    locales: tuple[LocalePlan, ...]
    avoid: tuple[str, ...]
    disclosures: tuple[str, ...]
    notes: tuple[str, ...]


class Planner(Protocol):
    """Anything that turns a brief into a storyboard."""

    name: str

    def plan(self, brief: BriefValues) -> Storyboard: ...


@dataclass(frozen=True)
class EditScene:
    """Change what a scene says, shows or does; `None` leaves a value as it is. A new length re-fits the others.

    `references` are the assets that it shows; `reference_images` pictures that models follow and do not show.
    """

    scene: str
    title: str | None = None
    script: str | None = None
    visual: str | None = None
    camera: str | None = None
    on_screen_text: str | None = None
    transition: str | None = None
    duration_ms: int | None = None
    references: tuple[str, ...] | None = None
    reference_images: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReorderScenes:
    """Put the scenes into this order; every key once."""

    order: tuple[str, ...]


@dataclass(frozen=True)
class AddScene:
    """Insert a scene after another (empty: at the start); the rest makes room."""

    after: str
    visual: str
    script: str = ""
    on_screen_text: str = ""
    duration_ms: int = 3_000


@dataclass(frozen=True)
class DeleteScene:
    """Take a scene out; the others fill its time."""

    scene: str


@dataclass(frozen=True)
class LockScene:
    """Protect a scene from edits, or open it again."""

    scene: str
    locked: bool = True


@dataclass(frozen=True)
class AddBranch:
    """One more variant; without a model, routing chooses its lead."""

    name: str = ""
    model: str = ""


@dataclass(frozen=True)
class RemoveBranch:
    """One variant less."""

    branch: str


@dataclass(frozen=True)
class RenameBranch:
    """Another name for a variant."""

    branch: str
    name: str


@dataclass(frozen=True)
class ChangeBranchModel:
    """Another lead model for a variant: all its scenes that it can make move to it."""

    branch: str
    model: str


@dataclass(frozen=True)
class ChangeLook:
    """Another look for a variant: how its words are set, and how pictures that this machine films behave."""

    branch: str
    look: str


@dataclass(frozen=True)
class EditClip:
    """Another prompt or model for one clip; `None` leaves a value as it is."""

    scene: str
    branch: str
    prompt: str | None = None
    negative_prompt: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class StartOffPeak:
    """Let the clips wait whose vendors ask less in their off-peak hours."""


@dataclass(frozen=True)
class ReuseResults:
    """Which earlier results of the same request may stand for a clip: `off`, `seeded` (same seed) or `all`."""

    policy: str


PlanChange = (
    EditScene
    | ReorderScenes
    | AddScene
    | DeleteScene
    | LockScene
    | AddBranch
    | RemoveBranch
    | RenameBranch
    | ChangeBranchModel
    | ChangeLook
    | EditClip
    | StartOffPeak
    | ReuseResults
)
