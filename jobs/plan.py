"""The plan as values: what a job is started from and never changes under it.

Schema-versioned, plain, serialisable; money in micro-units of the workspace's ledger currency, time in milliseconds.
`Plan.from_dict` refuses a version it does not know.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

SCHEMA_VERSION = 1
FPS = 30


class PlanUnreadable(Exception):
    """The stored plan has a schema version that this release does not know."""


@dataclass(frozen=True)
class ScenePlan:
    """A passage of the ad. `script` is spoken or captioned, `on_screen_text` is drawn, `visual` is filmed."""

    key: str
    title: str
    script: str
    visual: str
    camera: str
    on_screen_text: str
    duration_ms: int
    transition: str = "crossfade"  # how the scene begins: cut | crossfade | fade_black | fade_white | slide | wipe
    role: str = "beat"  # hook | beat | cta
    references: tuple[str, ...] = ()  # ids of the assets that it shows
    reference_images: tuple[str, ...] = ()  # ids of pictures that say how things look, and are not shown
    locked: bool = False


@dataclass(frozen=True)
class BranchPlan:
    """One variant on its way to delivery."""

    key: str
    name: str
    provider: str
    model: str
    style: str = ""
    peers: tuple[str, ...] = ()  # models that were as fit to lead it, itself included
    look: str = ""  # a key of `jobs.looks`; empty is the engine's usual manner
    look_reason: str = ""


@dataclass(frozen=True)
class ClipInput:
    """An asset that a clip is made from."""

    asset_id: str
    role: str  # first_frame | reference | source_clip


@dataclass(frozen=True)
class Reuse:
    """What stands for a clip, and what making the clip would cost and take.

    Either an earlier take of the same request, or the take that another clip of the same plan will have.
    """

    take: str  # ids as text; empty when the clip waits for another one of its plan
    job: str
    price_micro: int
    price_upper_micro: int
    expected_s: int
    scene: str = ""  # of the clip that is made for both
    branch: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ClipPlan:
    """One clip: what is asked of which model, at which price, and why."""

    scene: str
    branch: str
    provider: str
    model: str
    task: str
    prompt: str
    negative_prompt: str
    seed: int
    native_ratio: str
    resolution: str
    duration_ms: int  # asked of the model; may exceed the scene's and is trimmed
    price_micro: int
    price_upper_micro: int
    expected_s: int
    inputs: tuple[ClipInput, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)  # vendor-specific values by plain names
    reason: str = ""
    rejected: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    card_revision: int = 0  # of the model card that the price is from; 0 is the adapter's own
    list_micro: int = 0  # the price before volume tiers and off-peak hours
    naive_micro: int = 0  # what the model of the highest declared quality would have cost
    naive_model: str = ""
    not_before: str = ""  # ISO time: the clip waits for a vendor's off-peak hours
    reuse: Reuse | None = None  # then price and time above are nothing, and the model is not asked

    @property
    def made_micro(self) -> int:
        """What the clip costs when it is made."""
        return self.reuse.price_micro if self.reuse else self.price_micro

    def as_made(self) -> "ClipPlan":
        """Return the clip at the price and time of making it, whatever could be reused."""
        if self.reuse is None:
            return self
        return replace(
            self,
            price_micro=self.reuse.price_micro,
            price_upper_micro=self.reuse.price_upper_micro,
            expected_s=self.reuse.expected_s,
            reuse=None,
        )


@dataclass(frozen=True)
class LocalePlan:
    """One language of the ad; `scripts` by scene key where it differs from the scene's own script."""

    code: str
    scripts: dict[str, str] = field(default_factory=dict)
    on_screen: dict[str, str] = field(default_factory=dict)
    voice_asset_id: str = ""


@dataclass(frozen=True)
class BrandPlan:
    """What composition needs of the brand kit."""

    name: str = ""
    colours: dict[str, str] = field(default_factory=dict)
    logo_asset_id: str = ""
    font_asset_ids: tuple[str, ...] = ()
    other_logo_asset_id: str = ""  # for grounds on which the first is hard to see

    @property
    def asset_ids(self) -> tuple[str, ...]:
        """Return its logos and fonts; those that it has."""
        return tuple(pk for pk in (self.logo_asset_id, self.other_logo_asset_id, *self.font_asset_ids) if pk)


@dataclass(frozen=True)
class Plan:
    """Scenes, branches and a clip for each pair of them."""

    title: str
    channel: str
    length_ms: int
    ratios: tuple[str, ...]
    scenes: tuple[ScenePlan, ...]
    branches: tuple[BranchPlan, ...]
    clips: tuple[ClipPlan, ...]
    locales: tuple[LocalePlan, ...] = (LocalePlan("en"),)
    captions: str = "burned"  # burned | sidecar; the side-car files are always written
    brand: BrandPlan = BrandPlan()
    bed_asset_id: str = ""
    call_to_action: str = ""
    disclosures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what the planner wants a person to know
    reuse: str = "seeded"  # off | seeded | all: which earlier results of the same request may stand for a clip
    engine_policy: str = ""  # where the brief wants its videos rendered; empty leaves it to the workspace
    schema_version: int = SCHEMA_VERSION

    def scene(self, key: str) -> ScenePlan:
        """Return the scene with this key."""
        return next(s for s in self.scenes if s.key == key)

    def branch(self, key: str) -> BranchPlan:
        """Return the branch with this key."""
        return next(b for b in self.branches if b.key == key)

    def clip(self, scene: str, branch: str) -> ClipPlan:
        """Return the clip of a scene in a branch."""
        return next(c for c in self.clips if (c.scene, c.branch) == (scene, branch))

    def clips_of(self, branch: str) -> tuple[ClipPlan, ...]:
        """Return a branch's clips in the order of the scenes."""
        return tuple(self.clip(scene.key, branch) for scene in self.scenes)

    @property
    def price_micro(self) -> int:
        """What the plan is expected to cost."""
        return sum(c.price_micro for c in self.clips)

    @property
    def price_upper_micro(self) -> int:
        """What the plan reserves: its upper price."""
        return sum(c.price_upper_micro for c in self.clips)

    def with_changes(self, **changes: Any) -> "Plan":
        """Return a copy with some values replaced."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for storage."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Plan":
        """Read stored values."""
        if values.get("schema_version") != SCHEMA_VERSION:
            raise PlanUnreadable(f"plan schema {values.get('schema_version')} is not known; upgrade the engine")
        data = dict(values)
        data["ratios"] = tuple(data["ratios"])
        data["scenes"] = tuple(ScenePlan(**{**s, **_ids(s)}) for s in data["scenes"])
        data["branches"] = tuple(BranchPlan(**{**b, "peers": tuple(b.get("peers", ()))}) for b in data["branches"])
        data["clips"] = tuple(_clip(c) for c in data["clips"])
        data["locales"] = tuple(LocalePlan(**loc) for loc in data["locales"])
        brand = data["brand"]
        data["brand"] = BrandPlan(**{**brand, "font_asset_ids": tuple(brand["font_asset_ids"])})
        for name in ("disclosures", "notes"):
            data[name] = tuple(data[name])
        return cls(**data)


def _ids(scene: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(scene.get(name, ())) for name in ("references", "reference_images")}


def _clip(values: dict[str, Any]) -> ClipPlan:
    data = dict(values)
    data["inputs"] = tuple(ClipInput(**i) for i in data["inputs"])
    data["reuse"] = Reuse(**data["reuse"]) if data.get("reuse") else None
    for name in ("rejected", "notes"):
        data[name] = tuple(data[name])
    return ClipPlan(**data)
