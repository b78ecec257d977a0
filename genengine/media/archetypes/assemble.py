"""From a request to a RenderSpec: slots that share the time, words on them, logo, sound.

An archetype decides what a slot looks like; a preset is its tempo, transition and manner of showing words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from genengine.media.archetypes.room import leaving_room
from genengine.media.archetypes.values import MIN_SECONDS, CannotAssemble, Material, Request
from genengine.media.framing import Box, kept_in_view
from genengine.media.spec.brand import calmed

MOVES = MappingProxyType(
    {
        "push": (({"zoom": 1.0}, {"zoom": 1.1, "y": 0.46}), ({"zoom": 1.1, "x": 0.4}, {"zoom": 1.0})),
        "drift": (
            ({"zoom": 1.08, "x": 0.3}, {"zoom": 1.08, "x": 0.7}),
            ({"zoom": 1.08, "x": 0.7}, {"zoom": 1.08, "x": 0.3}),
        ),
        "punch": (({"zoom": 1.0}, {"zoom": 1.22, "y": 0.45}), ({"zoom": 1.25, "x": 0.6}, {"zoom": 1.05, "x": 0.4})),
        "rest": (({"zoom": 1.0}, {"zoom": 1.0}),),
    }
)
LOOPS = 3
"""A film longer than the pictures is filled by showing them again, at most this often."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One manner of an archetype. ``lively`` presets are refused in brand-safe mode; ``slot_s`` is the tempo."""

    archetype: str
    label: str
    move: str
    transition: str
    transition_s: float
    slot_s: float
    words: str
    lively: bool = False


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "hero_calm": Preset("hero", "Calm", "push", "crossfade", 0.5, 4.0, "caption"),
        "hero_bold": Preset("hero", "Bold", "punch", "slide", 0.35, 2.6, "headline", lively=True),
        "hero_editorial": Preset("hero", "Editorial", "drift", "fade_white", 0.6, 4.5, "label"),
        "overlay_spotlight": Preset("overlay", "Spotlight", "rest", "crossfade", 0.4, 3.5, "headline"),
        "overlay_backdrop": Preset("overlay", "Backdrop", "drift", "crossfade", 0.5, 4.0, "headline"),
        "overlay_split": Preset("overlay", "Split", "rest", "wipe", 0.4, 3.5, "headline", lively=True),
        "meme_classic": Preset("meme", "Classic", "rest", "cut", 0.0, 4.0, "meme"),
        "meme_bars": Preset("meme", "Bars", "rest", "cut", 0.0, 4.0, "bars"),
        "meme_caption": Preset("meme", "Caption", "punch", "cut", 0.0, 3.0, "caption_meme"),
    }
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its place on the timeline in frames, its material, its line."""

    index: int
    start: int
    end: int
    material: Material
    line: str

    @property
    def frames(self) -> int:
        return self.end - self.start


def assemble(preset: str, request: Request) -> dict[str, Any]:
    """The RenderSpec as JSON values. Raises ``CannotAssemble`` with what is missing."""
    chosen = PRESETS.get(preset)
    if chosen is None:
        raise CannotAssemble(f"There is no preset {preset!r}; use one of {', '.join(PRESETS)}.")
    _refuse_impossible(chosen, request)
    slots = _slots(chosen, request)
    ground = [_segment(slot, chosen, request) for slot in slots]
    overlays: list[dict[str, Any]] = []
    cues: list[dict[str, Any]] = []
    for slot in slots:
        shown, spoken = WORDS[chosen.words](slot, request)
        overlays += [*_subject(slot, chosen, request), *shown]
        cues += spoken
    spec: dict[str, Any] = {
        "version": "1.0",
        "archetype": chosen.archetype,
        "output": dict(request.output),
        "duration_frames": request.frames,
        "assets": _assets(request, chosen, slots),
        "segments": ground,
        "captions": {"mode": "burned", "style": "meme" if chosen.archetype == "meme" else "plate", "cues": cues},
        "overlays": [*overlays, *_logo(request)],
        "audio": _audio(request),
        "marks": {"simulated": request.simulated},
        "constraints": {"brand_safe": request.brand_safe},
    }
    if chosen.words == "caption" and request.look.font:
        spec["captions"]["font"] = request.look.font
    return spec


def _refuse_impossible(preset: Preset, request: Request) -> None:
    if not request.materials:
        raise CannotAssemble("There is no picture or film: add at least one.")
    if not request.copy.lines:
        raise CannotAssemble("There are no words: give at least a hook.")
    if preset.lively and request.brand_safe:
        calm = ", ".join(name for name, one in PRESETS.items() if one.archetype == preset.archetype and not one.lively)
        raise CannotAssemble(f"The preset {preset.label!r} is too lively for brand-safe work: use {calm}.")
    if request.seconds < MIN_SECONDS:
        raise CannotAssemble(f"{request.seconds:g} s are too short: use {MIN_SECONDS} s or more.")
    if preset.archetype == "overlay" and not any(item.stands_free for item in request.materials):
        raise CannotAssemble("An overlay needs a picture with a transparent ground: add a cut-out product picture.")


def _slots(preset: Preset, request: Request) -> list[Slot]:
    """As many slots as tempo, words and pictures ask for; each cut is rounded from its own absolute place."""
    wanted = max(len(request.copy.lines), len(_subjects(preset, request)), round(request.seconds / preset.slot_s))
    most = min(int(request.seconds / MIN_SECONDS), max(LOOPS * len(request.materials), len(request.copy.lines)))
    count = max(1, min(wanted, most))
    subjects, lines = _subjects(preset, request), _spread(request.copy.lines, count)
    out = []
    for index in range(count):
        start, end = request.frames * index // count, request.frames * (index + 1) // count
        out.append(Slot(index, start, end, subjects[index % len(subjects)], lines[index]))
    return out


def _subjects(preset: Preset, request: Request) -> list[Material]:
    if preset.archetype == "overlay":
        return [item for item in request.materials if item.stands_free]
    whole = [item for item in request.materials if not item.cutout]
    return whole or list(request.materials)


def _spread(lines: tuple[str, ...], count: int) -> list[str]:
    """One line a slot, hook first and call to action last; lines that are too many share a slot."""
    if len(lines) <= count:
        places = {round(index * (count - 1) / max(1, len(lines) - 1)): line for index, line in enumerate(lines)}
        out, last = [], lines[0]
        for index in range(count):
            last = places.get(index, last)
            out.append(last)
        return out
    return [" ".join(lines[len(lines) * index // count : len(lines) * (index + 1) // count]) for index in range(count)]


def _segment(slot: Slot, preset: Preset, request: Request) -> dict[str, Any]:
    look = request.look
    backdrop = _backdrop(preset, request)
    if (preset.archetype == "overlay" and backdrop is None) or preset.words == "bars":
        light = preset.words == "bars"
        split = preset.label == "Split"
        colours = {"from": look.accent, "to": look.ground} if split else {"from": look.ground, "to": look.ground_to}
        colours = {"from": "#ffffff"} if light else colours
        segment: dict[str, Any] = {"type": "text", "background": colours}
    else:
        segment = _picture(backdrop or slot.material, slot, preset, request)
    if backdrop is not None:
        segment["fit"] = {"mode": "blurred"}
    segment["duration_frames"] = slot.frames
    frames = min(round(preset.transition_s * request.fps), slot.frames // 3)
    if slot.index and frames and preset.transition != "cut":
        segment["transition"] = {"type": preset.transition, "frames": frames}
    return segment


def _backdrop(preset: Preset, request: Request) -> Material | None:
    """The picture behind a cut-out, where the preset wants one and there is one."""
    if preset.archetype != "overlay" or preset.move == "rest":
        return None
    return next((item for item in request.materials if not item.stands_free), None)


def _picture(material: Material, slot: Slot, preset: Preset, request: Request) -> dict[str, Any]:
    material = _leaving_room(material, slot, preset, request)
    segment: dict[str, Any] = {"type": material.kind, "asset": material.asset}
    if material.fit:
        segment["fit"] = dict(material.fit)
    if material.subject and not material.subject.is_empty:
        segment["subject"] = asdict(material.subject)
    moves = MOVES[preset.move]
    start, end = moves[slot.index % len(moves)]
    if material.kind == "image" and start != end:
        start, end = kept_in_view(start, end, material.subject)
        if request.look.logo and material.subject:
            start, end = _under_logo(start, material.subject), _under_logo(end, material.subject)
        if request.brand_safe:
            start, end = calmed(start, end, slot.frames / request.fps)
        segment["motion"] = {"from": start, "to": end, "ease": "in_out"}
    return segment


def _leaving_room(material: Material, slot: Slot, preset: Preset, request: Request) -> Material:
    """The material smaller, where captions would cover its subject."""
    if preset.words != "caption" or material.kind != "image":
        return material
    moves = MOVES[preset.move]
    closest = max(window.get("zoom", 1.0) for window in moves[slot.index % len(moves)])
    return leaving_room(material, request.output, closest)


def _under_logo(window: dict[str, float], subject: Box) -> dict[str, float]:
    """The window about the subject's upper edge, which then stays where it is and does not grow into a logo above it;
    the window itself where that would cut the subject's foot."""
    foot = subject.top + (1 - subject.top) / window["zoom"]
    return window | {"y": round(subject.top, 4)} if subject.bottom <= foot else window


