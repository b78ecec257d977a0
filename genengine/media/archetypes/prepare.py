"""From files to the materials of an archetype: cut-outs, crops, and where words may stand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genengine.media.archetypes.assemble import PRESETS
from genengine.media.archetypes.values import CannotAssemble, Material
from genengine.media.cutout import cut_out
from genengine.media.framing import suggest_framing

MOST_BESIDE = 2
"""Other pictures of an overlay that may serve as its ground."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Materials for a ``Request``, the files that they name, and sentences for the report on what was decided."""

    materials: tuple[Material, ...]
    files: Mapping[str, Path]
    notes: tuple[str, ...]


def prepare(
    preset: str,
    files: Mapping[str, Path],
    size: tuple[int, int],
    folder: Path,
    *,
    kinds: Mapping[str, str] | None = None,
) -> Prepared:
    """Look at pictures and films (asset id → file) and make of them what ``preset`` needs in a frame of ``size``.

    New files are written to ``folder``. ``kinds`` names the films (``video``); everything else is a picture. A photo
    that cannot be cut out well, or on a machine without the model, becomes a card with a shadow, and a note says why.
    Raises ``CannotAssemble`` for an unknown preset, ``RenderFailed`` for a file that cannot be read.
    """
    if preset not in PRESETS:
        raise CannotAssemble(f"There is no preset {preset!r}; use one of {', '.join(PRESETS)}.")
    kinds = kinds or {}
    if PRESETS[preset].archetype != "overlay":
        whole = [_framed(name, path, size, kinds.get(name, "image")) for name, path in files.items()]
        return Prepared(tuple(material for material, _ in whole), dict(files), tuple(note for _, note in whole))
    return _overlay(files, size, folder, kinds)


def _framed(name: str, path: Path, size: tuple[int, int], kind: str) -> tuple[Material, str]:
    framing = suggest_framing(path, *size, kind=kind)
    return Material.framed(name, kind, framing), f"{name}: {framing.why}"


def _overlay(files: Mapping[str, Path], size: tuple[int, int], folder: Path, kinds: Mapping[str, str]) -> Prepared:
    materials: list[Material] = []
    grounds: list[Material] = []
    out, notes = dict(files), []
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        kind = kinds.get(name, "image")
        if kind != "image":
            grounds.append(_framed(name, path, size, kind)[0])
            continue
        cut = cut_out(path, folder / f"cut-{hashlib.sha256(name.encode()).hexdigest()[:16]}.png")
        notes.append(f"{name}: {cut.why}" + ("" if cut.usable else " It is shown as a card."))
        if cut.path is None:
            materials.append(Material(name, card=True))
            continue
        own = f"{name}-cut"
        out[own] = cut.path
        materials.append(Material(own, cutout=True))
        grounds.append(Material(name))
    return Prepared((*materials, *grounds[:MOST_BESIDE]), out, tuple(notes))
