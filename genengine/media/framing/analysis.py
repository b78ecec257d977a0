"""What is seen in a file, once a content: one look at a picture, several at a film, with its cuts.

The result depends on the bytes, on the models that are here and on this code, and is kept by exactly that key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.pictures import load_rgb, load_rgba
from genengine.media.framing.boxes import Box
from genengine.media.framing.films import glances
from genengine.media.framing.sight import Sight, look
from genengine.media.models.registry import fingerprint
from genengine.media.native.build import cache_folder
from genengine.media.store import Store

METHOD = "4"
"""Raise it whenever the same file would be seen differently."""

LIMIT = 64 << 20
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Moment:
    """One look: at ``at_s`` seconds, in which shot (counted from 0)."""

    at_s: float
    shot: int
    sight: Sight


@dataclass(frozen=True, slots=True)
class Analysis:
    """``width`` × ``height`` as displayed; a picture has one moment. ``cuts_s`` are the first times of later shots."""

    width: int
    height: int
    moments: tuple[Moment, ...]
    cuts_s: tuple[float, ...] = ()

    @property
    def ratio(self) -> float:
        """Width by height."""
        return self.width / self.height


def analyse(
    path: Path, *, kind: str = "image", cache_dir: Path | None = None, seconds: float | None = None
) -> Analysis:
    """Look at a picture or film, of a film at its first ``seconds``: what is not shown does not count. ``cache_dir``
    defaults to the user's cache folder. Raises ``RenderFailed`` for a file that cannot be read."""
    store = Store(Path(cache_dir) if cache_dir else cache_folder() / "analysis", LIMIT)
    key = _key(path, kind, seconds)
    known = _read(store.get(key, "json"))
    if known is not None:
        return known
    seen = _film(path, seconds) if kind == "video" else _picture(path)
    store.put(key, "json", json.dumps(asdict(seen), separators=(",", ":")).encode())
    store.evict()
    return seen


def _picture(path: Path) -> Analysis:
    rgb = load_rgb(path)
    return Analysis(rgb.shape[1], rgb.shape[0], (Moment(0.0, 0, look(rgb, _alpha(path))),))


def _alpha(path: Path) -> NDArray[np.uint8] | None:
    """A PNG's transparency; other kinds that carry one are seen on the ground that they are drawn on."""
    with path.open("rb") as file:
        if file.read(8) != PNG:
            return None
    return np.asarray(load_rgba(path).getchannel("A"))


def _film(path: Path, seconds: float | None) -> Analysis:
    """A glance that shows what the one before showed is not looked at again."""
    film = glances(path, seconds)
    moments: list[Moment] = []
    before: NDArray[np.uint8] | None = None
    for glance in film.glances:
        tiny = np.asarray(cv2.resize(glance.rgb, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
        same = before is not None and moments and float(np.abs(tiny.astype(int) - before.astype(int)).mean()) < 0.6
        sight = moments[-1].sight if same else look(glance.rgb)
        before = before if same else tiny
        moments.append(Moment(round(glance.at_s, 4), glance.shot, sight))
    return Analysis(film.width, film.height, tuple(moments), film.cuts_s)


def _key(path: Path, kind: str, seconds: float | None) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    part = f"{kind} of {seconds:.3f} s" if seconds is not None else kind
    words = ["analysis", METHOD, part, content, cv2.__version__, fingerprint("u2netp", "yunet")]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _read(data: bytes | None) -> Analysis | None:
    if data is None:
        return None
    try:
        values = json.loads(data)
        moments = tuple(Moment(item["at_s"], item["shot"], _sight(item["sight"])) for item in values["moments"])
        return Analysis(values["width"], values["height"], moments, tuple(values["cuts_s"]))
    except (ValueError, KeyError, TypeError):
        return None


def _sight(values: Mapping[str, Any]) -> Sight:
    subject = Box(**values["subject"]) if values["subject"] else None
    faces = tuple(Box(**face) for face in values["faces"])
    left, top, right, bottom = values["busy"]
    profiles = tuple(values["columns"]), tuple(values["rows"])
    return Sight(subject, faces, *profiles, values["found_by"], (left, top, right, bottom))
