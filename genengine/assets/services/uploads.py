"""Take a file from outside: look at its content, normalise it, store both forms, name it."""

import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from genengine.assets.models import Asset, AssetKind, Blob
from genengine.assets.services.blobs import file_sha256, open_blob, record_lineage, store_blob
from genengine.assets.types import DEFAULT_UPLOAD_MEGABYTES, MEGABYTE, UploadRefused
from genengine.core import audit
from genengine.core.actors import Actor
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.media import Ingested, MediaRejected, ingest
from genengine.workspaces.models import User, Workspace

NAME_LENGTH = 200
TEXT_NAMES = (".txt", ".md")
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\/\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def upload_asset(
    *,
    workspace: Workspace,
    actor: Actor,
    file: Path | UploadedFile,
    name: str,
    now: datetime,
    user: User | None = None,
    previous: Asset | None = None,
    licence: str = "",
    attribution: str = "",
) -> Asset:
    """Check, normalise and store a file; the content decides what it is, not the name.

    The same bytes under the same name give the asset that is there already. A file that is not taken raises
    `UploadRefused` and leaves nothing behind.
    """
    name = safe_name(name)
    if previous is not None and previous.workspace_id != workspace.pk:
        raise UploadRefused("no_such_asset", "The older version does not exist.", "Upload it as a new asset.")
    with tempfile.TemporaryDirectory(prefix="ge-upload-") as folder:
        original = _spool(file, Path(folder), name)
        known = _existing(workspace, file_sha256(original), name, previous)
        if known is not None:
            return known
        made = _ingest(original, name, Path(folder) / "out")
        original_blob = store_blob(workspace=workspace, path=original, media_type=_original_type(original, made))
        working_blob = store_blob(workspace=workspace, path=made.path, media_type=made.media_type)
    asset = Asset(
        workspace=workspace,
        name=name,
        kind=AssetKind(made.kind),
        original=original_blob,
        working=working_blob,
        width=made.width,
        height=made.height,
        duration_ms=made.duration_ms,
        previous=previous,
        version=previous.version + 1 if previous else 1,
        licence=licence[:200],
        attribution=attribution[:300],
        warnings=list(made.warnings),
        created_by=user,
    )
    return _add(asset, actor=actor, now=now)


def asset_text(asset: Asset) -> str:
    """Return the text of a text asset."""
    if asset.kind != AssetKind.TEXT:
        raise UploadRefused("not_a_text", f"“{asset.name}” is not a text file.", "Choose a .txt or .md file in UTF-8.")
    with open_blob(asset.working) as stream:
        return stream.read().decode("utf-8-sig")


@retry_conflicts
def archive_asset(*, asset: Asset, actor: Actor, now: datetime) -> Asset:
    """Take an asset out of the library; what uses it keeps it."""
    with unit_of_work():
        if Asset.objects.filter(pk=asset.pk, archived_at=None).update(archived_at=now):
            asset.archived_at = now
            _tell(asset, "asset.archived", actor=actor, now=now)
    return asset


def safe_name(name: str) -> str:
    """Return a file name that is safe to show, to log and to offer for download; the folder part is dropped."""
    last = re.split(r"[\\/]", name)[-1]
    clean = UNSAFE.sub("", unicodedata.normalize("NFC", last)).strip(" .")
    if len(clean) <= NAME_LENGTH:
        return clean or "untitled"
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > 10:
        return clean[:NAME_LENGTH]
    return f"{stem[: NAME_LENGTH - len(ending) - 1]}.{ending}"


def upload_limit() -> int:
    """Return the largest file that is taken, in bytes."""
    return int(getattr(settings, "GE_UPLOAD_MEGABYTES", DEFAULT_UPLOAD_MEGABYTES)) * MEGABYTE


def _spool(file: Path | UploadedFile, folder: Path, name: str) -> Path:
    """Bring the upload into our own folder within the size limit; an empty file is refused here."""
    target = folder / "original"
    limit = upload_limit()
    size = 0
    with _chunks(file) as chunks, target.open("wb") as out:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise UploadRefused(
                    "too_large",
                    f"“{name}” is larger than {limit // MEGABYTE} MB.",
                    "Shorten it or lower its resolution, then upload it again.",
                )
            out.write(chunk)
    if not size:
        raise UploadRefused("empty_file", f"“{name}” is empty.", "Choose the file again; its copy may be broken.")
    return target


@contextmanager
def _chunks(file: Path | UploadedFile) -> Iterator[Iterator[bytes]]:
    if isinstance(file, UploadedFile):
        file.seek(0)
        yield iter(file.chunks())
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UploadRefused(
            "unreadable", f"“{file.name}” cannot be read: {error.strerror}.", "Check the path and its rights."
        ) from error
    with stream:
        yield iter(lambda: stream.read(1024 * 1024), b"")


def _ingest(original: Path, name: str, out: Path) -> Ingested:
    out.mkdir()
    try:
        made = ingest(original, name=name, out_dir=out)
    except MediaRejected as error:
        if Path(name).suffix.lower() in TEXT_NAMES:
            _require_unicode(original.read_bytes(), name)
        raise UploadRefused(error.code, error.message, error.hint) from error
    if made.kind == AssetKind.TEXT:
        _require_unicode(original.read_bytes(), name)
    return made


def _require_unicode(raw: bytes, name: str) -> None:
    """A guessed encoding would put wrong letters on the screen, so it is refused instead."""
    if b"\x00" in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return  # no text in any encoding: what it is has been said already
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise UploadRefused(
            "not_unicode",
            f"“{name}” is not saved as UTF-8, so its letters cannot be read for certain.",
            "Save it again with the encoding UTF-8.",
        ) from error


def _original_type(original: Path, made: Ingested) -> str:
    """Return the original's media type where its bytes were kept, else say only that it is bytes."""
    same = made.path.stat().st_size == original.stat().st_size and made.sha256 == file_sha256(original)
    return made.media_type if same else "application/octet-stream"


def _existing(workspace: Workspace, sha256: str, name: str, previous: Asset | None) -> Asset | None:
    found = Asset.objects.of(workspace).filter(original__sha256=sha256, name=name, archived_at=None)
    if previous is not None:
        found = found.filter(previous=previous)
    return found.order_by("created_at").first()


@retry_conflicts
def _add(asset: Asset, *, actor: Actor, now: datetime) -> Asset:
    with unit_of_work():
        Blob.objects.select_for_update().get(pk=asset.original_id)  # two uploads of one file: one asset
        known = _existing(asset.workspace, asset.original.sha256, asset.name, asset.previous)
        if known is not None:
            return known
        asset.save(force_insert=True)
        record_lineage(child=asset.working, parent=asset.original, relation="ingested")
        if asset.previous is not None:
            record_lineage(child=asset.original, parent=asset.previous.original, relation="replaces")
        _tell(asset, "asset.uploaded", actor=actor, now=now)
    return asset


def _tell(asset: Asset, what: str, *, actor: Actor, now: datetime) -> None:
    facts = {"kind": asset.kind, "sha256": asset.original.sha256, "size": asset.original.size}
    append_event(
        asset.workspace.event_stream(),
        what,
        actor=actor,
        now=now,
        subject_kind="asset",
        subject_id=asset.pk,
        data=facts,
    )
    audit.record(
        workspace_id=asset.workspace_id,
        actor=actor,
        action=what,
        subject_kind="asset",
        subject_id=asset.pk,
        now=now,
        **facts,
    )
