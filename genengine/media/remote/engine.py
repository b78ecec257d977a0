"""What every engine has in common: an order in, a finished file and its report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from genengine.media.compose.compiler import CompileReport, compile_spec

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Order:
    """One render: the spec as JSON values and a file for each asset it uses.

    ``key`` names the work, not the try: an engine that is asked again under the same key may give what it has.
    """

    spec: Mapping[str, Any]
    files: Mapping[str, Path]
    key: str = ""
    cache_dir: Path | None = None


class Engine(Protocol):
    """Renders orders. ``name`` stands in events and reports, ``label`` in sentences."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    def render(self, order: Order, out: Path, *, progress: Progress | None, cancelled: Cancelled) -> CompileReport:
        """Write the film to ``out`` and its thumbnail beside it. Raises ``MediaError`` and leaves nothing behind."""


@dataclass(frozen=True)
class ThisMachine:
    """The compiler in this process."""

    name: str = field(default="local", init=False)
    label: str = field(default="engine of this machine", init=False)

    def render(self, order: Order, out: Path, *, progress: Progress | None, cancelled: Cancelled) -> CompileReport:
        return compile_spec(
            order.spec, order.files, out, cache_dir=order.cache_dir, progress=progress, cancelled=cancelled
        )
