"""Renders of the server as rows on disk: a restart finds every one again and says honestly what became of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

RENDER_ID = re.compile(r"[0-9a-f]{32}")
MOST_STARTS = 2
"""Of one render over restarts of the server: a render that takes the machine down must not do so for ever."""


class RenderState(StrEnum):
    QUEUED = "queued"
    RENDERING = "rendering"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({RenderState.QUEUED, RenderState.RENDERING})


@dataclass
class Render:
    """One render. Times are seconds since the epoch; ``failure`` holds ``code``, ``detail``, ``fix``, ``problems``."""

    id: str
    owner: str
    key: str
    digest: str
    assets: dict[str, str]
    frames_total: int
    created_at: float
    state: RenderState = RenderState.QUEUED
    frames_done: int = 0
    starts: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    failure: dict[str, Any] | None = None
    report: dict[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits or is being made."""
        return self.state in OPEN


class RenderBook:
    """Every render below ``folder``, one folder each: ``render.json``, ``spec.json``, and the finished files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.renders: dict[str, Render] = {}
        for path in sorted(folder.glob("*/render.json")):
            with contextlib.suppress(ValueError, TypeError, KeyError, OSError):
                render = _read(json.loads(path.read_text(encoding="utf-8")))
                self.renders[render.id] = render

    def add(self, render: Render, spec: Mapping[str, Any]) -> None:
        """Keep a new render with what is to be rendered; on disk before anybody is told of it."""
        folder = self.place(render)
        folder.mkdir()
        (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        self.save(render)
        self.renders[render.id] = render

    def save(self, render: Render) -> None:
        """Write the row whole or not at all."""
        path = self.place(render) / "render.json"
        fresh = path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(render), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)

    def place(self, render: Render) -> Path:
        """The render's own folder."""
        return self.folder / render.id

    def result(self, render: Render) -> Path:
        return self.place(render) / "result.mp4"

    def of(self, owner: str, render_id: str) -> Render | None:
        """A render of this owner; another's is as if it never was."""
        found = self.renders.get(render_id) if RENDER_ID.fullmatch(render_id) else None
        return found if found is not None and found.owner == owner else None

    def by_key(self, owner: str, key: str) -> Render | None:
        """The newest render under an idempotency key."""
        found = [r for r in self.renders.values() if (r.owner, r.key) == (owner, key)]
        return max(found, key=lambda r: r.created_at, default=None)

    def waiting(self) -> list[Render]:
        """What is still to be rendered, oldest first."""
        return sorted((r for r in self.renders.values() if r.is_open), key=lambda r: r.created_at)

    def expire(self, before: float) -> int:
        """Remove what ended before this moment, with its files; returns how many."""
        old = [r for r in self.renders.values() if not r.is_open and (r.finished_at or r.created_at) < before]
        for render in old:
            del self.renders[render.id]
            shutil.rmtree(self.place(render), ignore_errors=True)
        return len(old)


def _read(row: Mapping[str, Any]) -> Render:
    return Render(**dict(row) | {"state": RenderState(row["state"])})
