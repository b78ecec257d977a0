"""RenderSpec 1.0 as frozen values. Times are whole frames; colours are ``#rrggbb``; places are fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any


class Place(StrEnum):
    """Where an overlay sits in the safe zone."""

    TOP_LEFT = "top_left"
    TOP = "top"
    TOP_RIGHT = "top_right"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom_left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom_right"


class TransitionType(StrEnum):
    CUT = "cut"
    CROSSFADE = "crossfade"
    FADE_BLACK = "fade_black"
    FADE_WHITE = "fade_white"
    SLIDE = "slide"
    WIPE = "wipe"


@dataclass(frozen=True, slots=True)
class Output:
    width: int
    height: int
    fps: Fraction = Fraction(30)
    preset: str = "veryfast"
    crf: int = 20
    min_bit_rate: int = 0
    loudness_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    channel: str = "generic"


@dataclass(frozen=True, slots=True)
class AssetRef:
    """``origin`` is given or generated; ``shows`` is product, person, logo or other."""

    kind: str
    sha256: str | None = None
    origin: str = "given"
    shows: str = "other"


@dataclass(frozen=True, slots=True)
class Window:
    """The part that is seen: ``zoom`` ≥ 1, position of the window inside the slack (0 … 1)."""

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class Motion:
    start: Window = Window()
    end: Window = Window()
    ease: str = "in_out"

    @property
    def moves(self) -> bool:
        return self.start != self.end


@dataclass(frozen=True, slots=True)
class FocusKey:
    """Where a film's crop looks at frame ``frame`` of the clip, counted in frames of the output."""

    frame: int
    x: float = 0.5
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class Inset:
    """A crop made smaller than the frame: ``scale`` is its share of the frame's sides, ``x`` and ``y`` the shares of
    the room beside it that are on its left and above it."""

    scale: float
    x: float = 0.5
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class Fit:
    """``path`` moves the focus of a film's crop over time; it replaces the focus. ``inset`` is for pictures."""

    mode: str = "crop"
    focus_x: float = 0.5
    focus_y: float = 0.5
    path: tuple[FocusKey, ...] = ()
    inset: Inset | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a fitted picture, in fractions of it from its left and top; a bar is no part of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class Bar:
    """A plain bar across the top of the frame, ``height`` of its height; the picture fills what is below it."""

    height: float
    color: str = "#ffffff"

    def rows(self, height: int) -> int:
        """Pixels of a frame of ``height`` that it takes, an even number."""
        return round(self.height * height / 2) * 2


@dataclass(frozen=True, slots=True)
class Transition:
    """How a slot comes in; ``frames`` overlap its start."""

    type: TransitionType = TransitionType.CUT
    frames: int = 0
    direction: str = "left"


@dataclass(frozen=True, slots=True)
class ImageSegment:
    """``subject`` is what captions keep clear of."""

    asset: str
    duration_frames: int
    motion: Motion = Motion()
    fit: Fit = Fit()
    subject: Region | None = None
    bar: Bar | None = None
    transition: Transition = Transition()


@dataclass(frozen=True, slots=True)
class VideoSegment:
    """``sound_gain_db`` None leaves the clip's own sound out; ``subject`` is what captions keep clear of."""

    asset: str
    duration_frames: int
    start_frame: int = 0
    when_short: str = "hold"
    motion: Motion = Motion()
    fit: Fit = Fit()
    subject: Region | None = None
    bar: Bar | None = None
    sound_gain_db: float | None = None
    transition: Transition = Transition()


@dataclass(frozen=True, slots=True)
class TextSegment:
    """A card; without words it is the ground for overlays. ``body_font`` is ``font``, or else the brand's own."""

    duration_frames: int
    headline: str = ""
    body: str = ""
    color: str = "#ffffff"
    accent: str | None = None
    background_from: str = "#14213d"
    background_to: str = "#14213d"
    font: str | None = None
    body_font: str | None = None
    transition: Transition = Transition()


Segment = ImageSegment | VideoSegment | TextSegment


@dataclass(frozen=True, slots=True)
class CaptionCue:
    start_frame: int
    end_frame: int
    text: str


@dataclass(frozen=True, slots=True)
class Captions:
    mode: str = "burned"
    style: str = "plate"
    position: str = "bottom"
    font: str | None = None
    color: str = "#ffffff"
    accent: str = "#ffd84d"
    cues: tuple[CaptionCue, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageOverlay:
    asset: str
    start_frame: int
    end_frame: int
    place: Place = Place.TOP_RIGHT
    size: float = 0.2
    margin: float = 0.05
    area: str = "safe"
    max_height: float = 1.0
    shadow: bool = False
    opacity: float = 1.0
    fade_frames: int = 0


@dataclass(frozen=True, slots=True)
class TextOverlay:
    text: str
    start_frame: int
    end_frame: int
    style: str = "label"
    place: Place = Place.BOTTOM
    font: str | None = None
    color: str = "#ffffff"
    plate: str | None = None
    size: float | None = None
    max_width: float = 1.0
    opacity: float = 1.0
    fade_frames: int = 6


Overlay = ImageOverlay | TextOverlay


@dataclass(frozen=True, slots=True)
class Bed:
    asset: str
    gain_db: float = 0.0
    start_frame: int = 0
    fade_in_frames: int = 6
    fade_out_frames: int = 30


@dataclass(frozen=True, slots=True)
class Voice:
    asset: str
    start_frame: int = 0
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Audio:
    bed: Bed | None = None
    voice: tuple[Voice, ...] = ()
    ducking_db: float = 10.0


@dataclass(frozen=True, slots=True)
class Marks:
    simulated: bool = False
    ai_label: str = ""


@dataclass(frozen=True, slots=True)
class Constraints:
    brand_safe: bool = True
    engine_policy: str = "local_preferred"
    max_duration_s: float = 60.0
    allow_generated_subjects: bool = False


@dataclass(frozen=True, slots=True)
class LogoRule:
    """Where the logo may stand, how wide it must be (of the frame's width), and how much room it needs around it (of
    its own height)."""

    asset: str
    places: tuple[Place, ...] = ()
    min_size: float = 0.1
    clear_space: float = 0.25
    required: bool = True


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand's own things: what texts use unless they say otherwise, and all that brand-safe work may use."""

    colors: tuple[str, ...] = ()
    headline_font: str | None = None
    body_font: str | None = None
    logo: LogoRule | None = None


@dataclass(frozen=True)
class RenderSpec:
    """A checked spec. ``source`` is the JSON it came from, kept for storing and for hashing."""

    output: Output
    segments: tuple[Segment, ...]
    archetype: str = "custom"
    assets: Mapping[str, AssetRef] = field(default_factory=dict)
    captions: Captions = Captions()
    overlays: tuple[Overlay, ...] = ()
    audio: Audio = Audio()
    marks: Marks = Marks()
    title: str = ""
    comment: str = ""
    constraints: Constraints = Constraints()
    brand: Brand | None = None
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_frames(self) -> int:
        return sum(segment.duration_frames for segment in self.segments)

    @property
    def duration_s(self) -> Fraction:
        return self.duration_frames / self.output.fps

    @property
    def slot_starts(self) -> tuple[int, ...]:
        """First frame of every slot."""
        starts, at = [], 0
        for segment in self.segments:
            starts.append(at)
            at += segment.duration_frames
        return tuple(starts)

    def run_on(self, index: int) -> int:
        """Frames a slot runs on under the transition that opens the next one."""
        following = index + 1
        return self.segments[following].transition.frames if following < len(self.segments) else 0
