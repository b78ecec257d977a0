"""One compile at work: the pieces, the sound, and the threads that make them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from PIL import Image

from genengine.media.audio.cached import master_cached
from genengine.media.audio.master import Mastered
from genengine.media.compose.cache import keep_piece, known_piece
from genengine.media.compose.graphics import Graphic, graphics
from genengine.media.compose.join import join
from genengine.media.compose.piece import Encoded, compose_frame, piece_key, render_piece, visible
from genengine.media.compose.planes import rgb_of_frame
from genengine.media.compose.sources import Studio
from genengine.media.compose.timeline import Piece, pieces, thumbnail_frame
from genengine.media.errors import RenderCancelled
from genengine.media.spec.model import RenderSpec
from genengine.media.store import Store
from genengine.media.text.fonts import chain

log = logging.getLogger(__name__)
REPORT_EVERY_S = 0.25
GRACE_S = 60.0
"""Every thread looks at ``stop`` between two frames. One that does not within this time cannot be ended from outside;
whoever asked gets the answer all the same, so that the work can go on elsewhere."""

Progress = Callable[[int, int], None]


class Job:
    """One compile: the pieces, the sound, and the threads that make them."""

    def __init__(
        self,
        spec: RenderSpec,
        files: Mapping[str, Path],
        digests: Mapping[str, str],
        store: Store | None,
        workers: int,
    ) -> None:
        self.spec, self.files, self.digests, self.store, self.workers = spec, files, digests, store, workers
        self.plans = graphics(spec, files)
        self.pieces = pieces(spec)
        self.studio = Studio(spec, files)
        self.stop = threading.Event()
        self._done = 0
        self._lock = threading.Lock()

    def run(self, target: Path, progress: Progress | None, cancelled: Callable[[], bool] | None) -> Mastered:
        """Render everything and join it. Longest pieces first, so that the last ones even out the threads."""
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="compose")
        try:
            sound = pool.submit(master_cached, self.spec, self.files, self.digests, self.store, self.stop.is_set)
            order = sorted(self.pieces, key=lambda piece: (-piece.length, piece.start))
            futures = {piece: pool.submit(self._piece, piece) for piece in order}
            self._wait([sound, *futures.values()], progress, cancelled)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # all have ended, or one never will
        mastered = sound.result()
        parts = [
            (piece.start, futures[piece].result().header, futures[piece].result().packets) for piece in self.pieces
        ]
        join(target, self.spec.output, parts, mastered.sound, tags(self.spec))
        return mastered

    def save_thumbnail(self, path: Path) -> None:
        """The first picture at rest, as JPEG."""
        self.still(thumbnail_frame(self.spec)).save(path, quality=90)

    def still(self, number: int) -> Image.Image:
        """One finished frame as it goes to the encoder."""
        piece = next(item for item in self.pieces if item.start <= number < item.end)
        shown = visible(self.plans, number, number + 1)
        frame = compose_frame(number, piece, self.spec, self.studio, shown, self.files)
        return Image.fromarray(rgb_of_frame(frame, self.spec.output.width, self.spec.output.height))

    def warnings(self) -> list[str]:
        """Remarks for the report."""
        return glyph_warnings(self.plans, self.files)

    def _piece(self, piece: Piece) -> Encoded:
        plans = visible(self.plans, piece.start, piece.end)
        key = piece_key(piece, self.spec, plans, self.digests) if self.store else ""
        if self.store and (known := known_piece(self.store, key)):
            self._count(piece.length)
            return known
        rendered = render_piece(piece, self.spec, self.studio, plans, self.files, on_frame=self._count, stop=self.stop)
        if self.store:
            keep_piece(self.store, key, rendered)
        return rendered

    def _count(self, frames: int = 1) -> None:
        with self._lock:
            self._done += frames

    def _wait(
        self, futures: list[Future[Any]], progress: Progress | None, cancelled: Callable[[], bool] | None
    ) -> None:
        """Wait in the calling thread, so that callbacks may use what belongs to it (a database connection)."""
        pending = set(futures)
        failure: BaseException | None = None
        while pending:
            finished, pending = wait(pending, REPORT_EVERY_S, FIRST_COMPLETED)
            failed = next((future.exception() for future in finished if future.exception()), None)
            failure = failure or failed
            if failure is None and cancelled is not None and cancelled():
                failure = RenderCancelled()
            if failure is not None:
                self.stop.set()
                for future in pending:
                    future.cancel()
                if wait(pending, GRACE_S).not_done:
                    log.error("A thread of a render that was stopped is stuck in native code; it is left behind.")
                raise failure
            if progress is not None:
                progress(self._done, self.spec.duration_frames)


def tags(spec: RenderSpec) -> dict[str, str]:
    """Tags of the file. Simulated work says so here as well as in the picture."""
    comment = [spec.comment] if spec.comment else []
    if spec.marks.simulated:
        comment.append("SIMULATED: made by a simulated provider, not for delivery.")
    if spec.marks.ai_label:
        comment.append(spec.marks.ai_label)
    values = {"title": spec.title, "comment": " ".join(comment)}
    return {name: value for name, value in values.items() if value}


def glyph_warnings(plans: list[Graphic], files: Mapping[str, Path]) -> list[str]:
    missing: dict[str, None] = {}
    for plan in plans:
        brand = files[plan.font] if plan.font else None
        missing |= dict.fromkeys(chain(plan.role, brand_font=brand, text=plan.text).missing(plan.text))
    if not missing:
        return []
    return [f"No font has a glyph for {' '.join(missing)}: an empty box is drawn instead."]
