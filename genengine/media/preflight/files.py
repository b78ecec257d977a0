"""The files: there, of the right kind, large and long enough. Only their heads are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import ExifTags, Image

from genengine.media.audio.mix import LOOP_OVERLAP_S
from genengine.media.errors import MediaRejected
from genengine.media.probing import probe
from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import ImageOverlay, ImageSegment, RenderSpec, VideoSegment
from genengine.media.spec.parse import references
from genengine.media.text.cmap import FontUnreadable, coverage

ENLARGED_TOO_MUCH = 1.6
ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF orientations that change width for height."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file is: kinds it can serve as, size as seen in pixels, length in seconds."""

    kinds: frozenset[str]
    size: tuple[int, int] = (0, 0)
    seconds: Fraction = Fraction(0)


def used_files(spec: RenderSpec, assets: Mapping[str, Path] | None) -> dict[str, Path]:
    """The files that the spec uses and that are there."""
    names = {name for _, name, _ in references(spec)}
    return {name: Path(path) for name, path in (assets or {}).items() if name in names and Path(path).is_file()}


def file_findings(spec: RenderSpec, assets: Mapping[str, Path]) -> Iterator[LintFinding]:
    """Findings on every file that the spec uses."""
    there = used_files(spec, assets)
    names = dict.fromkeys(name for _, name, _ in references(spec))
    for name in names:
        if name not in there:
            fix = f"Give a file for {name!r}."
            yield LintFinding("asset_missing", Severity.ERROR, f"$.assets.{name}", "No file was given for it.", fix)
            continue
        yield from _digest(spec, name, there[name])
    for name in spec.assets:
        if name not in names:
            message, fix = "Nothing uses it.", "Remove it, or name it in a slot."
            yield LintFinding("asset_unused", Severity.WARNING, f"$.assets.{name}", message, fix)
    facts = {name: _facts(path, spec.assets[name].kind) for name, path in there.items()}
    yield from _kinds(spec, facts)
    yield from _pictures(spec, facts)
    yield from _music(spec, facts)


def _digest(spec: RenderSpec, name: str, path: Path) -> Iterator[LintFinding]:
    wanted = spec.assets[name].sha256
    if not wanted:
        return
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == wanted:
            return
    fix = "Give the file that the spec was made for, or remove sha256."
    yield LintFinding("asset_digest", Severity.ERROR, f"$.assets.{name}.sha256", "The file has another digest.", fix)


def _kinds(spec: RenderSpec, facts: Mapping[str, Facts]) -> Iterator[LintFinding]:
    for name, found in facts.items():
        kind = spec.assets[name].kind
        if kind not in found.kinds:
            what = " or ".join(sorted(found.kinds)) or "nothing that can be read"
            message = f"The file is {what}, the spec says {kind}."
            fix = f"Give a file of kind {kind}, or correct `kind`."
            code = "asset_kind" if found.kinds else "asset_unreadable"
            yield LintFinding(code, Severity.ERROR, f"$.assets.{name}", message, fix)


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """As it is seen, by the head alone: turning the picture itself would decode all of it."""
    if image.format == "PNG" and "exif" not in image.info:
        return image.size  # Pillow would look for it behind the pixels
    turned = image.getexif().get(ExifTags.Base.Orientation) in ON_ITS_SIDE
    return (image.height, image.width) if turned else image.size


def _facts(path: Path, expected: str) -> Facts:
    """Pictures and fonts are recognised by themselves, which is quicker than a process for each."""
    if expected == "font":
        try:
            if coverage(str(path)):
                return Facts(frozenset({"font"}))
        except (FontUnreadable, OSError):
            pass
    try:
        with Image.open(path) as image:
            if not getattr(image, "is_animated", False):
                return Facts(frozenset({"image"}), _upright_size(image))
    except (OSError, ValueError, Image.DecompressionBombError):
        pass
    try:
        info = probe(path)
    except MediaRejected:
        return Facts(frozenset())
    if info.video is not None and not (info.video.width and info.video.codec != "ansi"):
        # ffprobe goes by the name where the content says nothing, and takes any text for terminal art
        return Facts(frozenset())
    if info.video is None:
        return Facts(frozenset({"audio"} if info.audio else set()), seconds=info.duration_s)
    kinds = {"video", "audio"} if info.audio else {"video"}
    return Facts(frozenset(kinds), info.video.display_size, info.duration_s)


