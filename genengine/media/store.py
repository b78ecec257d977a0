"""Bytes kept by key on disk: written once and whole, the least recently used go first.

Safe for several processes: a file appears by rename, and a reader that loses the race against eviction just misses.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_LIMIT = 2 << 30


@dataclass
class Store:
    """``limit`` is in bytes for the whole folder; ``hits`` and ``misses`` count this object's use."""

    folder: Path
    limit: int = DEFAULT_LIMIT
    hits: int = field(default=0, init=False)
    misses: int = field(default=0, init=False)

    def get(self, key: str, kind: str) -> bytes | None:
        """The bytes, or None when they are not (or no longer) there. ``kind`` is the file's ending."""
        path = self._path(key, kind)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def put(self, key: str, kind: str, data: bytes) -> None:
        """Keep bytes. A full disk only means no cache."""
        path = self._path(key, kind)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
                try:
                    file.write(data)
                    file.close()
                    os.replace(file.name, path)
                except OSError:
                    os.unlink(file.name)
                    raise

    def evict(self) -> int:
        """Remove the least recently used until the limit holds; returns the bytes removed."""
        known = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                known.append((status.st_mtime_ns, status.st_size, path))
        excess, removed = sum(size for _, size, _ in known) - self.limit, 0
        for _, size, path in sorted(known):
            if removed >= excess:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                removed += size
        return removed

    def _path(self, key: str, kind: str) -> Path:
        return self.folder / key[:2] / f"{key}.{kind}"
