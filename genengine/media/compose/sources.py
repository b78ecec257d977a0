"""What a slot shows, frame by frame, behind one small interface."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from genengine.media.compose.canvas import Canvas, fitted
from genengine.media.compose.card import card_rgb
from genengine.media.compose.film import Film
from genengine.media.compose.geometry import closest_zoom, window_at
from genengine.media.compose.pictures import load_rgb
from genengine.media.compose.planes import Frame, empty_frame, frame_of_rgb, views
from genengine.media.legibility import rgb
from genengine.media.spec.model import Bar, ImageSegment, Motion, Output, RenderSpec, TextSegment, VideoSegment

T = TypeVar("T", Canvas, Frame)

KEPT_CANVASES = 4


class Source(Protocol):
    """Frames of one slot; ``local`` counts from the slot's first frame."""

    def draw(self, local: int, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Still:
    """One frame for the whole slot."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def draw(self, local: int, frame: Frame) -> None:
        frame[:] = self._frame

    def close(self) -> None:
        """Nothing to let go of."""


class Moving:
    """A camera move over a canvas."""

    def __init__(self, canvas: Canvas, motion: Motion, length: int, size: tuple[int, int]) -> None:
        self._canvas, self._motion, self._length, self._size = canvas, motion, length, size

    def draw(self, local: int, frame: Frame) -> None:
        window = window_at(self._motion, local / self._length, self._canvas.width, self._canvas.height)
        self._canvas.draw(window, frame, self._size)

    def close(self) -> None:
        """The canvas belongs to the studio."""


class UnderBar:
    """A source of what is below a plain bar, with the bar above it. ``size`` is the whole frame's."""

    def __init__(self, source: Source, bar: Bar, size: tuple[int, int]) -> None:
        self._source, self._size, self._rows = source, size, bar.rows(size[1])
        ground = np.empty((self._rows, size[0], 3), np.uint8)
        ground[:] = rgb(bar.color)
        self._bar = views(frame_of_rgb(ground), size[0], self._rows)
        self._below = empty_frame(size[0], size[1] - self._rows)

    def draw(self, local: int, frame: Frame) -> None:
        width, height = self._size
        self._source.draw(local, self._below)
        parts = zip(self._bar, views(self._below, width, height - self._rows), strict=True)
        for target, (bar, picture) in zip(views(frame, width, height), parts, strict=True):
            target[: len(bar)], target[len(bar) :] = bar, picture

    def close(self) -> None:
        self._source.close()


class Studio:
    """Opens sources for the pieces of one compile and shares what is dear to make between them (thread-safe)."""

    def __init__(self, spec: RenderSpec, files: Mapping[str, Path]) -> None:
        self._spec, self._files = spec, files
        self._made: OrderedDict[int, Canvas | Frame] = OrderedDict()
        self._locks = [threading.Lock() for _ in spec.segments]
        self._guard = threading.Lock()

    def open(self, index: int, first: int) -> Source:
        """The source of slot ``index`` for local frames from ``first`` on."""
        segment, output = self._spec.segments[index], self._spec.output
        if isinstance(segment, TextSegment):
            return Still(self._shared(index, lambda: frame_of_rgb(card_rgb(segment, output, self._files))))
        if segment.bar is None:
            return self._picture(index, segment, output, first)
        below = replace(output, height=output.height - segment.bar.rows(output.height))
        return UnderBar(self._picture(index, segment, below, first), segment.bar, (output.width, output.height))

    def _picture(self, index: int, segment: ImageSegment | VideoSegment, output: Output, first: int) -> Source:
        """A picture or film that fills ``output``."""
        run_on, size = self._spec.run_on(index), (output.width, output.height)
        if isinstance(segment, VideoSegment):
            return Film(segment, self._files[segment.asset], output, first=first, run_on=run_on)
        zoom = closest_zoom(segment.motion)
        if zoom == 1 and not segment.motion.moves:
            return Still(self._shared(index, lambda: frame_of_rgb(self._fitted(segment, size, 1.0))))
        canvas = self._shared(index, lambda: Canvas(self._fitted(segment, size, zoom)))
        return Moving(canvas, segment.motion, segment.duration_frames + run_on, size)

    def _fitted(self, segment: ImageSegment, size: tuple[int, int], zoom: float) -> NDArray[np.uint8]:
        return fitted(load_rgb(self._files[segment.asset]), size, segment.fit, zoom)

    def _shared(self, index: int, make: Callable[[], T]) -> T:
        """One maker a slot at a time; the least recently used go first."""
        with self._locks[index]:
            with self._guard:
                known = self._made.get(index)
                if known is not None:
                    self._made.move_to_end(index)
                    return known  # type: ignore[return-value]
            made = make()
            with self._guard:
                self._made[index] = made
                while len(self._made) > KEPT_CANVASES:
                    self._made.popitem(last=False)
            return made
