"""Brand-safe work: calm transitions and movements, the brand's fonts and colours, its logo, only original subjects.

Enforced twice from here: lint tells it, and ``compile`` refuses a spec that breaks it. ``brand_safe`` false lifts all
of it. What needs the layout (the logo's clear space) is in ``compose.clearance``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import (
    Brand,
    ImageOverlay,
    ImageSegment,
    Motion,
    RenderSpec,
    TextOverlay,
    TextSegment,
    VideoSegment,
    Window,
)

CALM = frozenset({"cut", "crossfade", "fade_black", "fade_white"})
CALM_TRAVEL_PER_SECOND = 0.06
"""Of the frame's side: how far any corner of the picture may move in a second, and in a shorter slot altogether."""

SAME_COLOR, GREY_CHROMA = 2.3, 8.0
SUBJECTS = frozenset({"product", "person"})
Windows = Mapping[str, float]


def breaches(spec: RenderSpec) -> Iterator[LintFinding]:
    """Every rule that the spec breaks; nothing when ``brand_safe`` is off."""
    if not spec.constraints.brand_safe:
        return
    yield from _transitions(spec)
    yield from _movements(spec)
    yield from _subjects(spec)
    if spec.brand is not None:
        yield from _fonts(spec, spec.brand)
        yield from _colors(spec, spec.brand)
        yield from _logo(spec, spec.brand)


def too_long(spec: RenderSpec) -> Iterator[LintFinding]:
    """The limit of the spec's own constraints, 60 s unless they say otherwise."""
    seconds, most = float(spec.duration_s), spec.constraints.max_duration_s
    if seconds > most:
        fix = f"Shorten the slots to {most:g} s in total, or raise max_duration_s."
        yield _error("too_long", "$.segments", f"The video is {seconds:.1f} s long.", fix)


def travel(motion: Motion) -> float:
    """Longest way of a corner of the picture over the frame, in fractions of the frame's side."""
    a, b = _edges(motion.start), _edges(motion.end)
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) * max(motion.start.zoom, motion.end.zoom)


def calmed(start: Windows, end: Windows, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """The same move (two ``window`` objects), shortened at its end as far as ``seconds`` need to stay calm."""
    whole = travel(Motion(Window(**start), Window(**end)))
    most = CALM_TRAVEL_PER_SECOND * max(1.0, seconds) * 0.98
    if whole <= most:
        return dict(start), dict(end)
    share = most / whole
    names = [name for name in ("zoom", "x", "y") if name in start or name in end]
    neutral = {"zoom": 1.0, "x": 0.5, "y": 0.5}
    first = {name: start.get(name, neutral[name]) for name in names}
    last = {name: end.get(name, neutral[name]) for name in names}
    near = {name: round(first[name] + (last[name] - first[name]) * share, 5) for name in names}
    while travel(Motion(Window(**first), Window(**near))) > most / 0.98:
        near = {name: round(first[name] + (near[name] - first[name]) * 0.9, 5) for name in names}
    return first, near


def _edges(window: Window) -> tuple[float, float, float, float]:
    side = 1 / window.zoom
    left, top = (1 - side) * window.x, (1 - side) * window.y
    return left, left + side, top, top + side


def _transitions(spec: RenderSpec) -> Iterator[LintFinding]:
    for index, segment in enumerate(spec.segments):
        kind = segment.transition.type.value
        if kind not in CALM:
            fix = "Use cut, crossfade or a fade, or switch brand_safe off."
            yield _error("brand_transition", f"$.segments[{index}].transition", f"A {kind} is not calm.", fix)


def _movements(spec: RenderSpec) -> Iterator[LintFinding]:
    for index, segment in enumerate(spec.segments):
        if not isinstance(segment, ImageSegment | VideoSegment):
            continue
        seconds = float(Fraction(segment.duration_frames + spec.run_on(index)) / spec.output.fps)
        speed = travel(segment.motion) / max(1.0, seconds)
        if speed > CALM_TRAVEL_PER_SECOND:
            message = f"The picture moves by {speed:.1%} of the frame a second; calm is {CALM_TRAVEL_PER_SECOND:.0%}."
            fix = "Move less or more slowly, or switch brand_safe off."
            yield _error("brand_motion", f"$.segments[{index}].motion", message, fix)


def _subjects(spec: RenderSpec) -> Iterator[LintFinding]:
    """Products and people are shown as they were given, and nothing generated is laid over the picture."""
    if spec.constraints.allow_generated_subjects:
        return
    fix = "Use the original file, or set constraints.allow_generated_subjects."
    for name, asset in spec.assets.items():
        if asset.origin == "generated" and asset.shows in SUBJECTS:
            yield _error("brand_generated", f"$.assets.{name}", f"This {asset.shows} was generated.", fix)
    for index, overlay in enumerate(spec.overlays):
        if isinstance(overlay, ImageOverlay) and spec.assets[overlay.asset].origin == "generated":
            path = f"$.overlays[{index}].asset"
            yield _error("brand_generated", path, "An overlay shows a generated picture.", fix)


def _fonts(spec: RenderSpec, brand: Brand) -> Iterator[LintFinding]:
    allowed = {font for font in (brand.headline_font, brand.body_font) if font}
    if not allowed:
        return
    named = [("$.captions.font", spec.captions.font)] if spec.captions.cues else []
    for index, overlay in enumerate(spec.overlays):
        if isinstance(overlay, TextOverlay):
            named.append((f"$.overlays[{index}].font", overlay.font))
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, TextSegment):
            named.append((f"$.segments[{index}].font", segment.font))
    for path, font in named:
        if font not in allowed:
            fix = f"Remove it, or use {' or '.join(sorted(allowed))}."
            yield _error("brand_font", path, f"{font!r} is not a font of the brand.", fix)