def _subject(slot: Slot, preset: Preset, request: Request) -> list[dict[str, Any]]:
    """The cut-out product of an overlay, or the picture between a meme's bars."""
    span = {"start_frame": slot.start, "end_frame": slot.end}
    picture = {"type": "image", "asset": slot.material.asset, "area": "frame"} | span
    shape = _shape(request)
    if preset.archetype == "overlay":
        place, width, height = SUBJECTS[shape]
        place = {"bottom": "bottom_right"}.get(place, place) if preset.label == "Split" else place
        return [picture | {"place": place, "size": width, "max_height": height, "shadow": True, "fade_frames": 8}]
    if preset.words == "bars" and slot.material.kind == "image":
        height = {"tall": 0.66, "square": 0.68, "wide": 0.72}[shape]
        return [picture | {"place": "bottom", "size": 0.9, "max_height": height}]
    return []


SUBJECTS = MappingProxyType(
    {"tall": ("bottom", 0.8, 0.54), "square": ("right", 0.5, 0.86), "wide": ("right", 0.5, 0.86)}
)
"""Where a cut-out stands and how much of the frame's width and height it may take, by the frame's shape. Beside words
it keeps to its half."""


def _shape(request: Request) -> str:
    ratio = request.output["width"] / request.output["height"]
    return "tall" if ratio < 0.7 else "square" if ratio < 1.3 else "wide"


