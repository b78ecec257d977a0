"""From JSON to a ``RenderSpec``: the schema first, then what a schema cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from genengine.media.errors import SpecError, SpecProblem
from genengine.media.spec import model as m
from genengine.media.spec.schema_check import faults

SCHEMA_FILE = Path(__file__).with_name("renderspec-1.0.schema.json")


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of RenderSpec 1.0."""
    document: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return document


def parse(data: Mapping[str, Any]) -> m.RenderSpec:
    """Check ``data`` and return it as values. Raises ``SpecError`` that lists every fault."""
    problems = list(faults(data, schema(), schema()))
    if problems:
        raise SpecError(problems)
    spec = _build(data)
    problems = list(_contradictions(spec, data))
    if problems:
        raise SpecError(problems)
    return spec


def _build(data: Mapping[str, Any]) -> m.RenderSpec:
    meta = data.get("metadata", {})
    output = data["output"] | {"fps": Fraction(str(data["output"].get("fps", 30)))}
    total = sum(segment["duration_frames"] for segment in data["segments"])
    brand = _brand(data["brand"]) if "brand" in data else None
    fonts = brand or m.Brand()
    return m.RenderSpec(
        output=m.Output(**output),
        segments=tuple(_segment(item, fonts) for item in data["segments"]),
        archetype=data.get("archetype", "custom"),
        assets={name: m.AssetRef(**entry) for name, entry in data.get("assets", {}).items()},
        captions=_captions(data.get("captions", {}), fonts),
        overlays=tuple(_overlay(item, total, fonts) for item in data.get("overlays", [])),
        audio=_audio(data.get("audio", {})),
        marks=m.Marks(**data.get("marks", {})),
        title=meta.get("title", ""),
        comment=meta.get("comment", ""),
        constraints=m.Constraints(**data.get("constraints", {})),
        brand=brand,
        source=data,
    )


def _captions(item: Mapping[str, Any], brand: m.Brand) -> m.Captions:
    cues = tuple(m.CaptionCue(**cue) for cue in item.get("cues", []))
    return m.Captions(**{"font": brand.body_font, **item, "cues": cues})


def _brand(item: Mapping[str, Any]) -> m.Brand:
    fonts, logo = item.get("fonts", {}), None
    if "logo" in item:
        places = tuple(m.Place(place) for place in item["logo"].get("places", []))
        logo = m.LogoRule(**dict(item["logo"]) | {"places": places})
    body = fonts.get("body") or fonts.get("headline")
    return m.Brand(tuple(item.get("colors", [])), fonts.get("headline") or body, body, logo)


def _segment(item: Mapping[str, Any], brand: m.Brand) -> m.Segment:
    values = {key: value for key, value in item.items() if key != "type"}
    if "transition" in values:
        values["transition"] = _transition(values["transition"])
    if "motion" in values:
        motion = values["motion"]
        values["motion"] = m.Motion(m.Window(**motion["from"]), m.Window(**motion["to"]), motion.get("ease", "in_out"))
    if "fit" in values:
        values["fit"] = _fit(values["fit"])
    if "subject" in values:
        values["subject"] = m.Region(**values["subject"])
    if "bar" in values:
        values["bar"] = m.Bar(**values["bar"])
    if item["type"] == "image":
        return m.ImageSegment(**values)
    if item["type"] == "video":
        if "sound" in values:
            values["sound_gain_db"] = values.pop("sound").get("gain_db", 0.0)
        return m.VideoSegment(**values)
    if "background" in values:
        ground = values.pop("background")
        values |= {"background_from": ground["from"], "background_to": ground.get("to", ground["from"])}
    elif brand.colors:
        values |= {"background_from": brand.colors[0], "background_to": brand.colors[0]}
    own = values.get("font")
    return m.TextSegment(**values | {"font": own or brand.headline_font, "body_font": own or brand.body_font})


def _fit(item: Mapping[str, Any]) -> m.Fit:
    focus, path = item.get("focus", {}), item.get("path", [])
    keys = tuple(m.FocusKey(**key) for key in path)
    inset = m.Inset(**item["inset"]) if "inset" in item else None
    return m.Fit(item.get("mode", "crop"), focus.get("x", 0.5), focus.get("y", 0.5), keys, inset)


def _transition(item: Mapping[str, Any]) -> m.Transition:
    kind = m.TransitionType(item["type"])
    frames = 0 if kind is m.TransitionType.CUT else item.get("frames", 15)
    return m.Transition(kind, frames, item.get("direction", "left"))


def _overlay(item: Mapping[str, Any], total: int, brand: m.Brand) -> m.Overlay:
    values = {"start_frame": 0, "end_frame": total} | {key: value for key, value in item.items() if key != "type"}
    if "place" in values:
        values["place"] = m.Place(values["place"])
    if item["type"] == "image":
        return m.ImageOverlay(**values)
    own = brand.headline_font if item.get("style") in ("headline", "meme") else brand.body_font
    values.setdefault("font", own)
    return m.TextOverlay(**values)


def _audio(item: Mapping[str, Any]) -> m.Audio:
    values = dict(item)
    if "bed" in values:
        values["bed"] = m.Bed(**values["bed"])
    values["voice"] = tuple(m.Voice(**voice) for voice in values.get("voice", []))
    return m.Audio(**values)