def _colors(spec: RenderSpec, brand: Brand) -> Iterator[LintFinding]:
    if not brand.colors:
        return
    for path, color in _used_colors(spec):
        if not _is_brand_color(color, brand.colors):
            fix = f"Use {', '.join(brand.colors)}, white, black or a grey."
            yield _error("brand_color", path, f"{color} is not a colour of the brand.", fix)


def _used_colors(spec: RenderSpec) -> Iterator[tuple[str, str]]:
    if spec.captions.cues and spec.captions.mode == "burned":
        yield "$.captions.color", spec.captions.color
        if spec.captions.style == "karaoke":
            yield "$.captions.accent", spec.captions.accent
    for index, overlay in enumerate(spec.overlays):
        if isinstance(overlay, TextOverlay):
            yield f"$.overlays[{index}].color", overlay.color
            if overlay.plate:
                yield f"$.overlays[{index}].plate", overlay.plate
    for index, segment in enumerate(spec.segments):
        if isinstance(segment, TextSegment):
            yield f"$.segments[{index}].color", segment.color
            if segment.accent:
                yield f"$.segments[{index}].accent", segment.accent
            yield f"$.segments[{index}].background.from", segment.background_from
            yield f"$.segments[{index}].background.to", segment.background_to
        elif segment.bar is not None:
            yield f"$.segments[{index}].bar.color", segment.bar.color


def _is_brand_color(color: str, brand: tuple[str, ...]) -> bool:
    from genengine.media.color import chroma, ciede2000, lab

    asked = lab(_bytes(color))
    if float(chroma(asked)) < GREY_CHROMA:
        return True
    return any(float(ciede2000(asked, lab(_bytes(one)))) <= SAME_COLOR for one in brand)


def _bytes(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _logo(spec: RenderSpec, brand: Brand) -> Iterator[LintFinding]:
    rule = brand.logo
    if rule is None:
        return
    shown = False
    for index, overlay in enumerate(spec.overlays):
        if not isinstance(overlay, ImageOverlay) or overlay.asset != rule.asset:
            continue
        shown, path = True, f"$.overlays[{index}]"
        if rule.places and overlay.place not in rule.places:
            fix = f"Put it {' or '.join(place.value for place in rule.places)}."
            yield _error("brand_logo_place", f"{path}.place", f"The logo stands {overlay.place.value}.", fix)
        if overlay.size < rule.min_size:
            fix = f"Make it at least {rule.min_size:g} of the frame's width."
            yield _error("brand_logo_size", f"{path}.size", f"The logo takes {overlay.size:g} of the width.", fix)
        if overlay.area != "safe":
            fix = "Remove `area` or set it to safe."
            yield _error("brand_logo_place", f"{path}.area", "The logo may leave the safe zone.", fix)
    if not shown and rule.required:
        fix = "Add an image overlay with it, or set brand.logo.required to false."
        yield _error("brand_logo_missing", "$.overlays", f"The logo {rule.asset!r} is not shown.", fix)


def _error(code: str, path: str, message: str, fix: str) -> LintFinding:
    return LintFinding(code, Severity.ERROR, path, message, fix)
