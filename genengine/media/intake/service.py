"""``ingest``: take one file from outside and hand back one that the rest of the product may use."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genengine.media.errors import MediaRejected, RenderFailed
from genengine.media.ffmpeg.run import Cancelled, ProcessLimits, run
from genengine.media.intake.films import normalise_film, normalise_sound
from genengine.media.intake.sniff import Sniffed, sniff
from genengine.media.probing import probe

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Sizes in bytes, times in seconds; drawings are turned into pictures of ``drawing_side``
    pixels on their longer side, more than a logo takes of a 4K frame."""

    file_bytes: int = 2_000_000_000
    text_bytes: int = 1_000_000
    font_bytes: int = 40_000_000
    pixels: int = 100_000_000
    side: int = 7680
    film_side: int = 3840
    duration_s: float = 900
    drawing_bytes: int = 4_000_000
    drawing_side: int = 2048
    drawing_memory: int = 1 << 30
    drawing_cpu_s: int = 20
    memory: int = 3 << 30
    timeout_s: float = 600


@dataclass(frozen=True, slots=True)
class Ingested:
    """The normalised file. ``sha256`` is of that file; sizes are as seen; duration is None where there is none."""

    kind: str
    media_type: str
    path: Path
    width: int | None
    height: int | None
    duration_ms: int | None
    sha256: str
    warnings: tuple[str, ...]


def ingest(
    path: Path, *, name: str, out_dir: Path, limits: Limits | None = None, cancelled: Cancelled | None = None
) -> Ingested:
    """Recognise, check, decode under limits and normalise. The result lies in ``out_dir``; ``path`` is not touched.

    Raises ``MediaRejected`` with a code, a sentence and a remedy.
    """
    limits, path = limits or Limits(), Path(path)
    shown = _printable(name)
    size = path.stat().st_size
    if size > limits.file_bytes:
        allowed = limits.file_bytes // 1_000_000
        raise MediaRejected(
            "file_too_large", f"{shown} has {size // 1_000_000} MB; {allowed} MB are allowed.", "Upload a smaller file."
        )
    found = sniff(path, shown)
    out_dir.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as file:
        stem = out_dir / hashlib.file_digest(file, "sha256").hexdigest()[:32]
    handler: dict[str, Callable[..., Ingested]] = {"image": _picture, "font": _font, "text": _text}
    if found.kind in handler:
        return handler[found.kind](path, stem, found, shown, limits)
    return _timed(path, stem, found, shown, limits, cancelled)


def _picture(path: Path, stem: Path, found: Sniffed, name: str, limits: Limits) -> Ingested:
    if found.format == "SVG":
        return _drawing(path, stem, name, limits)
    words = [path.resolve(), stem.resolve(), found.format, limits.pixels, limits.side, limits.memory, 60]
    hint = "Scale it down or save it again as JPEG or PNG."
    fault = MediaRejected("picture_damaged", f"{name} could not be decoded within its limits.", hint)
    return _by_child("picture_child", words, name, fault, timeout=90)


def _drawing(path: Path, stem: Path, name: str, limits: Limits) -> Ingested:
    hint = "Simplify it, or export it as PNG, 2000 pixels wide or more, with a transparent ground."
    if path.stat().st_size > limits.drawing_bytes:
        message = f"{name} is larger than the {limits.drawing_bytes // 1_000_000} MB that a drawing may have."
        raise MediaRejected("svg_too_large", message, hint)
    words = [path.resolve(), stem.resolve(), limits.drawing_side, limits.drawing_memory, limits.drawing_cpu_s]
    fault = MediaRejected("svg_too_complex", f"{name} could not be drawn within its limits.", hint)
    return _by_child("drawing_child", words, name, fault, timeout=limits.drawing_cpu_s * 3)


def _by_child(child: str, words: Sequence[object], name: str, fault: MediaRejected, *, timeout: float) -> Ingested:
    """What a process of its own makes of a picture; ``fault`` is said when it does not come back with an answer."""
    argv = [sys.executable, "-I", "-c", _CHILD, str(ROOT), child, *map(str, words)]
    try:
        answer: dict[str, Any] = json.loads(run(argv, timeout=timeout).stdout)
    except (RenderFailed, json.JSONDecodeError) as error:
        raise fault from error
    if "code" in answer:
        raise MediaRejected(answer["code"], f"{name}: {answer['message']}", answer["hint"])
    made = Path(answer["path"])
    media_type = "image/png" if made.suffix == ".png" else "image/jpeg"
    return _result("image", media_type, made, tuple(answer["warnings"]), answer["width"], answer["height"])


