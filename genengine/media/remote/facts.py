"""What decides the bytes besides the request: the build of the engine and its tools, and the kind of processor.

The same request on the same build and kind of processor gives the same bytes; both sides say theirs.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

from genengine.media.builds import tool_builds


@cache
def build_facts() -> dict[str, str]:
    """Versions of the engine and of all tools whose version can change a pixel or a sample."""
    return dict(tool_builds())


@cache
def processor_facts() -> dict[str, Any]:
    """Machine word (``x86_64``), the processor's own name, the number of cores. Empty name: the system tells none."""
    return {"machine": platform.machine(), "model": _model(), "cores": os.cpu_count() or 1}


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return named.get("model name") or named.get("CPU part") or platform.processor()
