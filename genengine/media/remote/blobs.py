"""Input files of renders, kept by SHA-256: a digest is accepted only from the bytes that have it.

Each token has a shelf of its own, so that knowing a digest never gives one client another's file.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

SHA256 = re.compile(r"[0-9a-f]{64}")


class BlobShelf:
    """Files below ``folder`` named by their digest, written once and whole; the least recently used go first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def has(self, owner: str, sha256: str) -> bool:
        """Whether ``owner`` has put these bytes here; asking counts as use."""
        path = self.path(owner, sha256)
        try:
            os.utime(path)
        except OSError:
            return False
        return True

    def path(self, owner: str, sha256: str) -> Path:
        """Where the bytes are. Both names are checked: no other file can be named."""
        if not SHA256.fullmatch(sha256) or not owner.isalnum():
            raise ValueError("not a digest")
        return self.folder / owner / sha256[:2] / sha256

    def keep(self, owner: str, sha256: str, spooled: Path) -> None:
        """Keep a file whose digest was measured to be ``sha256`` while it came in."""
        path = self.path(owner, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{sha256}.{os.getpid()}.{threading.get_ident()}")
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
        try:
            os.link(spooled, fresh)
        except OSError:  # a file system without hard links
            shutil.copyfile(spooled, fresh)
        os.replace(fresh, path)

    def evict(self, limit: int, pinned: Callable[[], Iterable[tuple[str, str]]]) -> int:
        """Remove the least recently used until at most ``limit`` bytes are kept; what a render waits for stays."""
        with self._lock:
            keep = {self.path(owner, sha256) for owner, sha256 in pinned()}
            known = []
            for path in self.folder.glob("*/??/*"):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    known.append((status.st_mtime_ns, status.st_size, path))
            excess, removed = sum(size for _, size, _ in known) - limit, 0
            for _, size, path in sorted(known):
                if removed >= excess:
                    break
                if path not in keep:
                    with contextlib.suppress(OSError):
                        path.unlink()
                        removed += size
            return removed
