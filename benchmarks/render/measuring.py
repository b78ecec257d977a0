"""CPU seconds, wall time and peak memory of whole process trees; fidelity and jitter of a video."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from genengine.media.ffmpeg.binaries import ffmpeg

WIDTH, HEIGHT, FPS = 1080, 1920, 30


@dataclass(frozen=True, slots=True)
class Cost:
    """``cpu_s`` counts the process and all its children that ended; ``peak_mb`` is the largest single process."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def cost_of(argv: list[str | Path], **environment: str) -> Cost:
    """Run to the end and account for the tree."""
    begun = time.monotonic()
    process = subprocess.Popen([str(part) for part in argv], env=os.environ | environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{argv} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss / 1024)


def raw_input(path: Path) -> list[str]:
    """Arguments that read raw I420 frames."""
    return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", str(path)]


def ssim_y(video: Path, truth: Path) -> float:
    """Mean SSIM of luma against raw frames."""
    graph = "[0:v]settb=1/30,setpts=N[a];[1:v]settb=1/30,setpts=N[b];[a][b]ssim"
    argv = [ffmpeg(), "-hide_banner", "-i", str(video), *raw_input(truth), "-lavfi", graph, "-an", "-f", "null", "-"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
    found = re.search(r"SSIM Y:([\d.]+)", said)
    if found is None:
        raise RuntimeError(said[-500:])
    return float(found[1])


def luma_frames(video: Path) -> Iterator[NDArray[np.uint8]]:
    """Luma of every frame."""
    argv = [ffmpeg(), "-v", "error", "-i", str(video), "-an", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, bufsize=1 << 22) as process:
        assert process.stdout is not None
        while len(data := process.stdout.read(WIDTH * HEIGHT * 3 // 2)) == WIDTH * HEIGHT * 3 // 2:
            yield np.frombuffer(data, np.uint8)[: WIDTH * HEIGHT].reshape(HEIGHT, WIDTH)


def jitter_px(video: Path, slot: int, crossfade: int) -> float:
    """Root mean square of what is left of the camera's motion, in pixels a frame near the corners, after its smooth
    course (a cubic a scene) is taken out. Motion is a zoom and a shift fitted to tracked points."""
    rows: list[tuple[int, int, NDArray[np.float64]]] = []
    before: NDArray[np.uint8] | None = None
    points: NDArray[np.float32] | None = None
    for number, luma in enumerate(luma_frames(video)):
        smooth = np.asarray(cv2.GaussianBlur(luma, (0, 0), 1.2), np.uint8)
        scene, into = divmod(number, slot)
        if before is not None and (into > crossfade + 1 or (scene == 0 and into > 0)):
            if points is None or number % 15 == 0:
                points = np.asarray(cv2.goodFeaturesToTrack(before, 160, 0.004, 45), np.float32)
            moved, found, _ = cv2.calcOpticalFlowPyrLK(
                before, smooth, points, None, winSize=(41, 41), maxLevel=1, criteria=(3, 40, 0.001)
            )
            good = found[:, 0] == 1
            rows.append((scene, number, _motion(points[good, 0], moved[good, 0])))
            points = moved[good]
        else:
            points = None
        before = smooth
    return _residual(rows)


def _motion(start: NDArray[np.float32], end: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shift (x, y) and zoom about the middle, robustly."""
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    offset, kept = end - start, np.ones(len(start), bool)
    solution = np.zeros(3)
    for _ in range(3):
        arm = start[kept] - middle
        matrix = np.zeros((2 * len(arm), 3))
        matrix[: len(arm), 0] = matrix[len(arm) :, 1] = 1
        matrix[:, 2] = arm.T.ravel()
        solution = np.linalg.lstsq(matrix, offset[kept].T.ravel(), rcond=None)[0]
        left = np.abs(offset - (solution[:2] + (start - middle) * solution[2])).max(axis=1)
        kept = left < max(0.02, 3 * float(np.median(left)))
    return solution


def _residual(rows: list[tuple[int, int, NDArray[np.float64]]]) -> float:
    errors = []
    for scene in {row[0] for row in rows}:
        here = [(number, motion) for which, number, motion in rows if which == scene]
        when = np.array([number for number, _ in here], float)
        when = (when - when.mean()) / 100
        motions = np.array([motion for _, motion in here])
        rest = motions - np.stack([np.polyval(np.polyfit(when, motions[:, k], 3), when) for k in range(3)], axis=1)
        for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1), (0, 0)):
            errors.append(rest[:, :2] + rest[:, 2:] * np.array([x * WIDTH * 0.4, y * HEIGHT * 0.4]))
    squared = np.concatenate(errors) ** 2
    return float(np.sqrt(squared.sum(axis=1).mean()))
