"""Measurements that share no code with the engine: ffprobe's own JSON, ffmpeg's ebur128, frames, and OCR."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.ffmpeg.binaries import ffmpeg, ffprobe


def facts(path: Path) -> dict[str, Any]:
    """ffprobe's streams by kind, and the container's format."""
    argv = [ffprobe(), "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    answer = json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=300).stdout)
    return {stream["codec_type"]: stream for stream in answer["streams"]} | {"format": answer["format"]}


def loudness(path: Path) -> tuple[float, float]:
    """Integrated LUFS and true peak in dBTP, from the summary that ffmpeg's ebur128 filter prints."""
    argv = [ffmpeg(), "-nostdin", "-hide_banner", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300).stderr
    summary = said[said.rindex("Summary:") :]
    integrated = re.search(r"I:\s+(-?[\d.]+|-inf) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    assert integrated
    assert peak
    return float(integrated[1]), float(peak[1])


def frame(path: Path, seconds: float) -> NDArray[np.uint8]:
    """The frame at a time, as RGB in its own size."""
    graph = "scale=in_color_matrix=bt709:in_range=tv,format=rgb24"
    argv = [ffmpeg(), "-v", "error", "-ss", f"{seconds:.3f}", "-i", str(path), "-frames:v", "1", "-vf", graph]
    raw = subprocess.run([*argv, "-f", "image2pipe", "-c:v", "png", "-"], check=True, capture_output=True).stdout
    bgr = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


@cache
def _reader() -> Any:
    from rapidocr import RapidOCR

    quiet = {"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": 1}
    return RapidOCR(params=quiet)


def read(rgb: NDArray[np.uint8]) -> list[tuple[str, tuple[float, float, float, float]]]:
    """The words in a picture, top to bottom, each with its box (left, top, right, bottom) in fractions of the picture.

    Read at 540 pixels of width, where the reader is best.
    """
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (540, round(540 * height / width)), interpolation=cv2.INTER_AREA)
    answer = _reader()(np.ascontiguousarray(small[..., ::-1]))
    if answer.txts is None:
        return []
    found = []
    for words, corners in zip(answer.txts, answer.boxes, strict=True):
        left, top = corners.min(axis=0) / (small.shape[1], small.shape[0])
        right, bottom = corners.max(axis=0) / (small.shape[1], small.shape[0])
        found.append((words, (float(left), float(top), float(right), float(bottom))))
    return sorted(found, key=lambda item: item[1][1])


def plain(words: str) -> str:
    """Letters and digits only, small: what two readings must share."""
    return re.sub(r"[^a-z0-9%]", "", words.lower())


def said(rgb: NDArray[np.uint8]) -> str:
    """Everything read in a picture, plain and joined."""
    return "".join(plain(words) for words, _ in read(rgb))
