"""A paid answer that came at once is written down before anything else: fsynced, then named."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from providers.errors import InvalidRequest
from providers.values import Artefact


def require_sink(sink: Path | None) -> Path:
    """The folder for a synchronous answer; asking for one without a place to keep it would lose a paid result."""
    if sink is None:
        raise InvalidRequest("This call answers with a file at once; give submit() a sink to keep it in.")
    sink.mkdir(parents=True, exist_ok=True)
    return sink


def write_artefact(sink: Path, name: str, data: bytes, *, media_type: str, kind: str) -> Artefact:
    """Write ``data`` as ``sink/name`` through a ``.part`` file, so that a file with its name is whole."""
    sink.mkdir(parents=True, exist_ok=True)
    path = sink / name
    part = path.with_name(name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return Artefact(path, media_type, hashlib.sha256(data).hexdigest(), len(data), kind)


def write_json(sink: Path, name: str, value: Any, *, kind: str) -> Artefact:
    """A JSON document as an artefact."""
    data = json.dumps(value, ensure_ascii=False).encode()
    return write_artefact(sink, name, data, media_type="application/json", kind=kind)
