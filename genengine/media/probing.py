"""What is in a media file, as typed facts (ffprobe's JSON plus our own look at the MP4 boxes)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from genengine.media.errors import MediaRejected, RenderFailed
from genengine.media.ffmpeg.binaries import ffprobe
from genengine.media.ffmpeg.run import ProcessLimits, run
from genengine.media.mp4boxes import mp4_layout

PROBE_LIMITS = ProcessLimits(memory=2 << 30, cpu_s=30)
HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """``width`` and ``height`` are as stored; ``rotation`` is in degrees clockwise to apply on display."""

    codec: str
    profile: str
    pix_fmt: str
    width: int
    height: int
    fps: Fraction
    average_fps: Fraction
    frames: int | None
    duration_s: Fraction | None
    rotation: int
    sample_aspect: Fraction
    color_space: str
    color_primaries: str
    color_transfer: str
    color_range: str
    bit_rate: int | None
    field_order: str

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height as seen: square pixels, rotated."""
        width = round(self.width * self.sample_aspect)
        return (self.height, width) if self.rotation in (90, 270) else (width, self.height)

    @property
    def is_hdr(self) -> bool:
        return self.color_transfer in HDR_TRANSFERS


@dataclass(frozen=True, slots=True)
class AudioInfo:
    codec: str
    rate: int
    channels: int
    bit_rate: int | None
    duration_s: Fraction | None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """``container`` is ffprobe's format name; ``faststart`` and ``edit_lists`` are known for MP4 and MOV only."""

    container: str
    duration_s: Fraction
    size_bytes: int
    bit_rate: int | None
    video: VideoInfo | None
    audio: AudioInfo | None
    faststart: bool | None
    edit_lists: int | None
    tags: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; fractions as numbers for durations and as ``"30000/1001"`` for rates."""
        return _plain(asdict(self))


def probe(path: Path | str, *, demuxer: str | None = None, timeout: float = 30) -> MediaInfo:
    """Read the facts. ``demuxer`` forces ffprobe's reader, so that content cannot choose another one (playlists).

    Raises ``MediaRejected`` when there is nothing that ffprobe can read.
    """
    path = Path(path).resolve()
    force = ["-f", demuxer] if demuxer else []
    argv = [ffprobe(), "-v", "error", "-protocol_whitelist", "file", *force]
    argv += ["-show_format", "-show_streams", "-of", "json", "-i", f"file:{path}"]
    try:
        answer = json.loads(run(argv, timeout=timeout, limits=PROBE_LIMITS).stdout or b"{}")
    except (RenderFailed, json.JSONDecodeError) as error:
        raise MediaRejected(
            "unreadable_media",
            f"{path.name} cannot be read as a picture, film or sound.",
            "The file may be cut off or damaged: export or upload it again.",
        ) from error
    return _info(path, answer)


def _info(path: Path, answer: dict[str, Any]) -> MediaInfo:
    form, streams = answer.get("format", {}), answer.get("streams", [])
    video = next((s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)), None)
    audio = next((s for s in streams if s.get("codec_type") == "audio"), None)
    layout = mp4_layout(path) if "mp4" in form.get("format_name", "") else None
    return MediaInfo(
        container=form.get("format_name", ""),
        duration_s=_fraction(form.get("duration")) or Fraction(0),
        size_bytes=path.stat().st_size,
        bit_rate=_integer(form.get("bit_rate")),
        video=_video(video) if video else None,
        audio=_audio(audio) if audio else None,
        faststart=layout.faststart if layout else None,
        edit_lists=layout.edit_lists if layout else None,
        tags={str(key).lower(): str(value) for key, value in form.get("tags", {}).items()},
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _video(stream: dict[str, Any]) -> VideoInfo:
    return VideoInfo(
        codec=stream.get("codec_name", ""),
        profile=str(stream.get("profile", "")),
        pix_fmt=stream.get("pix_fmt", ""),
        width=int(stream.get("width", 0)),
        height=int(stream.get("height", 0)),
        fps=_fraction(stream.get("r_frame_rate")) or Fraction(0),
        average_fps=_fraction(stream.get("avg_frame_rate")) or Fraction(0),
        frames=_integer(stream.get("nb_frames")),
        duration_s=_fraction(stream.get("duration")),
        rotation=_rotation(stream),
        sample_aspect=_fraction(str(stream.get("sample_aspect_ratio", "1:1")).replace(":", "/")) or Fraction(1),
        color_space=stream.get("color_space", ""),
        color_primaries=stream.get("color_primaries", ""),
        color_transfer=stream.get("color_transfer", ""),
        color_range=stream.get("color_range", ""),
        bit_rate=_integer(stream.get("bit_rate")),
        field_order=stream.get("field_order", ""),
    )


def _audio(stream: dict[str, Any]) -> AudioInfo:
    return AudioInfo(
        codec=stream.get("codec_name", ""),
        rate=int(stream.get("sample_rate", 0)),
        channels=int(stream.get("channels", 0)),
        bit_rate=_integer(stream.get("bit_rate")),
        duration_s=_fraction(stream.get("duration")),
    )


def _rotation(stream: dict[str, Any]) -> int:
    """ffprobe's display matrix counts counter-clockwise; old files carry a ``rotate`` tag counted clockwise."""
    for side in stream.get("side_data_list", []):
        if "rotation" in side:
            return round(-float(side["rotation"])) % 360
    return int(float(stream.get("tags", {}).get("rotate", 0))) % 360


def _fraction(text: Any) -> Fraction | None:
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return None


def _integer(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _plain(item, name) for name, item in value.items()}
    if isinstance(value, Fraction):
        return round(float(value), 6) if key.endswith("_s") else str(value)
    return value
