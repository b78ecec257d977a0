"""Files from outside: content decides, limits hold, refusals explain themselves, results are normalised."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genengine.media import Limits, MediaRejected, ingest, probe
from tests.media.support import CAN, LOGO, MEDIA, MUSIC, TURNTABLE, make_video


def rejected(path: Path, tmp_path: Path, **options: object) -> MediaRejected:
    with pytest.raises(MediaRejected) as caught:
        ingest(path, name=path.name, out_dir=tmp_path / "out", **options)  # type: ignore[arg-type]
    error = caught.value
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert str(tmp_path) not in str(error)
    return error


def huge_png(path: Path, width: int, height: int) -> Path:
    """A small file that unpacks to width × height pixels."""
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(b"\x00" * (width // 8 + 1)) for _ in range(height)) + rows.flush()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


TEXTS = {
    "hls.mp4": ("#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n", "playlist_refused"),
    "hls.txt": ("\ufeff\n #EXTM3U\n/etc/passwd\n", "playlist_refused"),
    "concat.mp4": ("ffconcat version 1.0\nfile '/etc/passwd'\n", "playlist_refused"),
    "dash.mp4": ('<?xml version="1.0"?>\n<MPD></MPD>', "playlist_refused"),
    "session.mp4": ("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n", "playlist_refused"),
    "film.mp4": ("just words, no film\n", "text_not_media"),
    "drawing.png": ("<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", "svg_external"),
    "page.jpg": ("<!doctype html><p>hello", "markup_refused"),
    "document.jpg": ("%PDF-1.7 rest of it", "pdf_refused"),
    "blank.txt": ("  \n\t\n", "empty_text"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_pretend_to_be_media_are_refused(name: str, tmp_path: Path) -> None:
    content, code = TEXTS[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert rejected(tmp_path / name, tmp_path).code == code


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert rejected(tmp_path / "a.png", tmp_path).code == "empty_file"


def test_a_truncated_jpeg_is_refused(tmp_path: Path) -> None:
    data = CAN.read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 3])
    assert rejected(tmp_path / "cut.jpg", tmp_path).code == "picture_damaged"


def test_a_corrupt_jpeg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(CAN.read_bytes()[:64] + bytes(5000))
    assert rejected(tmp_path / "bad.jpg", tmp_path).code == "picture_damaged"


def test_a_picture_of_20000_by_20000_pixels_is_refused_with_its_size(tmp_path: Path) -> None:
    error = rejected(huge_png(tmp_path / "huge.png", 20000, 20000), tmp_path)
    assert error.code == "picture_too_large"
    assert "20000×20000" in error.message


def test_a_picture_that_needs_more_memory_than_allowed_ends_the_child_not_us(tmp_path: Path) -> None:
    path = huge_png(tmp_path / "heavy.png", 9000, 9000)
    error = rejected(path, tmp_path, limits=Limits(memory=300 << 20))
    assert error.code in ("picture_too_large", "picture_damaged")


def test_a_film_without_its_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(TURNTABLE.read_bytes()[:600])
    assert rejected(tmp_path / "cut.mp4", tmp_path).code == "unreadable_media"


def test_a_film_that_points_to_another_file_does_not_read_it(tmp_path: Path) -> None:
    """A QuickTime reference movie names its samples by path; ours must come out empty or refused."""
    secret = make_video(tmp_path / "secret.mov", "-f", "lavfi", "-i", "color=red:s=64x64:d=1", "-c:v", "mjpeg")
    data = secret.read_bytes().replace(b"url \x00\x00\x00\x01", b"url \x00\x00\x00\x00" + b"file:///x", 1)
    (tmp_path / "reference.mov").write_bytes(data)
    with pytest.raises(MediaRejected):
        ingest(tmp_path / "reference.mov", name="reference.mov", out_dir=tmp_path / "out")


def test_a_film_that_is_too_long_is_refused(tmp_path: Path) -> None:
    error = rejected(TURNTABLE, tmp_path, limits=Limits(duration_s=2))
    assert error.code == "too_long"
    assert "4 s" in error.message


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "picture.txt").write_bytes(CAN.read_bytes())
    taken = ingest(tmp_path / "picture.txt", name="picture.txt", out_dir=tmp_path / "out")
    assert (taken.kind, taken.media_type) == ("image", "image/jpeg")


def test_a_picture_is_turned_upright_and_loses_its_exif(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    taken = ingest(tmp_path / "turned.jpg", name="turned.jpg", out_dir=tmp_path / "out")
    assert (taken.width, taken.height) == (20, 40)
    with Image.open(taken.path) as made:
        assert not made.getexif()


def _cmyk(path: Path) -> None:
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(path, quality=95)


def _sixteen_bit(path: Path) -> None:
    Image.fromarray(np.full((32, 32), 40000, np.uint16)).save(path)


def _palette(path: Path) -> None:
    Image.new("P", (32, 32), 3).save(path)


@pytest.mark.parametrize(
    ("name", "make"),
    [("a.jpg", _cmyk), ("b.png", _sixteen_bit), ("c.gif", _palette)],
    ids=["cmyk", "16 bit", "palette"],
)
def test_unusual_pictures_become_8_bit_rgb(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / name)
    taken = ingest(tmp_path / name, name=name, out_dir=tmp_path / "out")
    with Image.open(taken.path) as made:
        assert made.mode == "RGB"
        assert made.size == (32, 32)


def test_sixteen_bit_grey_keeps_its_brightness(tmp_path: Path) -> None:
    _sixteen_bit(tmp_path / "b.png")
    taken = ingest(tmp_path / "b.png", name="b.png", out_dir=tmp_path / "out")
    with Image.open(taken.path) as made:
        assert abs(made.getpixel((5, 5))[0] - 40000 // 256) <= 2  # type: ignore[index]


def test_transparency_is_kept_as_png(tmp_path: Path) -> None:
    taken = ingest(LOGO, name="logo.png", out_dir=tmp_path)
    assert taken.media_type == "image/png"
    with Image.open(taken.path) as made:
        assert made.mode == "RGBA"


def test_a_rotated_film_of_another_rate_becomes_upright_bt709_at_30_fps(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "a.mp4",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=24000/1001:d=2",
        "-f",
        "lavfi",
        "-i",
        "sine=r=44100:d=2",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv444p",
        "-c:a",
        "aac",
        "-ac",
        "1",
    )
    turned = make_video(tmp_path / "b.mp4", "-display_rotation", "90", "-i", str(source), "-c", "copy")
    taken = ingest(turned, name="b.mp4", out_dir=tmp_path / "out")
    assert (taken.width, taken.height) == (180, 320)
    info = probe(taken.path)
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.fps, info.video.average_fps, info.video.rotation) == (Fraction(30), Fraction(30), 0)
    assert (info.video.codec, info.video.pix_fmt, info.video.color_space) == ("h264", "yuv420p", "bt709")
    assert (info.audio.codec, info.audio.rate, info.audio.channels) == ("aac", 48000, 2)
    assert abs(info.duration_s - 2) < Fraction(1, 10)


def test_an_hdr_film_is_mapped_to_standard_range_and_says_so(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "hdr.mp4",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x180:r=30:d=0.5",
        "-vf",
        "zscale=tin=bt709:min=bt709:pin=bt709:rin=tv:t=smpte2084:p=bt2020:m=bt2020nc:r=tv,format=yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
        "-color_trc",
        "smpte2084",
        "-color_primaries",
        "bt2020",
        "-colorspace",
        "bt2020nc",
    )
    taken = ingest(source, name="hdr.mp4", out_dir=tmp_path / "out")
    assert any("HDR" in warning for warning in taken.warnings)
    info = probe(taken.path).video
    assert info is not None
    assert (info.color_transfer, info.pix_fmt) == ("bt709", "yuv420p")


def test_sound_becomes_48_khz_stereo(tmp_path: Path) -> None:
    taken = ingest(MUSIC, name="music.opus", out_dir=tmp_path)
    assert taken.kind == "audio"
    assert taken.duration_ms is not None
    assert abs(taken.duration_ms - float(probe(MUSIC).duration_s) * 1000) < 50
    info = probe(taken.path).audio
    assert info is not None
    assert (info.rate, info.channels) == (48000, 2)


def test_a_font_is_checked_and_taken(tmp_path: Path) -> None:
    font = MEDIA / "brand" / "fonts" / "Anton_400Regular.ttf"
    assert ingest(font, name="Anton.ttf", out_dir=tmp_path).kind == "font"
    (tmp_path / "bad.ttf").write_bytes(font.read_bytes()[:900])
    assert rejected(tmp_path / "bad.ttf", tmp_path).code == "font_damaged"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_script_in_any_usual_encoding_becomes_utf_8(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "script.txt").write_bytes("Café “quoted” – naïve\r\nSecond line".encode(encoding))
    taken = ingest(tmp_path / "script.txt", name="script.txt", out_dir=tmp_path / "out")
    assert taken.path.read_text(encoding="utf-8") == "Café “quoted” – naïve\nSecond line"


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (ingest(CAN, name="can.jpg", out_dir=tmp_path / name) for name in ("a", "b"))
    assert first.sha256 == second.sha256


def test_the_source_is_not_touched_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "in.jpg").write_bytes(CAN.read_bytes())
    taken = ingest(tmp_path / "in.jpg", name="in.jpg", out_dir=tmp_path / "out")
    assert (tmp_path / "in.jpg").read_bytes() == CAN.read_bytes()
    assert list((tmp_path / "out").iterdir()) == [taken.path]
