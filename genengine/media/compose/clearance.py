"""The brand's logo keeps its clear space: nothing else over the picture comes near it while it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from genengine.media.compose.placing import Placed, grown, overlap, placed
from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import RenderSpec


def crowding(spec: RenderSpec, files: Mapping[str, Path], items: list[Placed] | None = None) -> Iterator[LintFinding]:
    """What stands too near the logo, in pixels of the real layout. ``items`` spares placing everything again."""
    rule = spec.brand.logo if spec.brand else None
    if rule is None or not spec.constraints.brand_safe:
        return
    items = placed(spec, files) if items is None else items
    told: set[str] = set()
    for logo in (item for item in items if item.graphic.image == rule.asset):
        room = round((logo.box[3] - logo.box[1]) * rule.clear_space)
        for other in items:
            near = other is not logo and _together(logo, other) and overlap(grown(logo.box, room), other.box)
            if near and other.path not in told and not _is_ground(other):
                told.add(other.path)
                message = f"It stands within {room} pixels of the logo."
                fix = "Move one of them, make it smaller, or show it at another time."
                yield LintFinding("brand_logo_space", Severity.ERROR, other.path, message, fix)


def _together(one: Placed, other: Placed) -> bool:
    return one.graphic.start < other.graphic.end and other.graphic.start < one.graphic.end


def _is_ground(item: Placed) -> bool:
    """Product pictures that belong to the scene lie under the logo by design."""
    return bool(item.graphic.image) and item.graphic.area == "frame"
