"""Checks before a frame is drawn: what would compile but disappoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from genengine.media.channels import CHANNELS, nearest_ratio
from genengine.media.errors import MediaRejected
from genengine.media.probing import MediaInfo, probe
from genengine.media.spec.model import ImageSegment, RenderSpec, TextOverlay, TextSegment, VideoSegment
from genengine.media.spec.parse import parse
from genengine.media.text.fonts import chain

READING_CPS = 20
ENLARGED_TOO_MUCH = 1.6
CALM = frozenset({"cut", "crossfade", "fade_black", "fade_white"})
CALM_ZOOM_PER_SECOND = 0.06


class Severity(StrEnum):
    """``error`` refuses the render in ``lint``'s caller; ``warning`` is told to the person."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class LintFinding:
    severity: Severity
    path: str
    message: str
    fix: str


def lint(spec: RenderSpec | Mapping[str, Any], assets: Mapping[str, Path] | None = None) -> list[LintFinding]:
    """Findings, worst first. With ``assets`` the files are looked at too. Raises ``SpecError`` for an invalid spec."""
    checked = spec if isinstance(spec, RenderSpec) else parse(spec)
    infos = {name: _info(path) for name, path in (assets or {}).items()}
    found = [*_length(checked), *_texts(checked), *_calm(checked), *_assets(checked, infos)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def _length(spec: RenderSpec) -> Iterator[LintFinding]:
    seconds, channel = float(spec.duration_s), CHANNELS[spec.output.channel]
    if seconds > spec.constraints.max_duration_s:
        fix = f"Shorten the slots to {spec.constraints.max_duration_s:g} s in total, or raise max_duration_s."
        yield LintFinding(Severity.ERROR, "$.segments", f"The video is {seconds:.1f} s long.", fix)
    low, high = channel.duration_s
    if not low <= seconds <= high:
        fix = f"{channel.label} takes {low:g} to {high:g} s."
        yield LintFinding(Severity.WARNING, "$.segments", f"The video is {seconds:.1f} s long.", fix)
    ratio = nearest_ratio(spec.output.width, spec.output.height)
    if ratio not in channel.ratios:
        fix = f"Use one of {', '.join(channel.ratios)}."
        yield LintFinding(Severity.WARNING, "$.output", f"{channel.label} does not take {ratio}.", fix)


def _texts(spec: RenderSpec) -> Iterator[LintFinding]:
    for path, text, role, font in _all_texts(spec):
        missing = [] if font else chain(role, text=text).missing(text)
        if missing:
            fix = "Replace them or add a font that has them."
            yield LintFinding(Severity.WARNING, path, f"No font has a glyph for {' '.join(missing)}.", fix)
    for index, cue in enumerate(spec.captions.cues):
        seconds = float((cue.end_frame - cue.start_frame) / spec.output.fps)
        if len(cue.text) / seconds > READING_CPS:
            fix = f"Show it for {len(cue.text) / READING_CPS:.1f} s or shorten it."
            path = f"$.captions.cues[{index}]"
            yield LintFinding(Severity.WARNING, path, "It cannot be read in its time.", fix)


def _all_texts(spec: RenderSpec) -> Iterator[tuple[str, str, str, str | None]]:
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, TextSegment):
            yield f"$.segments[{index}].headline", segment.headline, "headline", None
            yield f"$.segments[{index}].body", segment.body, "body", None
    for index, cue in enumerate(spec.captions.cues):
        yield f"$.captions.cues[{index}].text", cue.text, "body", spec.captions.font
    for index, overlay in enumerate(spec.overlays):
        if isinstance(overlay, TextOverlay):
            yield f"$.overlays[{index}].text", overlay.text, "body", overlay.font


def _calm(spec: RenderSpec) -> Iterator[LintFinding]:
    """Brand-safe work keeps to calm transitions and small movements."""
    if not spec.constraints.brand_safe:
        return
    for index, segment in enumerate(spec.segments):
        if segment.transition.type.value not in CALM:
            fix = "Use cut, crossfade or a fade, or switch brand_safe off."
            path = f"$.segments[{index}].transition"
            yield LintFinding(Severity.WARNING, path, f"{segment.transition.type.value} is not a calm transition.", fix)
        if isinstance(segment, ImageSegment | VideoSegment):
            seconds = float(segment.duration_frames / spec.output.fps)
            speed = abs(segment.motion.end.zoom - segment.motion.start.zoom) / seconds
            if speed > CALM_ZOOM_PER_SECOND:
                fix = "Zoom less or more slowly, or switch brand_safe off."
                yield LintFinding(Severity.WARNING, f"$.segments[{index}].motion", "The zoom is fast.", fix)


def _assets(spec: RenderSpec, infos: Mapping[str, MediaInfo | None]) -> Iterator[LintFinding]:
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, TextSegment) or segment.asset not in infos:
            continue
        path, info = f"$.segments[{index}].asset", infos[segment.asset]
        if info is None or info.video is None:
            fix = "Give a file that can be read."
            yield LintFinding(Severity.ERROR, path, f"{segment.asset!r} has no picture.", fix)
            continue
        yield from _too_small(spec, segment, info, path)
        if isinstance(segment, VideoSegment):
            yield from _too_short(spec, segment, info, path)
    bed = spec.audio.bed
    if bed and (info := infos.get(bed.asset)) and info.duration_s < spec.duration_s:
        fix = "It will be looped; give longer music if the joint can be heard."
        message = f"The music lasts {float(info.duration_s):.1f} s, the video {float(spec.duration_s):.1f} s."
        yield LintFinding(Severity.WARNING, "$.audio.bed.asset", message, fix)


def _too_small(
    spec: RenderSpec, segment: ImageSegment | VideoSegment, info: MediaInfo, path: str
) -> Iterator[LintFinding]:
    assert info.video is not None
    width, height = info.video.display_size
    zoom = max(segment.motion.start.zoom, segment.motion.end.zoom)
    scale = max(spec.output.width / width, spec.output.height / height) * zoom
    if segment.fit.mode == "crop" and scale > ENLARGED_TOO_MUCH:
        fix = f"Give at least {round(width * scale)}×{round(height * scale)} pixels, or use fit blurred_fill."
        yield LintFinding(Severity.WARNING, path, f"{width}×{height} pixels are enlarged {scale:.1f} times.", fix)


def _too_short(spec: RenderSpec, segment: VideoSegment, info: MediaInfo, path: str) -> Iterator[LintFinding]:
    needed = Fraction(segment.start_frame + segment.duration_frames) / spec.output.fps
    if info.duration_s + Fraction(1, 10) < needed:
        what = "loops" if segment.when_short == "loop" else "stands still"
        fix = "Shorten the slot or start earlier in the clip."
        message = f"The clip lasts {float(info.duration_s):.1f} s and {what} after that."
        yield LintFinding(Severity.WARNING, path, message, fix)


def _info(path: Path) -> MediaInfo | None:
    try:
        return probe(path)
    except MediaRejected:
        return None
