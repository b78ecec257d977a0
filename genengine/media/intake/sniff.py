"""What a file is, by its first bytes. The name never decides; it only helps to explain a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from genengine.media.errors import MediaRejected

HEAD_BYTES = 64 * 1024
TEXT_NAMES = frozenset({".txt", ".md", ".srt", ".vtt", ".csv", ".json", ".yaml", ".yml", ""})


@dataclass(frozen=True, slots=True)
class Sniffed:
    """``kind`` is image, video, audio, font or text (video containers may turn out to hold sound only);
    ``demuxer`` is the only reader ffmpeg may use."""

    kind: str
    format: str
    media_type: str
    demuxer: str | None = None


PICTURES = (
    (b"\xff\xd8\xff", Sniffed("image", "JPEG", "image/jpeg")),
    (b"\x89PNG\r\n\x1a\n", Sniffed("image", "PNG", "image/png")),
    (b"GIF87a", Sniffed("image", "GIF", "image/gif")),
    (b"GIF89a", Sniffed("image", "GIF", "image/gif")),
    (b"BM", Sniffed("image", "BMP", "image/bmp")),
    (b"II*\x00", Sniffed("image", "TIFF", "image/tiff")),
    (b"MM\x00*", Sniffed("image", "TIFF", "image/tiff")),
)
SOUNDS_AND_FILMS = (
    (b"fLaC", Sniffed("audio", "FLAC", "audio/flac", "flac")),
    (b"ID3", Sniffed("audio", "MP3", "audio/mpeg", "mp3")),
    (b"OggS", Sniffed("video", "OGG", "application/ogg", "ogg")),
    (b"\x1aE\xdf\xa3", Sniffed("video", "MATROSKA", "video/webm", "matroska")),
    (b"FLV\x01", Sniffed("video", "FLV", "video/x-flv", "flv")),
    (b"\x00\x00\x01\xba", Sniffed("video", "MPEG-PS", "video/mpeg", "mpeg")),
    (b"caff", Sniffed("audio", "CAF", "audio/x-caf", "caf")),
)
FONTS = (
    (b"\x00\x01\x00\x00\x00", Sniffed("font", "TTF", "font/ttf")),
    (b"true\x00", Sniffed("font", "TTF", "font/ttf")),
    (b"OTTO", Sniffed("font", "OTF", "font/otf")),
)
REFUSED = (
    (b"%PDF", "pdf", "a PDF document", "Export the page you need as PNG or JPEG."),
    (b"PK\x03\x04", "archive", "a ZIP archive or an office document", "Unpack it and upload the files in it."),
    (b"\x1f\x8b", "archive", "a gzip archive", "Unpack it and upload the files in it."),
    (b"7z\xbc\xaf", "archive", "a 7z archive", "Unpack it and upload the files in it."),
    (b"Rar!", "archive", "a RAR archive", "Unpack it and upload the files in it."),
    (b"MZ", "program", "a Windows program", "Upload a picture, film, sound, font or text."),
    (b"\x7fELF", "program", "a program", "Upload a picture, film, sound, font or text."),
    (b"wOFF", "web_font", "a web font (WOFF)", "Upload the font as .ttf or .otf."),
    (b"wOF2", "web_font", "a web font (WOFF2)", "Upload the font as .ttf or .otf."),
    (b"ttcf", "font_collection", "a font collection", "Upload one font as .ttf or .otf."),
    (b"8BPS", "photoshop", "a Photoshop document", "Export it as PNG or JPEG."),
)
PLAYLIST = re.compile(
    r"^(#EXTM3U|#EXTINF|ffconcat\s|\[playlist\]|<MPD\b|<\?xml[^>]*>\s*(<!--.*?-->\s*)*<(MPD|smil|SmoothStreamingMedia)\b|<smil\b|v=0\s*\n(.*\n)*?m=)",
    re.I,
)
PAGE = re.compile(r"^(<\?xml[^>]*>\s*)?(<!doctype html|<html)", re.I)
MARKUP = re.compile(r"^(<\?xml|<!doctype|<html|<svg|<!--)", re.I)


def sniff(path: Path, name: str) -> Sniffed:
    """Recognise ``path``; ``name`` is what its owner calls it. Raises ``MediaRejected`` with a remedy."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise MediaRejected("empty_file", f"{name} is empty.", "Upload the file again.")
    for magic, code, what, hint in REFUSED:
        if head.startswith(magic):
            raise MediaRejected(f"{code}_refused", f"{name} is {what}{_although(name)}.", hint)
    for magic, found in (*PICTURES, *SOUNDS_AND_FILMS, *FONTS):
        if head.startswith(magic):
            return found
    return _structured(head) or _text(head, path, name)


