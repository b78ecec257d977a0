"""How a logo would stand where a spec puts it: on the product, and against the tone of the picture behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genengine.media.compose.keeping_clear import shown_subjects
from genengine.media.compose.placing import Placed, overlap
from genengine.media.preflight.behind import Behind
from genengine.media.preflight.contrast import logo_contrast
from genengine.media.spec.model import RenderSpec

STANDS_OUT = 3.0
"""WCAG 2.2, 1.4.11: what a graphic needs against what is beside it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """``contrast`` is a WCAG ratio, ``shadowed`` what a soft shadow would make of it; None where the picture behind is
    not known."""

    covers_subject: bool
    contrast: float | None = None
    shadowed: float | None = None

    @property
    def is_good(self) -> bool:
        """Nothing of the subject is covered, and the logo is seen without help."""
        return not self.covers_subject and self.stands_out

    @property
    def stands_out(self) -> bool:
        return self.contrast is None or self.contrast >= STANDS_OUT

    @property
    def shadow_helps(self) -> bool:
        """A shadow is dark: it lifts a light logo from a light ground, and drowns a dark one."""
        return self.contrast is not None and self.shadowed is not None and self.shadowed > self.contrast


def logo_stand(spec: RenderSpec, files: Mapping[str, Path], items: list[Placed], behind: Behind) -> Stand:
    """Judge the brand's logo among the ``items`` of a layout; ``behind`` is shared by layouts of the same pictures."""
    rule = spec.brand.logo if spec.brand else None
    logo = next((item for item in items if rule and item.graphic.image == rule.asset), None)
    if logo is None:
        return Stand(covers_subject=False)
    start, end = logo.graphic.start, logo.graphic.end
    covers = any(overlap(logo.box, subject) for subject in shown_subjects(spec, start, end))
    pixels = behind.part((start + end) // 2, logo.box)
    if pixels is None:
        return Stand(covers)
    path = files[logo.graphic.image]
    return Stand(covers, logo_contrast(path, pixels), logo_contrast(path, pixels // 2))