_CHILD = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import json
from importlib import import_module
child = import_module("genengine.media.intake." + sys.argv.pop(1))
print(json.dumps(child.main(sys.argv[1:])))
"""


def _timed(path: Path, stem: Path, found: Sniffed, name: str, limits: Limits, cancelled: Cancelled | None) -> Ingested:
    info = probe(path, demuxer=found.demuxer)
    seconds = float(info.duration_s)
    if seconds > limits.duration_s:
        message = f"{name} lasts {seconds:.0f} s; {limits.duration_s:.0f} s are allowed."
        raise MediaRejected("too_long", message, "Cut it and upload the part you need.")
    child = ProcessLimits(memory=limits.memory, cpu_s=int(limits.timeout_s), file_bytes=limits.file_bytes)
    common = {"timeout": limits.timeout_s, "limits": child, "cancelled": cancelled}
    if info.video is not None and found.kind == "video":
        width, height = info.video.display_size
        if width * height > limits.pixels or min(width, height) < 2:
            message = f"{name} has frames of {width}×{height} pixels, which cannot be used."
            raise MediaRejected("film_size", message, "Export it at up to 3840×2160 pixels.")
        made, warnings = normalise_film(path, stem, info, found, name, max_side=limits.film_side, **common)  # type: ignore[arg-type]
        after = probe(made, demuxer="mov")
        assert after.video is not None
        size = after.video.display_size
        return _result("video", "video/mp4", made, tuple(warnings), *size, round(after.duration_s * 1000))
    if info.audio is None:
        raise MediaRejected(
            "nothing_inside", f"{name} holds neither picture nor sound.", "Export it again and upload that."
        )
    made, warnings = normalise_sound(path, stem, found, name, **common)  # type: ignore[arg-type]
    length = round(probe(made, demuxer="flac").duration_s * 1000)
    return _result("audio", "audio/flac", made, tuple(warnings), duration_ms=length)


def _font(path: Path, stem: Path, found: Sniffed, name: str, limits: Limits) -> Ingested:
    from PIL import ImageFont

    from genengine.media.text.cmap import FontUnreadable, coverage

    if path.stat().st_size > limits.font_bytes:
        raise MediaRejected(
            "font_too_large", f"{name} is too large for a font.", "Upload one font style as .ttf or .otf."
        )
    try:
        known = coverage(str(path.resolve()))
        ImageFont.truetype(str(path), 24).getbbox("A")
    except (FontUnreadable, OSError, ValueError) as error:
        raise MediaRejected(
            "font_damaged", f"{name} is not a usable font.", "Upload the font as .ttf or .otf."
        ) from error
    made = stem.with_suffix(f".{found.format.lower()}")
    made.write_bytes(path.read_bytes())
    few = () if len(known) > 60 else ("The font has very few characters; others come from our own fonts.",)
    return _result("font", found.media_type, made, few)


def _text(path: Path, stem: Path, found: Sniffed, name: str, limits: Limits) -> Ingested:
    if path.stat().st_size > limits.text_bytes:
        raise MediaRejected("text_too_large", f"{name} is longer than a script can be.", "Upload a text under 1 MB.")
    raw = path.read_bytes()
    text, warnings = _decode_text(raw)
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")
    if not text.strip():
        raise MediaRejected("empty_text", f"{name} holds no words.", "Write the script into it and upload it again.")
    made = stem.with_suffix(".txt")
    made.write_text(text, encoding="utf-8", newline="\n")
    return _result("text", found.media_type, made, tuple(warnings))


def _decode_text(raw: bytes) -> tuple[str, list[str]]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), []
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), ["The text is not UTF-8; it was read as Windows-1252."]


def _result(
    kind: str,
    media_type: str,
    made: Path,
    warnings: tuple[str, ...],
    width: int | None = None,
    height: int | None = None,
    duration_ms: int | None = None,
) -> Ingested:
    with made.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Ingested(kind, media_type, made, width, height, duration_ms, digest, warnings)


def _printable(name: str) -> str:
    """The owner's name for the file, safe to repeat in a sentence."""
    return re.sub(r"[^\w .,()\-+@&'!]", "_", Path(name).name)[:120] or "The file"