def _pictures(spec: RenderSpec, facts: Mapping[str, Facts]) -> Iterator[LintFinding]:
    for index, segment in enumerate(spec.segments):
        found = facts.get(getattr(segment, "asset", ""))
        if not isinstance(segment, ImageSegment | VideoSegment) or found is None or not all(found.size):
            continue
        path = f"$.segments[{index}].asset"
        width, height = found.size
        zoom = max(segment.motion.start.zoom, segment.motion.end.zoom)
        below = spec.output.height - (segment.bar.rows(spec.output.height) if segment.bar else 0)
        sides = spec.output.width / width, below / height
        scale = (max(sides) if segment.fit.mode == "crop" else min(sides)) * zoom
        if segment.fit.mode != "blurred":
            yield from _enlarged(path, (width, height), scale)
        if isinstance(segment, VideoSegment):
            yield from _too_short(spec, segment, found, path)
    for index, overlay in enumerate(spec.overlays):
        found = facts.get(overlay.asset) if isinstance(overlay, ImageOverlay) else None
        if isinstance(overlay, ImageOverlay) and found and all(found.size):
            width, height = found.size
            scale = min(overlay.size * spec.output.width / width, overlay.max_height * spec.output.height / height)
            yield from _enlarged(f"$.overlays[{index}].asset", (width, height), scale)


def _enlarged(path: str, size: tuple[int, int], scale: float) -> Iterator[LintFinding]:
    if scale > ENLARGED_TOO_MUCH:
        width, height = size
        fix = f"Give at least {round(width * scale)}×{round(height * scale)} pixels, or show it smaller."
        message = f"{width}×{height} pixels are enlarged {scale:.1f} times (at most {ENLARGED_TOO_MUCH} looks sharp)."
        yield LintFinding("asset_small", Severity.WARNING, path, message, fix)


def _too_short(spec: RenderSpec, segment: VideoSegment, found: Facts, path: str) -> Iterator[LintFinding]:
    needed = Fraction(segment.start_frame + segment.duration_frames) / spec.output.fps
    if found.seconds + Fraction(1, 10) < needed:
        what = "loops" if segment.when_short == "loop" else "stands still"
        message = f"The clip lasts {float(found.seconds):.1f} s, the slot needs {float(needed):.1f} s; it {what} after."
        yield LintFinding(
            "clip_short", Severity.WARNING, path, message, "Shorten the slot or start earlier in the clip."
        )


def _music(spec: RenderSpec, facts: Mapping[str, Facts]) -> Iterator[LintFinding]:
    bed = spec.audio.bed
    found = facts.get(bed.asset) if bed else None
    if bed is None or found is None or not found.seconds:
        return
    length = float(found.seconds) - float(bed.start_frame / spec.output.fps)
    total = float(spec.duration_s)
    if length <= 0:
        message = f"It starts after the music's end ({float(found.seconds):.1f} s)."
        yield LintFinding("music_start", Severity.ERROR, "$.audio.bed.start_frame", message, "Start earlier.")
    elif length < total:
        step = length - min(LOOP_OVERLAP_S, length / 3)
        seams = [f"{step * count:.1f} s" for count in range(1, int(total / step) + 1) if step * count < total]
        message = (
            f"The music lasts {length:.1f} s, the video {total:.1f} s: it loops, cross-faded over "
            f"{min(LOOP_OVERLAP_S, length / 3):.2f} s at {', '.join(seams[:6])}."
        )
        fix = "Give longer music if a joint can be heard."
        yield LintFinding("music_loops", Severity.NOTE, "$.audio.bed.asset", message, fix)
