import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from genengine.assets.models import Asset, AssetKind, Blob, Lineage
from genengine.assets.services import UploadRefused, archive_asset, asset_text, upload_asset
from genengine.assets.services.uploads import safe_name
from genengine.core.actors import SYSTEM
from genengine.core.events.models import Event
from genengine.workspaces.models import Workspace

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
PHOTO = MEDIA / "photos" / "product-coffee-cup-small.jpg"


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(slug="north", name="North")


def upload(workspace: Workspace, file: Path | bytes, name: str = "", **more: object) -> Asset:
    given = SimpleUploadedFile(name, file) if isinstance(file, bytes) else file
    shown = name or (file.name if isinstance(file, Path) else "")
    return upload_asset(workspace=workspace, actor=SYSTEM, file=given, name=shown, now=NOW, **more)  # type: ignore[arg-type]


def png_header(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + body
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


BAD = {
    "a corrupt photo": (PHOTO.read_bytes()[:2_000], "photo.jpg"),
    "a PDF named .jpg": (b"%PDF-1.7\n1 0 obj\n", "photo.jpg"),
    "a picture of 20,000 by 20,000": (png_header(20_000, 20_000) + b"\x00" * 64, "huge.png"),
    "a text named .mp4": (b"This is only a text, however it is called. " * 20, "clip.mp4"),
    "a playlist named .mp4": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "clip.mp4",
    ),
    "a list of other files": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "clip.mp4"),
    "a drawing that fetches": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "logo.svg",
    ),
    "a program": (b"MZ\x90\x00" + b"\x00" * 200, "photo.png"),
    "nothing": (b"", "photo.jpg"),
    "noise": (bytes(range(256)) * 40, "photo.jpg"),
    "a text in another encoding": ("Добрый день, кофе".encode("cp1251"), "script.txt"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_a_reason_and_leaves_nothing_behind(what: str, workspace: Workspace) -> None:
    content, name = BAD[what]
    with pytest.raises(UploadRefused) as refused:
        upload(workspace, content, name)
    error = refused.value
    assert error.code
    assert error.message
    assert error.hint
    assert "/etc" not in str(error)
    assert "root:" not in str(error)
    assert not Asset.objects.exists()
    assert not Blob.objects.exists()
    assert not Event.objects.exists()


def test_a_photo_is_stored_twice_as_it_came_and_as_it_is_used(workspace: Workspace) -> None:
    asset = upload(workspace, PHOTO, licence="CC0-1.0")
    assert asset.kind == AssetKind.IMAGE
    assert asset.width
    assert asset.height
    assert asset.original.size == PHOTO.stat().st_size
    assert asset.licence == "CC0-1.0"
    if asset.working_id != asset.original_id:
        assert Lineage.objects.get(child=asset.working).parent_id == asset.original_id
    assert Event.objects.get().type == "asset.uploaded"


def test_the_same_bytes_under_the_same_name_are_the_same_asset(workspace: Workspace) -> None:
    first = upload(workspace, PHOTO)
    assert upload(workspace, PHOTO).pk == first.pk
    renamed = upload(workspace, PHOTO, "other.jpg")
    assert renamed.pk != first.pk
    assert renamed.original_id == first.original_id
    assert Event.objects.filter(type="asset.uploaded").count() == 2


def test_an_archived_asset_is_uploaded_anew(workspace: Workspace) -> None:
    first = upload(workspace, PHOTO)
    archive_asset(asset=first, actor=SYSTEM, now=NOW)
    assert upload(workspace, PHOTO).pk != first.pk


def test_a_new_version_knows_the_one_before(workspace: Workspace) -> None:
    first = upload(workspace, PHOTO)
    second = upload(workspace, MEDIA / "brand" / "mark.png", "product-coffee-cup-small.jpg", previous=first)
    assert (second.version, second.previous_id) == (2, first.pk)
    other = Workspace.objects.create(slug="south", name="South")
    with pytest.raises(UploadRefused, match="does not exist"):
        upload(other, PHOTO, previous=first)


def test_two_workspaces_with_the_same_file_share_nothing(workspace: Workspace) -> None:
    other = Workspace.objects.create(slug="south", name="South")
    ours, theirs = upload(workspace, PHOTO), upload(other, PHOTO)
    assert ours.pk != theirs.pk
    assert ours.original_id != theirs.original_id
    assert ours.original.storage_name != theirs.original.storage_name
    assert not Asset.objects.of(other).filter(pk=ours.pk).exists()


def test_the_size_limit_is_a_setting(workspace: Workspace, settings: object) -> None:
    settings.GE_UPLOAD_MEGABYTES = 1  # type: ignore[attr-defined]
    with pytest.raises(UploadRefused, match="larger than 1 MB"):
        upload(workspace, b"\xff\xd8\xff" + b"\x00" * 1_100_000, "big.jpg")


def test_sound_fonts_and_texts_are_taken_for_what_they_are(workspace: Workspace) -> None:
    sound = upload(workspace, MEDIA / "voice" / "voiceover_short_fr.opus")
    font = upload(workspace, MEDIA / "brand" / "fonts" / "Anton_400Regular.ttf")
    script = upload(workspace, "Hallo: „Welt“ 🎉\n".encode(), "script.md")
    assert [a.kind for a in (sound, font, script)] == ["audio", "font", "text"]
    assert sound.duration_ms
    assert asset_text(script).strip() == "Hallo: „Welt“ 🎉"
    with pytest.raises(UploadRefused, match="not a text file"):
        asset_text(font)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\can.jpg", "can.jpg"),
        ('a"b<c>|d\n.png', "abcd.png"),
        ("..", "untitled"),
        ("", "untitled"),
        ("пиво 🍺.jpg", "пиво 🍺.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
    ],
)
def test_names_are_made_safe_to_show_and_to_store(given: str, safe: str) -> None:
    assert safe_name(given) == safe
