"""Films and sounds from outside: one decode by a limited ffmpeg into our own working format."""

from __future__ import annotations

from pathlib import Path

from genengine.media.errors import MediaRejected, RenderFailed
from genengine.media.ffmpeg.binaries import can_tonemap, ffmpeg
from genengine.media.ffmpeg.run import Cancelled, ProcessLimits, run
from genengine.media.intake.sniff import Sniffed
from genengine.media.probing import MediaInfo, VideoInfo, probe

EXPORT_AGAIN = "The file may be cut off or damaged: export it again and upload that."
WORK_FPS = 30
HDR_CHAIN = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv"


def normalise_film(
    path: Path,
    target: Path,
    info: MediaInfo,
    found: Sniffed,
    name: str,
    *,
    max_side: int,
    timeout: float,
    limits: ProcessLimits,
    cancelled: Cancelled | None,
) -> tuple[Path, list[str]]:
    """H.264 4:2:0 BT.709 at 30 constant frames a second, square pixels, upright, with 48 kHz stereo sound if any."""
    assert info.video is not None
    graph, warnings = picture_chain(info.video, max_side)
    out = target.with_suffix(".mp4")
    argv = [
        *_input(path, found),
        "-map",
        "0:v:0",
        "-map",
        "0:a:0?",
        "-sn",
        "-dn",
        "-map_metadata",
        "-1",
        "-map_chapters",
        "-1",
    ]
    argv += ["-vf", graph, "-r", str(WORK_FPS), "-fps_mode", "cfr"]
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-profile:v", "high", "-pix_fmt", "yuv420p"]
    argv += [
        "-g",
        str(WORK_FPS),
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-color_range",
        "tv",
    ]
    argv += [
        "-c:a",
        "aac",
        "-b:a",
        "256k",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-movflags",
        "+faststart",
        "-fflags",
        "+bitexact",
    ]
    said = _convert([*argv, f"file:{out.resolve()}"], name, timeout, limits, cancelled)
    made = probe(out, demuxer="mov")
    if made.video is None or not made.video.frames:
        raise MediaRejected("film_damaged", f"{name} holds no picture that can be decoded.", EXPORT_AGAIN)
    if said or _shorter(made, info):
        warnings.append("Parts of the film are damaged; what could be read is used.")
    return out, warnings


def normalise_sound(
    path: Path,
    target: Path,
    found: Sniffed,
    name: str,
    *,
    timeout: float,
    limits: ProcessLimits,
    cancelled: Cancelled | None,
) -> tuple[Path, list[str]]:
    """48 kHz stereo FLAC."""
    out = target.with_suffix(".flac")
    argv = [*_input(path, found), "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"]
    argv += ["-ar", "48000", "-ac", "2", "-sample_fmt", "s16", "-c:a", "flac", "-fflags", "+bitexact"]
    said = _convert([*argv, f"file:{out.resolve()}"], name, timeout, limits, cancelled)
    made = probe(out, demuxer="flac")
    if made.audio is None or made.duration_s <= 0:
        raise MediaRejected("sound_damaged", f"{name} holds no sound that can be decoded.", EXPORT_AGAIN)
    return out, (["Parts of the sound are damaged; what could be read is used."] if said else [])


def picture_chain(video: VideoInfo, max_side: int) -> tuple[str, list[str]]:
    """Filters that make the picture square-pixelled, even-sized and BT.709; ffmpeg turns it upright by itself."""
    warnings: list[str] = []
    width, height = video.display_size
    scale = min(1.0, max_side / max(width, height))
    w, h = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
    if scale < 1:
        warnings.append(f"The film was scaled down to {w}×{h}.")
    steps = []
    if video.is_hdr and can_tonemap():
        steps.append(HDR_CHAIN)
        warnings.append("The film was HDR; its brightness was mapped to standard range.")
    elif video.is_hdr:
        warnings.append("The film is HDR and this ffmpeg cannot map it: colours may look flat.")
    if video.field_order in ("tt", "bb", "tb", "bt"):
        steps.append("bwdif=mode=send_frame")
        warnings.append("The film was interlaced; it was made progressive.")
    matrix = _matrix(video, height)
    steps.append(f"scale={w}:{h}:flags=lanczos:in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv")
    return ",".join([*steps, "setsar=1", "format=yuv420p"]), warnings


def _matrix(video: VideoInfo, height: int) -> str:
    """Untagged films: small ones are taken as BT.601, HD ones as BT.709, which is what players do."""
    known = {"bt709": "bt709", "smpte170m": "bt601", "bt470bg": "bt601", "bt2020nc": "bt2020", "smpte240m": "smpte240m"}
    if video.is_hdr and can_tonemap():
        return "bt709"
    return known.get(video.color_space, "bt709" if height >= 720 else "bt601")


def _input(path: Path, found: Sniffed) -> list[str]:
    """One file, one demuxer, no protocol but ``file``: content cannot make ffmpeg open anything else."""
    assert found.demuxer is not None
    head = [ffmpeg(), "-nostdin", "-hide_banner", "-v", "error", "-y", "-threads", "2", "-protocol_whitelist", "file"]
    return [*head, "-f", found.demuxer, "-i", f"file:{path.resolve()}"]


def _convert(argv: list[str], name: str, timeout: float, limits: ProcessLimits, cancelled: Cancelled | None) -> str:
    try:
        return run(argv, timeout=timeout, limits=limits, cancelled=cancelled).stderr.strip()
    except RenderFailed as error:
        if "did not end in time" in error.stderr_tail:
            raise MediaRejected(
                "too_slow", f"{name} takes too long to decode.", "Shorten it or lower its resolution."
            ) from error
        raise MediaRejected("film_damaged", f"{name} cannot be decoded.", EXPORT_AGAIN) from error


def _shorter(made: MediaInfo, source: MediaInfo) -> bool:
    return float(source.duration_s - made.duration_s) > max(0.5, 0.05 * float(source.duration_s))