Shown = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _as_caption(slot: Slot, request: Request) -> Shown:
    return [], [{"start_frame": slot.start + 3, "end_frame": slot.end, "text": slot.line}]


def _as_headline(slot: Slot, request: Request) -> Shown:
    """Over whole pictures at the bottom; beside or above a cut-out."""
    if not slot.material.stands_free:
        return [_words(slot, request, "headline", slot.material.words or "bottom")], []
    if _shape(request) == "tall":
        return [_words(slot, request, "headline", "top")], []
    return [_words(slot, request, "headline", "left") | {"max_width": 0.44}], []


def _as_label(slot: Slot, request: Request) -> Shown:
    place = "top_left" if slot.material.words == "top" else "bottom_left"
    return [_words(slot, request, "label", place) | {"plate": request.look.ground}], []


def _as_meme(slot: Slot, request: Request) -> Shown:
    """Two halves, top and bottom: where the line has two sentences or clauses, else only the bottom."""
    top, bottom = _halves(slot.line)
    shown = [_words(slot, request, "meme", "bottom") | {"text": bottom, "fade_frames": 0}]
    if top:
        shown.append(_words(slot, request, "meme", "top") | {"text": top, "fade_frames": 0})
    return shown, []


def _as_bar(slot: Slot, request: Request) -> Shown:
    words = _words(slot, request, "headline", "top") | {
        "color": "#111111",
        "fade_frames": 0,
        "plate": "#ffffff",
        "size": 0.046,
    }
    return [words], []


WORDS: Mapping[str, Callable[[Slot, Request], Shown]] = MappingProxyType(
    {
        "caption": _as_caption,
        "caption_meme": _as_caption,
        "headline": _as_headline,
        "label": _as_label,
        "meme": _as_meme,
        "bars": _as_bar,
    }
)


def _words(slot: Slot, request: Request, style: str, place: str) -> dict[str, Any]:
    words = {"type": "text", "text": slot.line, "style": style, "place": place, "color": request.look.text}
    if request.look.font and style != "meme":
        words["font"] = request.look.font
    return words | {"start_frame": slot.start, "end_frame": slot.end}


def _halves(line: str) -> tuple[str, str]:
    for mark in (". ", "! ", "? ", ": ", ", ", " – "):
        first, found, second = line.partition(mark)
        if found and second.strip():
            return (first + mark).strip(" ,:–"), second.strip()
    return "", line


def _logo(request: Request) -> list[dict[str, Any]]:
    if not request.look.logo:
        return []
    beside = _shape(request) != "tall" and any(item.stands_free for item in request.materials)
    place, size = ("top_left" if beside else "top_right"), (0.2 if _shape(request) != "wide" else 0.13)
    return [{"type": "image", "asset": request.look.logo, "place": place, "size": size}]


def _audio(request: Request) -> dict[str, Any]:
    audio: dict[str, Any] = {}
    if request.music:
        audio["bed"] = {"asset": request.music}
    if request.voice:
        audio["voice"] = [{"asset": request.voice}]
    return audio


def _assets(request: Request, preset: Preset, slots: list[Slot]) -> dict[str, Any]:
    used = {slot.material.asset: slot.material.kind for slot in slots}
    backdrop = _backdrop(preset, request)
    if backdrop:
        used[backdrop.asset] = backdrop.kind
    others = (
        (request.look.logo, "image"),
        (request.look.font, "font"),
        (request.music, "audio"),
        (request.voice, "audio"),
    )
    used |= {asset: kind for asset, kind in others if asset}
    return {asset: {"kind": kind} for asset, kind in used.items()}
