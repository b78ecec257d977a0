"""The local engine: a clip made on this machine by the video compiler, free, with no key and no network.

It builds a RenderSpec of one clip: the given pictures in slow camera moves, a given video covering the frame,
or a text card when there is neither. It invents no picture; what it makes is what it was given.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import genengine.media as engine
from genengine.media.version import ENGINE_VERSION
from providers.base import InProcessEngine
from providers.errors import InvalidRequest, Transient, Unsupported
from providers.values import (
    Artefact,
    Facts,
    Feature,
    Finished,
    Free,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    SecondsRange,
    Task,
    ratio_value,
    resolution_lines,
)

FPS = 30
STILLS = (InputRole.FIRST_FRAME, InputRole.REFERENCE, InputRole.STYLE)
OPTIONS = frozenset({"headline", "body", "color", "accent", "background_from", "background_to", "focus"})
PALETTES = (("#14213d", "#2b4a7a"), ("#3a1f4d", "#7b3f61"), ("#12372a", "#3f6f52"), ("#4a2511", "#96582b"))

Window = dict[str, float]
MOVES: dict[str, tuple[Window, Window]] = {
    "push_in": ({"zoom": 1.0, "x": 0.5, "y": 0.5}, {"zoom": 1.16, "x": 0.5, "y": 0.48}),
    "pull_out": ({"zoom": 1.18, "x": 0.5, "y": 0.5}, {"zoom": 1.0, "x": 0.5, "y": 0.5}),
    "pan_right": ({"zoom": 1.14, "x": 0.1, "y": 0.5}, {"zoom": 1.14, "x": 0.9, "y": 0.5}),
    "pan_left": ({"zoom": 1.14, "x": 0.9, "y": 0.5}, {"zoom": 1.14, "x": 0.1, "y": 0.5}),
    "tilt_up": ({"zoom": 1.14, "x": 0.5, "y": 0.9}, {"zoom": 1.14, "x": 0.5, "y": 0.1}),
    "tilt_down": ({"zoom": 1.14, "x": 0.5, "y": 0.1}, {"zoom": 1.14, "x": 0.5, "y": 0.9}),
    "drift": ({"zoom": 1.05, "x": 0.35, "y": 0.5}, {"zoom": 1.1, "x": 0.65, "y": 0.45}),
}
CAMERA_WORDS = (
    ("push_in", ("push in", "push-in", "dolly in", "dolly-in", "zoom in", "zooms in", "move in", "closer")),
    ("pull_out", ("pull out", "pull back", "dolly out", "dolly-out", "zoom out", "reveal", "wide shot")),
    ("pan_right", ("pan right", "pans right", "truck right", "left to right")),
    ("pan_left", ("pan left", "pans left", "truck left", "right to left")),
    ("tilt_up", ("tilt up", "tilts up", "pedestal up", "crane up", "rise")),
    ("tilt_down", ("tilt down", "tilts down", "pedestal down", "crane down", "descend", "top down")),
    ("drift", ("static", "locked", "handheld", "still", "orbit", "drift")),
)


class LocalEngine(InProcessEngine):
    """Ken Burns, cover or text card through ``genengine.media.compile``."""

    name = "local"
    label = "Local engine"
    models = (
        ModelCard(
            id="local",
            version=ENGINE_VERSION,
            label="Local engine",
            tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO, Task.VIDEO_TO_VIDEO}),
            durations=SecondsRange(0.5, 60, 0.001),
            ratios=("9:16", "4:5", "1:1", "16:9"),
            resolutions=("720p", "1080p", "360p", "540p"),
            # A negative prompt is kept to by nature: nothing is made that was not given.
            supports=frozenset({Feature.SEED, Feature.NEGATIVE_PROMPT, Feature.PROGRESS, Feature.CANCEL}),
            input_roles=frozenset({*STILLS, InputRole.VIDEO}),
            max_prompt_chars=10_000,
            max_references=8,
            price=Free(),
            speed_s_per_s=1.0,
            quality=4,
            facts=Facts.DOC,
            prices_as_of=date(2026, 11, 21),
            notes="Moves through given pictures and clips; makes no new pictures.",
        ),
    )

    def render(
        self,
        request: GenerationRequest,
        sink: Path,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Finished:
        spec, assets = build_spec(request)
        sink.mkdir(parents=True, exist_ok=True)
        report = _compile(spec, assets, sink / "video-0.mp4", progress, cancelled)
        path = Path(report.path)
        _sync(path)
        artefact = Artefact(path, "video/mp4", report.sha256, path.stat().st_size)
        facts = {"engine": ENGINE_VERSION, "frames": report.frames, "spec": spec}
        return Finished((artefact,), remote_id="", raw=json.loads(json.dumps(facts)))


def _compile(
    spec: dict[str, Any],
    assets: dict[str, Path],
    out: Path,
    progress: Callable[[int, int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> engine.CompileReport:
    """Compile with the contract's errors; ``RenderCancelled`` passes through to whoever asked for it."""
    try:
        return engine.compile(spec, assets, out, progress=progress, cancelled=cancelled)
    except engine.SpecError as error:
        raise InvalidRequest(f"The local engine cannot make this clip: {error}") from error
    except engine.RenderFailed as error:
        raise Transient(f"The local engine failed: {error}") from error


