"""Render one piece: a pure function of what its key lists, so its packets can be kept and reused."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from genengine.media.builds import tool_builds
from genengine.media.compose.encoder import Packet, PieceEncoder
from genengine.media.compose.graphics import Graphic, draw
from genengine.media.compose.planes import Frame, empty_frame
from genengine.media.compose.sources import Source, Studio
from genengine.media.compose.timeline import Piece
from genengine.media.compose.transitions import mix
from genengine.media.errors import RenderCancelled
from genengine.media.spec.model import ImageSegment, RenderSpec, TextSegment, VideoSegment


@dataclass(frozen=True, slots=True)
class Encoded:
    """The packets of a piece and the parameter sets that all pieces of a file share."""

    header: bytes
    packets: tuple[Packet, ...]


def piece_key(piece: Piece, spec: RenderSpec, plans: list[Graphic], digests: Mapping[str, str]) -> str:
    """SHA-256 of everything the piece depends on; times relative to the piece, so that moving it changes nothing."""
    described = {
        "tools": tool_builds(),
        "output": asdict(spec.output) | {"fps": str(spec.output.fps), "loudness_lufs": 0, "true_peak_dbtp": 0},
        "length": piece.length,
        "slots": [
            _slot(spec, index, piece.start, digests) for index in (piece.before, piece.slot) if index is not None
        ],
        "mixed": piece.before is not None,
        "graphics": [_relative(plan, piece, digests) for plan in plans],
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()


def render_piece(
    piece: Piece,
    spec: RenderSpec,
    studio: Studio,
    plans: list[Graphic],
    files: Mapping[str, Path],
    *,
    on_frame: Callable[[], None],
    stop: threading.Event,
) -> Encoded:
    """Compose and encode every frame of the piece."""
    encoder = PieceEncoder(spec.output)
    size = (spec.output.width, spec.output.height)
    layers = [draw(plan, spec, files) for plan in plans]
    starts = spec.slot_starts
    source = studio.open(piece.slot, piece.start - starts[piece.slot])
    before = studio.open(piece.before, piece.start - starts[piece.before]) if piece.before is not None else None
    frame, other = empty_frame(*size), empty_frame(*size)
    try:
        for number in range(piece.start, piece.end):
            if stop.is_set():
                raise RenderCancelled
            _compose(number, piece, spec, source, before, frame, other)
            for layer in layers:
                if strength := layer.strength(number):
                    layer.blend(frame, size, strength)
            encoder.add(frame)
            on_frame()
    finally:
        source.close()
        if before is not None:
            before.close()
    encoder.finish()
    return Encoded(encoder.header, tuple(encoder.packets))


def compose_frame(
    number: int, piece: Piece, spec: RenderSpec, studio: Studio, plans: list[Graphic], files: Mapping[str, Path]
) -> Frame:
    """One finished frame without encoding it: for the thumbnail and for contact sheets."""
    size = (spec.output.width, spec.output.height)
    starts = spec.slot_starts
    frame, other = empty_frame(*size), empty_frame(*size)
    source = studio.open(piece.slot, number - starts[piece.slot])
    before = studio.open(piece.before, number - starts[piece.before]) if piece.before is not None else None
    try:
        _compose(number, piece, spec, source, before, frame, other)
    finally:
        source.close()
        if before is not None:
            before.close()
    for plan in plans:
        layer = draw(plan, spec, files)
        if strength := layer.strength(number):
            layer.blend(frame, size, strength)
    return frame


def visible(plans: list[Graphic], start: int, end: int) -> list[Graphic]:
    """The graphics that show in frames ``start`` … ``end`` (excluded)."""
    return [plan for plan in plans if plan.start < end and plan.end > start]


def _compose(
    number: int, piece: Piece, spec: RenderSpec, source: Source, before: Source | None, frame: Frame, other: Frame
) -> None:
    starts = spec.slot_starts
    if before is None or piece.before is None:
        source.draw(number - starts[piece.slot], frame)
        return
    before.draw(number - starts[piece.before], frame)
    source.draw(number - starts[piece.slot], other)
    transition = spec.segments[piece.slot].transition
    mix(frame, other, transition, number - starts[piece.slot], (spec.output.width, spec.output.height))


def _slot(spec: RenderSpec, index: int, piece_start: int, digests: Mapping[str, str]) -> dict[str, Any]:
    """A slot as the piece sees it. Its length counts only where the picture moves by it."""
    segment = spec.segments[index]
    described = asdict(segment) | {"kind": type(segment).__name__, "from": piece_start - spec.slot_starts[index]}
    if isinstance(segment, ImageSegment | VideoSegment):
        described["asset"] = digests[segment.asset]
        described["length"] = segment.duration_frames + spec.run_on(index) if segment.motion.moves else 0
    if isinstance(segment, TextSegment):
        described["length"] = 0
        described |= {name: digests.get(described[name] or "", "") for name in ("font", "body_font")}
    for name in ("sound_gain_db", "subject"):  # neither is seen; where it moves words, they say so themselves
        described.pop(name, None)
    del described["duration_frames"]
    return described


def _relative(plan: Graphic, piece: Piece, digests: Mapping[str, str]) -> dict[str, Any]:
    reach = plan.fade + 1
    start = max(plan.start - piece.start, -reach)
    end = min(plan.end - piece.start, piece.length + reach)
    moved = replace(plan, start=start, end=end)
    names = {"image": digests.get(plan.image, ""), "font": digests.get(plan.font or "", "")}
    return asdict(moved) | names
