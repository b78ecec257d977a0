"""What emulated vendors learn from the files they are given: how long, how large, and what the first frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2

from providers.emulator.vendor import World


@dataclass(frozen=True, slots=True)
class Film:
    """A video that came in. ``picture`` is the kept first frame's name, empty when it could not be decoded."""

    seconds: float
    width: int
    height: int
    picture: str = ""


SOUND_BYTES_A_SECOND = 16_000
UNSEEN = Film(5.0, 1280, 720)  # a video behind an address that is not opened


def read_film(world: World, name: str) -> Film:
    """Length and size of a kept input; a file without pictures counts as one second of nothing."""
    if not name:
        return UNSEEN
    reader = cv2.VideoCapture(str(world.input_path(name)))
    try:
        rate, frames = reader.get(cv2.CAP_PROP_FPS), reader.get(cv2.CAP_PROP_FRAME_COUNT)
        good, frame = reader.read()
        if not good or not rate:
            return Film(1.0, 1280, 720)
        height, width = frame.shape[:2]
        encoded = cv2.imencode(".png", frame)[1].tobytes()
        return Film(round(max(1.0, frames / rate), 2), width, height, world.save_input(encoded))
    finally:
        reader.release()


def sound_seconds(world: World, name: str) -> float:
    """Length of a kept sound by its size (WAV by its header, else at 128 kbit/s); five seconds for an unseen one."""
    if not name:
        return UNSEEN.seconds
    data = world.input_path(name).read_bytes()
    rate = int.from_bytes(data[28:32], "little") if data.startswith(b"RIFF") else SOUND_BYTES_A_SECOND
    return round(max(1.0, min(600.0, len(data) / max(1, rate))), 2)


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture, ``None`` when it is none."""
    image = cv2.imread(str(path))
    return None if image is None else (int(image.shape[1]), int(image.shape[0]))


def media_type_of(data: bytes) -> str:
    """The media type that a file's first bytes tell, as a storage serves it."""
    kinds = ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"))
    if data[4:8] == b"ftyp":
        return "video/mp4"
    if data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in kinds if data.startswith(start)), "application/octet-stream")
