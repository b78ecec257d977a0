"""Judge a finished file against what was expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from genengine.media.errors import MediaRejected, ToolMissing
from genengine.media.ffmpeg.run import Cancelled
from genengine.media.probing import MediaInfo, probe
from genengine.media.qc.measure import Measured, flashes_per_second, measure, spans
from genengine.media.qc.report import Expectations, Finding, QCReport, Verdict

BLACK_SHARE = 0.98
BLACK_MEAN = 24.0
STILL_CHANGE = 0.05
MAX_FLASHES = 3
FRAME_CHECKS = ("decodable", "frame_count", "black", "first_last_frame", "freeze", "flash")


def check(
    path: Path, expected: Expectations, *, info: MediaInfo | None = None, cancelled: Cancelled | None = None
) -> QCReport:
    """All findings on one file. A tool that is missing makes its checks ``unknown``, never passed.

    ``info`` is what a probe of the very file said just before; without it the file is probed here.
    """
    path = Path(path)
    try:
        info = info or probe(path)
    except MediaRejected as error:
        return QCReport((Finding("container", Verdict.FAIL, "unreadable", "readable", error.message),))
    except ToolMissing as error:
        return QCReport(
            tuple(_unknown(name, str(error)) for name in ("container", *FRAME_CHECKS, "loudness", "true_peak"))
        )
    found = list(_container(info, expected))
    if info.video is None:
        return QCReport((*found, Finding("video", Verdict.FAIL, "none", "one", "The file has no picture.")))
    try:
        measured = measure(path, info, cancelled=cancelled)
    except ToolMissing as error:
        names = (*FRAME_CHECKS, "loudness", "true_peak")
        return QCReport((*found, *(_unknown(name, str(error)) for name in names)))
    found += [*_frames(measured, info, expected), *_sound(measured, info, expected)]
    return QCReport(tuple(found))


def _container(info: MediaInfo, expected: Expectations) -> Iterator[Finding]:
    video = info.video
    if video is not None:
        codec = f"{video.codec} {video.profile} {video.pix_fmt}"
        yield _same("codec", codec, "h264 High yuv420p", "H.264 High 4:2:0 plays everywhere.")
        if expected.width and expected.height:
            yield _same(
                "size",
                f"{video.width}x{video.height}",
                f"{expected.width}x{expected.height}",
                "The picture has another size.",
            )
        if expected.fps:
            rate = f"{video.fps}" if video.fps == video.average_fps else f"{video.fps}, average {video.average_fps}"
            yield _same("fps", rate, f"{expected.fps}", "The frame rate is another or not constant.")
        tags = f"{video.color_space}/{video.color_primaries}/{video.color_transfer}/{video.color_range}"
        yield _same("color_tags", tags, "bt709/bt709/bt709/tv", "Players would guess the colours.", softly=True)
    if info.faststart is not None:
        yield _same(
            "faststart", str(info.faststart), "True", "The index is at the end: playback starts late.", softly=True
        )
        yield _same("edit_lists", str(info.edit_lists), "0", "Platforms ask for files without edit lists.", softly=True)
    if expected.duration_ms is not None:
        yield _duration(info, expected)
    if expected.max_bytes is not None:
        yield _at_most("file_size", info.size_bytes, expected.max_bytes, "The file is too large for the channel.")
    if expected.min_bit_rate is not None and info.bit_rate is not None:
        enough = info.bit_rate >= expected.min_bit_rate
        message = "" if enough else "The bit rate is under the channel's floor."
        yield Finding("bit_rate", _verdict(enough), str(info.bit_rate), f">= {expected.min_bit_rate}", message)


def _duration(info: MediaInfo, expected: Expectations) -> Finding:
    assert expected.duration_ms is not None
    measured = float(info.duration_s) * 1000
    off = abs(measured - expected.duration_ms)
    threshold = f"{expected.duration_ms} ± {expected.duration_tolerance_ms} ms"
    good = off <= expected.duration_tolerance_ms
    return Finding(
        "duration",
        _verdict(good),
        f"{measured:.0f} ms",
        threshold,
        "" if good else "The length is not the one asked for.",
    )


def _frames(measured: Measured, info: MediaInfo, expected: Expectations) -> Iterator[Finding]:
    assert info.video is not None
    fps = info.video.average_fps or Fraction(30)
    good = not measured.failed and not measured.errors and measured.frames > 0
    evidence = tuple(measured.errors.splitlines()[:5])
    yield Finding(
        "decodable",
        _verdict(good),
        f"{measured.frames} frames",
        "no decoder error",
        "" if good else "The file cannot be decoded cleanly.",
        evidence,
    )
    if expected.frames is not None:
        yield _same("frame_count", str(measured.frames), str(expected.frames), "Frames are missing or too many.")
    if not measured.frames:
        return
    yield from _black(measured, expected, fps)
    yield _freeze(measured, expected, fps)
    count, start = flashes_per_second(measured, fps)
    harmless = count <= MAX_FLASHES
    message = (
        "" if harmless else "The picture flashes more than three times a second: a danger for photosensitive people."
    )
    where = () if harmless else (_at(start, fps),)
    yield Finding("flash", _verdict(harmless), f"{count} in one second", f"<= {MAX_FLASHES}", message, where)


def _black(measured: Measured, expected: Expectations, fps: Fraction) -> Iterator[Finding]:
    black = [
        dark >= BLACK_SHARE and mean <= BLACK_MEAN for dark, mean in zip(measured.dark, measured.mean, strict=True)
    ]
    runs = [(a, b) for a, b in spans(black) if (b - a) / fps > expected.max_black_s]
    longest = max((float((b - a) / fps) for a, b in spans(black)), default=0.0)
    evidence = tuple(f"{_at(a, fps)} to {_at(b, fps)}" for a, b in runs)
    yield Finding(
        "black",
        _verdict(not runs),
        f"{longest:.2f} s",
        f"<= {expected.max_black_s} s",
        "The picture is black for too long." if runs else "",
        evidence,
    )
    if not expected.allow_black_edges:
        edges = [name for name, index in (("first", 0), ("last", -1)) if black[index]]
        message = f"The {' and the '.join(edges)} frame is black." if edges else ""
        yield Finding("first_last_frame", _verdict(not edges), ", ".join(edges) or "not black", "not black", message)


def _freeze(measured: Measured, expected: Expectations, fps: Fraction) -> Finding:
    still = [change < STILL_CHANGE for change in measured.change]
    runs = [(a, b + 1) for a, b in spans(still) if (b - a) / fps > expected.max_freeze_s]
    longest = max((float((b - a) / fps) for a, b in spans(still)), default=0.0)
    evidence = tuple(f"{_at(a, fps)} to {_at(b, fps)}" for a, b in runs)
    verdict = Verdict.PASS if not runs else Verdict.WARN if expected.stills_allowed else Verdict.FAIL
    message = "The picture stands still." if runs else ""
    return Finding("freeze", verdict, f"{longest:.2f} s", f"<= {expected.max_freeze_s} s", message, evidence)


def _sound(measured: Measured, info: MediaInfo, expected: Expectations) -> Iterator[Finding]:
    if info.audio is None:
        if expected.require_audio:
            yield Finding("audio", Verdict.FAIL, "none", "one track", "The file has no sound track.")
        return
    form = f"{info.audio.codec} {info.audio.rate} Hz {info.audio.channels} ch"
    yield _same("audio", form, "aac 48000 Hz 2 ch", "Another sound format was expected.")
    if measured.loudness is None:
        yield _unknown("loudness", "The loudness could not be measured.")
        return
    heard = measured.loudness
    if expected.silent or expected.lufs is None:
        level = "silent" if heard.is_silent else f"{heard.lufs:.1f} LUFS"
        good = heard.is_silent or not expected.silent
        yield Finding(
            "loudness",
            _verdict(good),
            level,
            "silent" if expected.silent else "not judged",
            "" if good else "Sound was not expected.",
        )
        return
    within = abs(heard.lufs - expected.lufs) <= expected.loudness_tolerance
    message = "" if within else "The sound is too loud or too quiet for the channel."
    threshold = f"{expected.lufs:.1f} ± {expected.loudness_tolerance:.1f} LUFS"
    yield Finding("loudness", _verdict(within), f"{heard.lufs:.1f} LUFS", threshold, message)
    if expected.true_peak_dbtp is not None:
        under = heard.true_peak_dbtp <= expected.true_peak_dbtp + 0.05
        message = "" if under else "Peaks may distort after the platform's own conversion."
        yield Finding(
            "true_peak",
            _verdict(under),
            f"{heard.true_peak_dbtp:.1f} dBTP",
            f"<= {expected.true_peak_dbtp:.1f} dBTP",
            message,
        )


def _same(name: str, measured: str, wanted: str, otherwise: str, *, softly: bool = False) -> Finding:
    good = measured == wanted
    verdict = Verdict.PASS if good else Verdict.WARN if softly else Verdict.FAIL
    return Finding(name, verdict, measured, wanted, "" if good else otherwise)


def _at_most(name: str, measured: int, limit: int, otherwise: str) -> Finding:
    good = measured <= limit
    return Finding(name, _verdict(good), str(measured), f"<= {limit}", "" if good else otherwise)


def _verdict(good: bool) -> Verdict:
    return Verdict.PASS if good else Verdict.FAIL


def _unknown(name: str, reason: str) -> Finding:
    return Finding(name, Verdict.UNKNOWN, "not measured", "", reason)


def _at(frame: int, fps: Fraction) -> str:
    """Time code mm:ss.mmm with the frame number."""
    milliseconds = round(frame / fps * 1000)
    return f"{milliseconds // 60000:02}:{milliseconds // 1000 % 60:02}.{milliseconds % 1000:03} (frame {frame})"
