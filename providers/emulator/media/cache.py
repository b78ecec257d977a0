"""Rendered files by their parameters: rendered when first asked for, in a few threads, kept within a size."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_LIMIT = 2_000_000_000


@dataclass
class MediaCache:
    """One file a key; callers that ask at the same time share one rendering."""

    folder: Path
    limit_bytes: int = DEFAULT_LIMIT
    workers: int = 2
    _pool: ThreadPoolExecutor = field(init=False)
    _running: dict[str, Future[Path]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="media")

    def get(self, name: str, render: Callable[[Path], object]) -> Future[Path]:
        """The file ``name`` (with its suffix), rendered by ``render(path)`` unless it is there."""
        path = self.folder / name
        with self._lock:
            if name in self._running:
                return self._running[name]
            if path.exists():
                path.touch()
                ready: Future[Path] = Future()
                ready.set_result(path)
                return ready
            future = self._running[name] = self._pool.submit(self._make, path, render)
        future.add_done_callback(lambda _: self._running.pop(name, None))
        return future

    def _make(self, path: Path, render: Callable[[Path], object]) -> Path:
        render(path)
        self._evict(keep=path)
        return path

    def _evict(self, keep: Path) -> None:
        """Remove the files not used for longest until the folder is within its limit."""
        files = sorted(
            (item for item in self.folder.iterdir() if item.is_file()), key=lambda item: item.stat().st_mtime
        )
        total = sum(item.stat().st_size for item in files)
        for item in files:
            if total <= self.limit_bytes:
                return
            if item != keep and ".part" not in item.name:
                total -= item.stat().st_size
                item.unlink(missing_ok=True)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
