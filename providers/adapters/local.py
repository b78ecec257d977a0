"""The local engine: a clip made on this machine by the video compiler, free, with no key and no network.

It builds a RenderSpec of one clip: the given pictures in slow camera moves, a given video covering the frame,
or a text card when there is neither. It invents no picture; what it makes is what it was given.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import genengine.media as engine
from genengine.media.remote.choice import Engines, EnginesFailed, Switch
from genengine.media.remote.engine import Order
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

if TYPE_CHECKING:
    from genengine.media.framing import Box

FPS = 30
STILLS = (InputRole.FIRST_FRAME, InputRole.REFERENCE, InputRole.STYLE)
OPTIONS = frozenset({"headline", "body", "color", "accent", "background_from", "background_to", "focus", "look"})
OVERLAYS = frozenset({"overlay_spotlight", "overlay_backdrop", "overlay_split"})
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
STRONG_MOVES: tuple[tuple[Window, Window], ...] = (
    ({"zoom": 1.0, "x": 0.5, "y": 0.5}, {"zoom": 1.36, "x": 0.5, "y": 0.45}),
    ({"zoom": 1.36, "x": 0.6, "y": 0.5}, {"zoom": 1.0, "x": 0.4, "y": 0.5}),
)
"""For looks whose preset punches in, in turn; as much of them as brand-safe work allows in the time there is."""

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

    def __init__(
        self,
        *,
        engines: Engines | None = None,
        policy: str = "local_preferred",
        key: str = "",
        on_switch: Callable[[Switch], None] | None = None,
    ) -> None:
        """``engines`` are this machine and, where there is one, the remote engine; ``policy`` chooses between them.

        ``key`` tells this work from equal work of somebody else; ``on_switch`` hears of a change of engine.
        """
        self.engines, self.policy, self.key, self.on_switch = engines or Engines(), policy, key, on_switch

    def render(
        self,
        request: GenerationRequest,
        sink: Path,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Finished:
        sink.mkdir(parents=True, exist_ok=True)
        spec, assets = _set_spec(request, sink) or build_spec(request)
        spec["constraints"] = {**spec.get("constraints", {}), "engine_policy": self.policy}
        order = Order(spec, assets, key=_order_key(self.key, spec))
        try:
            rendered = self.engines.render(
                order, sink / "video-0.mp4", progress=progress, cancelled=cancelled, on_switch=self.on_switch
            )
        except engine.SpecError as error:
            raise InvalidRequest(f"The local engine cannot make this clip: {error}") from error
        except EnginesFailed as error:
            raise Transient(f"No engine could make this clip: {error}") from error
        return _finished(spec, rendered.report, rendered.facts())

    def stand_in(
        self,
        request: GenerationRequest,
        sink: Path,
        reason: str,
        cancelled: Callable[[], bool] | None = None,
    ) -> Finished:
        """The plainest clip of the asked size and length: the first picture, standing still, else a card with words.

        It is made here whatever the policy says, since it only stands in: it uses no decoder but that of still pictures
        and no other program. ``reason`` says why the clip itself could not be made, and is kept with it.
        """
        sink.mkdir(parents=True, exist_ok=True)
        failed: Exception | None = None
        for spec, assets in stand_in_specs(request):
            try:
                report = engine.compile(spec, assets, sink / "video-0.mp4", cancelled=cancelled)
            except engine.RenderCancelled:
                raise
            except (engine.MediaError, OSError, ValueError) as error:
                failed = error
                continue
            return _finished(spec, report, {"engine_used": "stand_in", "fallback": {"reason": reason}})
        raise Transient(f"Not even a plain stand-in could be made: {failed}") from failed


def _order_key(own: str, spec: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([own, spec], sort_keys=True).encode()).hexdigest()


def _finished(spec: dict[str, Any], report: engine.CompileReport, facts: dict[str, Any]) -> Finished:
    path = Path(report.path)
    _sync(path)
    artefact = Artefact(path, "video/mp4", report.sha256, path.stat().st_size)
    raw = {"engine": ENGINE_VERSION, "frames": report.frames, "spec": spec, **facts}
    return Finished((artefact,), remote_id="", raw=json.loads(json.dumps(raw)))


def stand_in_specs(request: GenerationRequest) -> list[tuple[dict[str, Any], dict[str, Path]]]:
    """What may stand in for a clip, the better first: its first picture without a move, then a card with its words."""
    frames = max(1, round(request.duration_s * FPS))
    width, height = picture_size(request.ratio or "16:9", request.resolution or "720p")
    base = {
        "version": "1.0",
        "output": {"width": width, "height": height, "fps": FPS, "preset": "veryfast", "crf": 18},
        "metadata": {"title": "clip", "comment": "stand-in"},
    }
    card = base | {"segments": [_card(request, frames)]}
    stills = [item for item in request.inputs if item.role in STILLS][:1]
    if not stills:
        return [(card, {})]
    segment = {"type": "image", "asset": "input0", "duration_frames": frames, "fit": _framing(request, stills[0])[0]}
    still = base | {"assets": {"input0": _asset(stills[0])}, "segments": [segment]}
    return [(still, {"input0": stills[0].path}), (card, {})]


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


def _set_spec(request: GenerationRequest, folder: Path) -> tuple[dict[str, Any], dict[str, Path]] | None:
    """The RenderSpec of a clip whose look sets the product before a ground; None for every other look."""
    look, stills = request.options.get("look"), [item for item in request.inputs if item.role in STILLS]
    if look not in OVERLAYS or not stills:
        return None
    from genengine.media.archetypes import clip as manner  # a picture library: for workers, not for the web
    from genengine.media.archetypes.values import Look

    base, _ = build_spec(request)
    first, last = PALETTES[(request.seed or 0) % len(PALETTES)]
    ground = Look(
        ground=str(request.options.get("background_from") or first),
        ground_to=str(request.options.get("background_to") or last),
    )
    size, frames = (base["output"]["width"], base["output"]["height"]), round(request.duration_s * FPS)
    made = manner.set_clip(str(look), stills[0].path, size, frames, folder, ground)
    assets = {name: {"kind": "image", "sha256": _sha256(path)} for name, path in made.files.items()}
    return base | {"assets": assets, "segments": [made.segment], "overlays": [made.overlay]}, dict(made.files)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        fit = _framing(request, names[only])[0]
        return [{"type": "video", "asset": only, "duration_frames": frames, "when_short": "loop", "fit": fit}]
    shares = zip(names.items(), _shares(frames, len(names)), strict=False)
    return [_still(request, name, item, index, share) for index, ((name, item), share) in enumerate(shares)]


def _shares(frames: int, pictures: int) -> list[int]:
    """Frames of each picture, at least a second each while there is room; they add up exactly."""
    count = max(1, min(pictures, frames // FPS))
    return [frames * (index + 1) // count - frames * index // count for index in range(count)]


def _still(request: GenerationRequest, name: str, item: InputAsset, index: int, frames: int) -> dict[str, Any]:
    from genengine.media.archetypes import PRESETS  # a picture library: for workers, not for the web
    from genengine.media.framing import kept_in_view

    fit, subject = _framing(request, item)
    segment: dict[str, Any] = {"type": "image", "asset": name, "duration_frames": frames, "fit": fit}
    preset = PRESETS.get(str(request.options.get("look", "")))
    strong = preset is not None and preset.move == "punch"
    if preset is None or strong:  # the other looks that a clip is told of hold its pictures still
        usual = MOVES[choose_move(request.prompt, request.seed, index)]
        move = STRONG_MOVES[((request.seed or 0) + index) % len(STRONG_MOVES)] if strong else usual
        start, end = engine.calmed(*kept_in_view(*move, subject), frames / FPS)
        segment["motion"] = {"from": start, "to": end, "ease": "out" if strong else "in_out"}
    if index and not strong:
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


def _framing(request: GenerationRequest, item: InputAsset) -> tuple[dict[str, Any], Box | None]:
    """How a file fills the frame, and where its subject then stands. A focus that a person chose is kept to."""
    if focus := request.options.get("focus"):
        return {"mode": "crop", "focus": {"x": float(focus.get("x", 0.5)), "y": float(focus.get("y", 0.5))}}, None
    size = picture_size(request.ratio or "16:9", request.resolution or "720p")
    kind = "video" if item.role is InputRole.VIDEO else "image"
    try:
        framing = engine.suggest_framing(item.path, *size, kind=kind)
    except (engine.MediaError, OSError):  # what is wrong with the file is for the render to say
        return {"mode": "crop"}, None
    return framing.to_fit(), framing.subject


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
