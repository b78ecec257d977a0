"""What the sample files become when they are taken in, worked out once a session instead of once a test.

Normalising a picture starts a process. For a file that ships with the product the answer is the same every time
(`tests/media/test_ingest.py` proves it), so the first test that uploads it works it out and all others, of every xdist
worker, get a copy. Files that a test makes itself are taken in as always.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from genengine.media import Ingested
from tests.support.processes import REPOSITORY


def remembering(ingest: Callable[..., Ingested], folder: Path) -> Callable[..., Ingested]:
    """Return an `ingest` that keeps in `folder` what it made of a sample file under a name."""

    def taken_in(path: Path, *, name: str, out_dir: Path, **limits: Any) -> Ingested:
        digest = _sha256(Path(path))
        if limits or digest not in _samples():
            return ingest(path, name=name, out_dir=out_dir, **limits)
        kept = folder / f"{digest[:32]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        if not (kept / "made.pickle").exists():
            _keep(ingest(path, name=name, out_dir=out_dir), kept)
        made: Ingested = pickle.loads((kept / "made.pickle").read_bytes())
        out_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept / made.path.name, out_dir / made.path.name)
        return replace(made, path=out_dir / made.path.name)

    return taken_in


def _keep(made: Ingested, kept: Path) -> None:
    """Two workers may work out the same; the name of the answer appears last, when the file is complete."""
    kept.mkdir(parents=True, exist_ok=True)
    part = kept / f".{uuid4().hex}"
    shutil.copyfile(made.path, part)
    os.replace(part, kept / made.path.name)
    part.write_bytes(pickle.dumps(made))
    os.replace(part, kept / "made.pickle")


@cache
def _samples() -> frozenset[str]:
    return frozenset(_sha256(path) for path in (REPOSITORY / "examples" / "media").rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