def _contradictions(spec: m.RenderSpec, data: Mapping[str, Any]) -> Iterator[SpecProblem]:
    total = spec.duration_frames
    if data.get("duration_frames", total) != total:
        fix = f"Set it to {total}, or change the slots."
        yield SpecProblem("$.duration_frames", f"{data['duration_frames']} is not the sum of the slots, {total}.", fix)
    if spec.output.fps < 1 or spec.output.fps > 60:
        yield SpecProblem("$.output.fps", f"{spec.output.fps} is out of range.", "Use 1 to 60 frames per second.")
    yield from _transition_faults(spec)
    yield from _path_faults(spec)
    yield from _inset_faults(spec)
    yield from _subject_faults(spec)
    yield from _reference_faults(spec)
    yield from _time_faults(spec)


def _path_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, m.TextSegment) or not segment.fit.path:
            continue
        where, frames = f"$.segments[{index}].fit.path", [key.frame for key in segment.fit.path]
        if isinstance(segment, m.ImageSegment):
            yield SpecProblem(where, "is on a picture.", "Use `motion` to move over a picture.")
        elif frames != sorted(set(frames)):
            yield SpecProblem(where, "does not go forward in time.", "Give each key a later frame than the one before.")


def _inset_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, m.TextSegment) or segment.fit.inset is None:
            continue
        where = f"$.segments[{index}].fit.inset"
        if isinstance(segment, m.VideoSegment):
            yield SpecProblem(where, "is on a film.", "Use `blurred_fill` to show a film smaller than the frame.")
        elif segment.fit.mode != "crop":
            yield SpecProblem(where, f"is on {segment.fit.mode!r}.", "Use it with the mode `crop`, or leave it out.")


def _subject_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    for index, segment in enumerate(spec.segments):
        area = None if isinstance(segment, m.TextSegment) else segment.subject
        if area is not None and not (area.left < area.right and area.top < area.bottom):
            yield SpecProblem(f"$.segments[{index}].subject", "is empty.", "Make right > left and bottom > top.")


def _transition_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    for index, segment in enumerate(spec.segments):
        path, frames = f"$.segments[{index}].transition", segment.transition.frames
        if index == 0 and frames:
            fix = "Remove it: nothing comes before the first slot."
            yield SpecProblem(path, "is on the first slot.", fix, "transition_first")
        elif frames > segment.duration_frames:
            yield SpecProblem(
                f"{path}.frames",
                f"{frames} is longer than its slot.",
                f"Use at most {segment.duration_frames}.",
                "transition_too_long",
            )


def _reference_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    for path, name, kind in references(spec):
        entry = spec.assets.get(name)
        if entry is None:
            known = ", ".join(sorted(spec.assets)) or "none"
            yield SpecProblem(
                path, f"{name!r} is not among the assets.", f"Add it under `assets`; known: {known}.", "asset_unknown"
            )
        elif entry.kind not in kind.split("|"):
            yield SpecProblem(
                path, f"{name!r} is {entry.kind}, not {kind}.", f"Name an asset of kind {kind}.", "asset_kind"
            )


def references(spec: m.RenderSpec) -> Iterator[tuple[str, str, str]]:
    """Every use of an asset: (JSON path, asset id, kinds allowed, joined by ``|``)."""
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, m.ImageSegment):
            yield f"$.segments[{index}].asset", segment.asset, "image"
        elif isinstance(segment, m.VideoSegment):
            yield f"$.segments[{index}].asset", segment.asset, "video"
        else:
            fonts = dict.fromkeys(font for font in (segment.font, segment.body_font) if font)
            yield from ((f"$.segments[{index}].font", font, "font") for font in fonts)
    for index, overlay in enumerate(spec.overlays):
        if isinstance(overlay, m.ImageOverlay):
            yield f"$.overlays[{index}].asset", overlay.asset, "image"
        elif overlay.font:
            yield f"$.overlays[{index}].font", overlay.font, "font"
    if spec.captions.font:
        yield "$.captions.font", spec.captions.font, "font"
    if spec.brand and spec.brand.logo:
        yield "$.brand.logo.asset", spec.brand.logo.asset, "image"
    if spec.audio.bed:
        yield "$.audio.bed.asset", spec.audio.bed.asset, "audio|video"
    for index, voice in enumerate(spec.audio.voice):
        yield f"$.audio.voice[{index}].asset", voice.asset, "audio|video"


def _time_faults(spec: m.RenderSpec) -> Iterator[SpecProblem]:
    total, last = spec.duration_frames, 0
    for index, cue in enumerate(spec.captions.cues):
        path = f"$.captions.cues[{index}]"
        if cue.end_frame <= cue.start_frame:
            yield SpecProblem(path, "ends before it starts.", "Make end_frame larger than start_frame.", "cue_time")
        elif cue.start_frame < last:
            yield SpecProblem(path, "overlaps the cue before it.", f"Start it at frame {last} or later.", "cue_time")
        elif cue.end_frame > total:
            fix = f"End it at frame {total} or before."
            yield SpecProblem(path, f"ends at {cue.end_frame}, after the video.", fix, "cue_time")
        last = max(last, cue.end_frame)
    for index, overlay in enumerate(spec.overlays):
        if overlay.end_frame <= overlay.start_frame or overlay.start_frame >= total:
            path = f"$.overlays[{index}]"
            yield SpecProblem(
                path, "is never shown.", f"Give start_frame < end_frame within 0 … {total}.", "overlay_time"
            )
    for index, voice in enumerate(spec.audio.voice):
        if voice.start_frame >= total:
            path = f"$.audio.voice[{index}].start_frame"
            yield SpecProblem(path, "is after the video.", f"Use a frame under {total}.", "voice_time")
