"""Bytes by SHA-256, stored once per workspace and never changed.

The file is in the storage before its row exists, so a row always has its bytes; a crash in between leaves a file
without a row, which the next writer of the same bytes adopts.
"""

import hashlib
import mimetypes
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from genengine.assets.models import Blob, Lineage
from genengine.assets.types import BlobDamaged, BlobMissing
from genengine.workspaces.models import Workspace

CHUNK = 1024 * 1024

SUFFIXES = {
    "video/mp4": ".mp4",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "text/plain": ".txt",
    "text/vtt": ".vtt",
    "application/x-subrip": ".srt",
    "application/zip": ".zip",
    "font/ttf": ".ttf",
    "font/otf": ".otf",
}


def store_blob(
    *, workspace: Workspace, media_type: str, path: Path | None = None, content: bytes | None = None
) -> Blob:
    """Store a file (`path`) or bytes (`content`) of a workspace; the same bytes always give the same blob."""
    if (path is None) == (content is None):
        raise TypeError("store_blob takes either path or content")
    if path is not None:
        return _store_file(workspace, path, media_type)
    with tempfile.TemporaryDirectory(prefix="ge-blob-") as folder:
        spooled = Path(folder) / "content"
        spooled.write_bytes(content or b"")
        return _store_file(workspace, spooled, media_type)


def open_blob(blob: Blob) -> IO[bytes]:
    """Open the stored bytes for reading; close it (`with`) when done."""
    try:
        return default_storage.open(blob.storage_name, "rb")
    except FileNotFoundError as error:
        raise BlobMissing(f"blob {blob.pk} has no bytes under {blob.storage_name}") from error


def blob_to_path(blob: Blob, folder: Path) -> Path:
    """Bring a blob into `folder` for programs that need a local path; the hash is checked.

    Files of the local storage are hard-linked when that is possible: treat the result as read-only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{blob.sha256}{suffix_of(blob.media_type)}"
    if not target.exists():
        _bring(blob, target)
    if file_sha256(target) != blob.sha256:
        target.unlink()
        raise BlobDamaged(f"blob {blob.pk} does not have the hash {blob.sha256}; restore it from a backup")
    return target


def record_lineage(*, child: Blob, parent: Blob, relation: str) -> None:
    """Note that `child` was made from `parent`; saying it twice is the same as once."""
    if child.workspace_id != parent.workspace_id:
        raise ValueError("lineage stays inside one workspace")
    if child.pk != parent.pk:
        Lineage.objects.bulk_create([Lineage(child=child, parent=parent, relation=relation)], ignore_conflicts=True)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in chunks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def suffix_of(media_type: str) -> str:
    """Return the file ending that programs expect for a media type."""
    return SUFFIXES.get(media_type) or mimetypes.guess_extension(media_type) or ".bin"


def _store_file(workspace: Workspace, path: Path, media_type: str) -> Blob:
    sha256 = file_sha256(path)
    known = Blob.objects.of(workspace).filter(sha256=sha256).first()
    name = known.storage_name if known else f"blobs/{workspace.pk}/{sha256[:2]}/{sha256}"
    _write_once(name, path)
    if known:
        return known
    row = Blob(
        workspace=workspace,
        sha256=sha256,
        size=path.stat().st_size,
        media_type=media_type,
        storage_name=name,
    )
    Blob.objects.bulk_create([row], ignore_conflicts=True)  # a parallel writer of the same bytes may be first
    return Blob.objects.of(workspace).get(sha256=sha256)


def _write_once(name: str, path: Path) -> None:
    """Put the file under its name unless it is there in full; never a moment with half of it."""
    if default_storage.exists(name) and default_storage.size(name) == path.stat().st_size:
        return
    if not isinstance(default_storage, FileSystemStorage):
        with path.open("rb") as stream:
            default_storage.save(name, File(stream))  # object stores show an object only when it is complete
        return
    target = Path(default_storage.path(name))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as out, path.open("rb") as stream:
            shutil.copyfileobj(stream, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _bring(blob: Blob, target: Path) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        if not _linked(blob, part):
            with open_blob(blob) as stream, part.open("wb") as out:
                shutil.copyfileobj(stream, out, CHUNK)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _linked(blob: Blob, part: Path) -> bool:
    if not isinstance(default_storage, FileSystemStorage):
        return False
    try:
        os.link(default_storage.path(blob.storage_name), part)
    except FileNotFoundError as error:
        raise BlobMissing(f"blob {blob.pk} has no bytes under {blob.storage_name}") from error
    except OSError:
        return False  # another file system, or one without links: copy instead
    return True