def build_spec(request: GenerationRequest) -> tuple[dict[str, Any], dict[str, Path]]:
    """The RenderSpec of one clip and the files it names; the same request gives the same spec."""
    unknown = set(request.options) - OPTIONS
    if unknown:
        raise Unsupported(f"The local engine knows no option {', '.join(sorted(unknown))}; remove it.")
    frames = round(request.duration_s * FPS)
    if frames < 1:
        raise InvalidRequest("The local engine needs a length of at least one frame.")
    width, height = picture_size(request.ratio or "16:9", request.resolution or "720p")
    videos = [item for item in request.inputs if item.role is InputRole.VIDEO]
    stills = [item for item in request.inputs if item.role in STILLS]
    chosen = videos[:1] or stills
    names = {f"input{index}": item for index, item in enumerate(chosen)}
    spec = {
        "version": "1.0",
        "output": {"width": width, "height": height, "fps": FPS, "preset": "veryfast", "crf": 18},
        "assets": {name: _asset(item) for name, item in names.items()},
        "segments": _segments(request, names, frames),
        "metadata": {"title": "clip", "comment": f"seed {request.seed or 0}"},
    }
    return spec, {name: item.path for name, item in names.items()}


def picture_size(ratio: str, resolution: str) -> tuple[int, int]:
    """Even width and height: the resolution is the shorter side."""
    lines, shape = resolution_lines(resolution), ratio_value(ratio)
    width, height = (lines * shape, lines) if shape >= 1 else (lines, lines / shape)
    return round(width / 2) * 2, round(height / 2) * 2


def _asset(item: InputAsset) -> dict[str, str]:
    return {"kind": "video" if item.role is InputRole.VIDEO else "image", "sha256": item.sha256}


def _segments(request: GenerationRequest, names: Mapping[str, InputAsset], frames: int) -> list[dict[str, Any]]:
    if not names:
        return [_card(request, frames)]
    if next(iter(names.values())).role is InputRole.VIDEO:
        only = next(iter(names))
        return [{"type": "video", "asset": only, "duration_frames": frames, "when_short": "loop", "fit": _fit(request)}]
    shares = _shares(frames, len(names))
    return [_still(request, name, index, share) for index, (name, share) in enumerate(zip(names, shares, strict=False))]


def _shares(frames: int, pictures: int) -> list[int]:
    """Frames of each picture, at least a second each while there is room; they add up exactly."""
    count = max(1, min(pictures, frames // FPS))
    return [frames * (index + 1) // count - frames * index // count for index in range(count)]


def _still(request: GenerationRequest, name: str, index: int, frames: int) -> dict[str, Any]:
    start, end = MOVES[choose_move(request.prompt, request.seed, index)]
    segment: dict[str, Any] = {
        "type": "image",
        "asset": name,
        "duration_frames": frames,
        "fit": _fit(request),
        "motion": {"from": start, "to": end, "ease": "in_out"},
    }
    if index:
        segment["transition"] = {"type": "crossfade", "frames": min(12, max(1, frames // 3))}
    return segment


def choose_move(prompt: str, seed: int | None, index: int = 0) -> str:
    """The camera move the words ask for, else one the seed picks; later pictures of a clip vary."""
    words = prompt.lower()
    if index == 0:
        for move, phrases in CAMERA_WORDS:
            if any(phrase in words for phrase in phrases):
                return move
    dice = random.Random(f"{seed or 0}:{index}")
    return dice.choice(sorted(set(MOVES) - {"drift"}))


def _fit(request: GenerationRequest) -> dict[str, Any]:
    focus = request.options.get("focus") or {}
    point = {"x": float(focus.get("x", 0.5)), "y": float(focus.get("y", 0.5))}
    return {"mode": "crop", "focus": point}


def _card(request: GenerationRequest, frames: int) -> dict[str, Any]:
    """A card with the given headline, else with the prompt's first sentence."""
    options = request.options
    first, last = PALETTES[(request.seed or 0) % len(PALETTES)]
    card: dict[str, Any] = {
        "type": "text",
        "headline": str(options.get("headline") or _first_sentence(request.prompt)),
        "duration_frames": frames,
        "background": {
            "from": str(options.get("background_from") or first),
            "to": str(options.get("background_to") or last),
        },
    }
    card.update({name: str(options[name]) for name in ("body", "color", "accent") if options.get(name)})
    return card


def _first_sentence(prompt: str) -> str:
    text = " ".join(prompt.split())
    ends = [place for mark in ".!?\n" if (place := text.find(mark)) > 0]
    sentence = text[: min(ends) + 1] if ends else text
    return sentence if len(sentence) <= 80 else sentence[:80].rsplit(" ", 1)[0] + " …"


def _sync(path: Path) -> None:
    """A finished clip must outlive a power cut: the attempt is settled on it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