def _structured(head: bytes) -> Sniffed | None:
    """Containers that say what they are a few bytes in."""
    if head[4:8] == b"ftyp":
        return _iso_brand(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Sniffed("video", "MOV", "video/quicktime", "mov")
    if head.startswith(b"RIFF"):
        riff = {
            b"WEBP": Sniffed("image", "WEBP", "image/webp"),
            b"WAVE": Sniffed("audio", "WAV", "audio/wav", "wav"),
            b"AVI ": Sniffed("video", "AVI", "video/x-msvideo", "avi"),
        }
        return riff.get(head[8:12])
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return Sniffed("audio", "AIFF", "audio/aiff", "aiff")
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return Sniffed("video", "MPEG-TS", "video/mp2t", "mpegts")
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Sniffed("audio", "AAC", "audio/aac", "aac")
    if head[0] == 0xFF and head[1] & 0xE6 == 0xE2:
        return Sniffed("audio", "MP3", "audio/mpeg", "mp3")
    return None


def _iso_brand(head: bytes) -> Sniffed:
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return Sniffed("image", "AVIF", "image/avif")
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"heif"):
        raise MediaRejected(
            "heic_refused", "HEIC pictures cannot be read here.", "Save it as JPEG or PNG and upload that."
        )
    if brand == b"qt  ":
        return Sniffed("video", "MOV", "video/quicktime", "mov")
    return Sniffed("video", "MP4", "video/mp4", "mov")


def _text(head: bytes, path: Path, name: str) -> Sniffed:
    text = _decoded(head)
    if text is None:
        hint = "Upload JPEG, PNG, WebP, MP4, MOV, WebM, WAV, MP3, FLAC, a .ttf or .otf font, or a text."
        raise MediaRejected("unknown_format", f"{name} is of no kind that is known here.", hint)
    start = text.lstrip("\ufeff \t\r\n")
    if PLAYLIST.search(start):
        hint = "Upload the film itself; lists that point to other files are never followed."
        raise MediaRejected("playlist_refused", f"{name} is a playlist, not a film{_although(name)}.", hint)
    if MARKUP.search(start):
        if "<svg" in start[:4000].lower() and not PAGE.search(start):
            return Sniffed("image", "SVG", "image/svg+xml")
        raise MediaRejected(
            "markup_refused",
            f"{name} is a web page or XML, not media.",
            "Upload the picture, film, sound or plain text itself.",
        )
    if Path(name).suffix.lower() not in TEXT_NAMES:
        raise MediaRejected(
            "text_not_media",
            f"{name} holds plain text{_although(name)}.",
            "If it is a script, name it .txt; otherwise export the media again.",
        )
    subtitles = (
        "text/vtt"
        if start.startswith("WEBVTT")
        else "application/x-subrip"
        if Path(name).suffix.lower() == ".srt"
        else "text/plain"
    )
    return Sniffed("text", "TEXT", subtitles)


def _decoded(head: bytes) -> str | None:
    """The text, if these bytes are text: UTF-8, UTF-16 with a mark, or Windows-1252 without control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="ignore")
    if b"\x00" in head:
        return None
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
    controls = sum(byte < 32 and byte not in (9, 10, 13) for byte in head)
    return head.decode("cp1252", errors="replace") if controls == 0 and len(head) > 16 else None


def _although(name: str) -> str:
    suffix = Path(name).suffix
    return f", although its name ends in {suffix}" if suffix else ""
