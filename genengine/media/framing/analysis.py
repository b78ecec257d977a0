"""What is seen in a file, once a content: one look at a picture, several at a film, with its cuts.

The result depends on the bytes, on the models that are here and on this code, and is kept by exactly that key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.pictures import load_rgb, load_rgba
from genengine.media.framing.boxes import Box
from genengine.media.framing.films import Glance, glances
from genengine.media.framing.sight import Sight, look
from genengine.media.models.registry import fingerprint
from genengine.media.native.build import cache_folder
from genengine.media.store import Store

METHOD = "5"
"""Raise it whenever the same file would be seen differently."""

LIMIT = 64 << 20
SAME, NEWS = 0.6, 16.0
"""Mean change of 64 × 64 small pixels, of 255: below the first nothing has changed, above the second a look is due."""

MOVED = 0.05
"""Shares of the picture by which a box may move between two looks before one between them is due."""

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
    film = glances(path, seconds)
    shots = sorted({glance.shot for glance in film.glances})
    moments = [moment for shot in shots for moment in _shot([g for g in film.glances if g.shot == shot])]
    return Analysis(film.width, film.height, tuple(moments), film.cuts_s)


def _shot(taken: Sequence[Glance]) -> list[Moment]:
    """Both ends and the middle of a shot are looked at; between two looks, only where something has moved or come.

    A look takes as long as encoding some twenty frames, and most shots are told by three.
    """
    tiny = [cv2.resize(one.rgb, (64, 64), interpolation=cv2.INTER_AREA).astype(np.int16) for one in taken]
    sights: dict[int, Sight] = {}

    def see(index: int) -> Sight:
        if index not in sights:
            before = max((known for known in sights if known < index), default=None)
            same = before is not None and _change(tiny[before], tiny[index]) < SAME
            sights[index] = sights[before] if same and before is not None else look(taken[index].rgb)
        return sights[index]

    def bisect(first: int, last: int) -> None:
        between = range(first + 1, last)
        if between and not (
            _alike(see(first), see(last))
            and all(min(_change(tiny[first], tiny[i]), _change(tiny[last], tiny[i])) < NEWS for i in between)
        ):
            middle = (first + last) // 2
            see(middle)
            bisect(first, middle)
            bisect(middle, last)

    for index in sorted({0, (len(taken) - 1) // 2, len(taken) - 1}):
        see(index)
    for first, last in pairwise(sorted(sights)):
        bisect(first, last)
    return [Moment(round(taken[i].at_s, 4), taken[i].shot, sights[i]) for i in sorted(sights)]


def _change(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    return float(np.abs(one - other).mean())


def _alike(one: Sight, other: Sight) -> bool:
    """The same things in about the same places."""
    if len(one.faces) != len(other.faces) or (one.subject is None) != (other.subject is None):
        return False
    boxes = [(one.subject, other.subject), *zip(one.faces, other.faces, strict=True)]
    return all(
        max(abs(getattr(a, side) - getattr(b, side)) for side in ("left", "top", "right", "bottom")) < MOVED
        for a, b in boxes
        if a is not None and b is not None
    )


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
