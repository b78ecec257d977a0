"""The acceptance cases of the product's first specification, as RenderSpecs with the sample brand's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from genengine.media import suggest_framing
from genengine.media.archetypes import Copy, Look, Material, Request, assemble, leaving_room
from tests.media.support import CAN, LOGO, MEDIA, RANGE, SQUARE

PHOTOS = MEDIA / "photos"
FILES = {
    "can": CAN,
    "range": RANGE,
    "flatlay": SQUARE,
    "serve": PHOTOS / "product-serve-landscape.jpg",
    "macro": PHOTOS / "product-macro-landscape.jpg",
    "trail": PHOTOS / "outdoor-mountain-trail.jpg",
    "lounge": PHOTOS / "interior-lounge-portrait.jpg",
    "dogs": PHOTOS / "pets-two-dogs-portrait.jpg",
    "cut": PHOTOS / "product-can-cutout.png",
    "logo": LOGO,
    "heading": MEDIA / "brand" / "fonts" / "Montserrat_700Bold.ttf",
    "body": MEDIA / "brand" / "fonts" / "Inter_600SemiBold.ttf",
    "calm": MEDIA / "music" / "calm.opus",
    "upbeat": MEDIA / "music" / "upbeat.opus",
}
BRAND = {
    "colors": ["#0e1b33", "#f2603c", "#19c7b0", "#fff6e8", "#2b4a7a"],
    "fonts": {"headline": "heading", "body": "body"},
    "logo": {"asset": "logo", "places": ["top_right", "top_left", "top"], "min_size": 0.12, "clear_space": 0.2},
}
LOOK = Look(ground="#0e1b33", ground_to="#2b4a7a", accent="#f2603c", logo="logo", font="heading")
FULL, HALF = {"width": 1080, "height": 1920, "channel": "tiktok"}, {"width": 540, "height": 960, "preset": "superfast"}
THIRD = {"width": 360, "height": 640, "preset": "superfast"}
SIX = (
    ("can", "Meet Aurora Cold Brew"),
    ("macro", "Steeped for eighteen hours"),
    ("range", "Three flavours to choose"),
    ("serve", "Pour it over ice"),
    ("trail", "Take it anywhere"),
    ("flatlay", "Order your first six pack"),
)
HERO_TEXT, MEME_TEXT, SALE_TEXT = "Introducing our new product!", "When you realize it's on sale", "50% OFF!"


def material(name: str, output: dict[str, Any]) -> Material:
    """A picture framed on its subject."""
    framing = suggest_framing(FILES[name], output["width"], output["height"])
    return Material.framed(name, "image", framing)


def with_brand(spec: dict[str, Any]) -> dict[str, Any]:
    """The sample brand's rules, and the fonts they name."""
    fonts = {name: {"kind": "font"} for name in ("heading", "body")}
    return spec | {"brand": BRAND, "assets": spec["assets"] | fonts}


def hero(output: dict[str, Any] = FULL) -> dict[str, Any]:
    """One portrait picture, one line, five seconds, brand-safe with the logo."""
    request = Request((material("can", output),), Copy(HERO_TEXT), output, 5.0, LOOK, music="calm")
    return with_brand(assemble("hero_calm", request))


def sequence(output: dict[str, Any] = HALF) -> dict[str, Any]:
    """Three pictures of mixed shapes without words; brand-safe is off, so the transitions may play."""
    segments: list[dict[str, Any]] = []
    for index, name in enumerate(("can", "range", "flatlay")):
        zoom = ({"zoom": 1.0}, {"zoom": 1.12})
        segment = {"type": "image", "asset": name, "duration_frames": 105, "fit": dict(material(name, output).fit)}
        segment["motion"] = {"from": zoom[index % 2], "to": zoom[1 - index % 2]}
        if index:
            segment["transition"] = {"type": "slide" if index == 1 else "wipe", "frames": 14}
        segments.append(segment)
    return {
        "version": "1.0",
        "archetype": "hero",
        "output": output,
        "assets": {name: {"kind": "image"} for name in ("can", "range", "flatlay")},
        "segments": segments,
        "constraints": {"brand_safe": False},
    }


def meme(output: dict[str, Any] = HALF) -> dict[str, Any]:
    """One funny picture under a bar with one line, six seconds."""
    request = Request((Material("dogs"),), Copy(MEME_TEXT), output, 6.0, Look(), music="upbeat")
    return assemble("meme_bars", request)


def overlay(output: dict[str, Any] = HALF) -> dict[str, Any]:
    """The cut-out product on the brand's ground with the offer beside it, seven seconds, brand-safe."""
    request = Request((Material("cut", cutout=True),), Copy(SALE_TEXT), output, 7.0, LOOK, music="upbeat")
    return with_brand(assemble("overlay_spotlight", request))


def minute(output: dict[str, Any] = THIRD) -> dict[str, Any]:
    """Six pictures with a caption each, music all through, exactly sixty seconds."""
    output = output | {"channel": "tiktok"}
    segments: list[dict[str, Any]] = []
    for index, (name, _) in enumerate(SIX):
        shown = leaving_room(material(name, output), output, 1.1)
        segment = {"type": "image", "asset": name, "duration_frames": 300, "fit": dict(shown.fit)}
        segment |= {"subject": asdict(shown.subject)} if shown.subject else {}
        segment["motion"] = {"from": {"zoom": 1.0 + 0.1 * (index % 2)}, "to": {"zoom": 1.1 - 0.1 * (index % 2)}}
        if index:
            segment["transition"] = {"type": "crossfade", "frames": 15}
        segments.append(segment)
    cues = [
        {"start_frame": index * 300 + 15, "end_frame": index * 300 + 285, "text": words}
        for index, (_, words) in enumerate(SIX)
    ]
    return {
        "version": "1.0",
        "archetype": "hero",
        "output": output,
        "assets": {name: {"kind": "image"} for name, _ in SIX} | {"upbeat": {"kind": "audio"}},
        "segments": segments,
        "captions": {"cues": cues},
        "audio": {"bed": {"asset": "upbeat"}},
        "constraints": {"brand_safe": False},
    }


SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    "hero": hero,
    "sequence": sequence,
    "meme": meme,
    "overlay": overlay,
    "minute": minute,
}


def files_of(spec: dict[str, Any]) -> dict[str, Path]:
    return {name: FILES[name] for name in spec["assets"]}
