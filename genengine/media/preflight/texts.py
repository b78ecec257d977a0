"""Words: do they fit, can they be read in their time, has every sign a glyph, does anything cover them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from genengine.media.channels import CHANNELS
from genengine.media.compose.card import card_texts
from genengine.media.compose.placing import Placed, overlap
from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import RenderSpec, TextSegment
from genengine.media.text.fonts import chain
from genengine.media.text.layout import minimum_size

READING_CPS = 20
SHORTEST_CARD_S = 0.8
"""A card that stands for less is a flash, not words."""


def text_findings(spec: RenderSpec, files: Mapping[str, Path], items: list[Placed]) -> Iterator[LintFinding]:
    """Findings on captions, labels, headlines and marks, from their real layout."""
    words = [item for item in items if item.graphic.text]
    for item in words:
        yield from _fits(item, spec)
        yield from _inside(item, spec)
        font = item.graphic.font
        brand_font = files.get(font) if font else None
        if font is None or brand_font is not None:
            fonts = chain(item.graphic.role, brand_font=brand_font, text=item.graphic.text)
            yield from _glyphs(item.path, fonts.missing(item.graphic.text))
    yield from _covered(items)
    yield from _reading(spec, words)
    yield from _times(spec)


def card_findings(spec: RenderSpec, files: Mapping[str, Path]) -> Iterator[LintFinding]:
    """Findings on the words of text segments."""
    for index, segment in enumerate(spec.segments):
        if not isinstance(segment, TextSegment):
            continue
        for text in card_texts(segment, spec.output, files):
            path = f"$.segments[{index}].{text.field}"
            if text.block.rest:
                yield _lost(path, text.block.rest, spec)
            words = segment.headline if text.field == "headline" else segment.body
            yield from _glyphs(path, chain(text.field, text=words).missing(words))


def _fits(item: Placed, spec: RenderSpec) -> Iterator[LintFinding]:
    if item.lost:
        yield _lost(item.path, item.lost, spec)
    elif item.letters < minimum_size(spec.output.height):
        message = f"Its letters are {item.letters} pixels high, under 2.2 % of the frame's height."
        yield LintFinding("text_too_small", Severity.ERROR, item.path, message, "Shorten it or make it larger.")


def _lost(path: str, rest: str, spec: RenderSpec) -> LintFinding:
    shown = rest if len(rest) <= 30 else rest[:29] + "…"
    message = (
        f"It does not fit at the smallest legible size ({minimum_size(spec.output.height)} px); left over: {shown!r}."
    )
    fix = "Shorten it, widen max_width, or split it over two slots."
    return LintFinding("text_does_not_fit", Severity.ERROR, path, message, fix)


def _inside(item: Placed, spec: RenderSpec) -> Iterator[LintFinding]:
    channel, size = CHANNELS[spec.output.channel], (spec.output.width, spec.output.height)
    x0, y0, x1, y1 = channel.safe_box(*size).pixels(*size)
    a, b, c, d = item.box
    if a < x0 or b < y0 or c > x1 or d > y1:
        message = f"It would leave the part of the frame that {channel.label} keeps free ({x0}, {y0} to {x1}, {y1})."
        fix = "Shorten it, narrow max_width, or choose another place."
        yield LintFinding("outside_safe_zone", Severity.ERROR, item.path, message, fix)


def _glyphs(path: str, missing: list[str]) -> Iterator[LintFinding]:
    if missing:
        message = f"No font has a glyph for {' '.join(missing)}: an empty box would be drawn."
        yield LintFinding("glyph_missing", Severity.ERROR, path, message, "Replace them or add a font that has them.")


def _covered(items: list[Placed]) -> Iterator[LintFinding]:
    """Words over words; pictures that belong to the scene may lie under words. Looked at in the order of time, so that
    words that are never shown together are not compared."""
    words = [(item.graphic.start, number) for number, item in enumerate(items) if item.graphic.text]
    words.sort()
    pairs = []
    for place, (_, number) in enumerate(words):
        for start, later in words[place + 1 :]:
            if start >= items[number].graphic.end:
                break
            if items[number].path != items[later].path and overlap(items[number].box, items[later].box):
                pairs.append((min(number, later), max(number, later)))
    for under, over in sorted(pairs):
        fix = "Choose another place, or another time, for one of them."
        message = f"It lies over the words of {items[under].path}."
        yield LintFinding("text_covered", Severity.WARNING, items[over].path, message, fix)


def _reading(spec: RenderSpec, words: list[Placed]) -> Iterator[LintFinding]:
    for index, cue in enumerate(spec.captions.cues):
        path = f"$.captions.cues[{index}]"
        seconds = float((cue.end_frame - cue.start_frame) / spec.output.fps)
        if len(cue.text) / seconds > READING_CPS:
            fix = f"Show it for {len(cue.text) / READING_CPS:.1f} s or shorten it."
            yield LintFinding("reading_speed", Severity.WARNING, path, "It cannot be read in its time.", fix)
    for item in words:
        seconds = float((item.graphic.end - item.graphic.start) / spec.output.fps)
        if item.graphic.spoken is None and seconds < SHORTEST_CARD_S and not item.path.endswith("marks"):
            message = f"One of its cards stands for {seconds:.1f} s only."
            fix = f"Give it more time or fewer words; a card needs {SHORTEST_CARD_S} s."
            yield LintFinding("card_too_short", Severity.WARNING, item.path, message, fix)


def _times(spec: RenderSpec) -> Iterator[LintFinding]:
    total = spec.duration_frames
    for index, overlay in enumerate(spec.overlays):
        path, length = f"$.overlays[{index}]", overlay.end_frame - overlay.start_frame
        if overlay.end_frame > total:
            fix = f"End it at frame {total} or leave end_frame out."
            message = f"It ends at frame {overlay.end_frame}, after the video."
            yield LintFinding("overlay_time", Severity.WARNING, f"{path}.end_frame", message, fix)
        if overlay.fade_frames * 2 > length:
            fix = f"Use at most {length // 2} frames."
            message = f"It fades longer than it is shown ({length} frames)."
            yield LintFinding("overlay_time", Severity.WARNING, f"{path}.fade_frames", message, fix)
