"""How each take fills a master of another shape. Looked at once a content; kept beside the pieces."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from genengine.media import MediaError
from genengine.media.channels import RATIO_SIZES
from jobs.plan import FPS

if TYPE_CHECKING:
    from genengine.media import Framing

log = logging.getLogger(__name__)
SAME_SHAPE = 0.01


@dataclass(frozen=True)
class TakeFile:
    """A selected take as a file; sizes in pixels as displayed, `shown_s` is what its scene shows of it.

    `has_words`: a headline or captions will be drawn over it, which keep clear of its subject. `bar` is the share of
    the frame's height that a bar takes above it.
    """

    scene: str
    path: Path
    width: int
    height: int
    shown_s: float
    is_card: bool = False
    has_words: bool = False
    bar: float = 0.0


def frame_takes(takes: Iterable[TakeFile], ratio: str) -> dict[str, "Framing"]:
    """Return the framing of each scene's take for a master's ratio, where it has one to choose.

    A take that cannot be looked at keeps the crop about its middle: what is wrong with it is for the render to say.
    """
    from genengine.media.framing import Framing, analyse, frame_for  # a picture library: for workers, not for the web

    card = Framing("blurred_fill", 0.5, 0.5, 1.0, why="A text card is shown whole.")
    framings: dict[str, Framing] = {}
    for take in takes:
        width, height = RATIO_SIZES[ratio][0], RATIO_SIZES[ratio][1] * (1 - take.bar)
        same = abs(take.width / take.height * height / width - 1) < SAME_SHAPE
        if take.is_card:
            framings |= {} if same else {take.scene: card}
            continue
        if same and not take.has_words:
            continue
        try:
            cache = Path(settings.GE_CACHE_DIR) / "analysis"
            seen = analyse(take.path, kind="video", cache_dir=cache, seconds=take.shown_s)
        except (MediaError, OSError) as problem:
            log.warning("a take was not looked at", extra={"scene": take.scene, "error": str(problem)})
            continue
        framings[take.scene] = frame_for(seen, width / height, fps=FPS)
    return framings


def framing_facts(framings: Mapping[str, "Framing"]) -> dict[str, dict[str, str]]:
    """Return what a master's report says about framing, by scene."""
    return {scene: {"mode": framing.mode, "why": framing.why} for scene, framing in framings.items()}
