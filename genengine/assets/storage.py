"""Reading stored bytes in bounded pieces, whatever the storage is.

Every reader is used from threads, one call at a time; the event loop never waits for a disk or a bucket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage

CHUNK_BYTES = 256 * 1024


class StoredFileMissing(Exception):
    """The row is there, the bytes are not."""


class Reader(Protocol):
    """A position in stored bytes."""

    def read(self, length: int) -> bytes: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class StoredFile:
    """A stored file that can be opened at any offset; `open_at(start, length)` returns a Reader of those bytes."""

    size: int
    modified: datetime
    open_at: Callable[[int, int], Reader]


def find_stored_file(storage: Storage, name: str) -> StoredFile:
    """Look a file up. Raises StoredFileMissing."""
    try:
        path = Path(storage.path(name))
    except NotImplementedError:
        return _remote_file(storage, name)
    except (SuspiciousFileOperation, ValueError, OSError) as reason:
        raise StoredFileMissing(name) from reason
    return _local_file(path)


def _local_file(path: Path) -> StoredFile:
    try:
        status = path.stat()
    except OSError as reason:
        raise StoredFileMissing(path.name) from reason

    def open_at(start: int, length: int) -> Reader:
        stream = path.open("rb", buffering=0)
        stream.seek(start)
        return stream

    return StoredFile(status.st_size, datetime.fromtimestamp(status.st_mtime, UTC), open_at)


def _remote_file(storage: Storage, name: str) -> StoredFile:
    if hasattr(storage, "bucket"):
        return _bucket_object(storage, name)
    try:
        size, modified = storage.size(name), storage.get_modified_time(name)
    except OSError as reason:
        raise StoredFileMissing(name) from reason

    def open_at(start: int, length: int) -> Reader:
        stream = storage.open(name)
        stream.seek(start)
        return stream

    return StoredFile(size, modified.astimezone(UTC), open_at)


def _bucket_object(storage: Any, name: str) -> StoredFile:
    """S3: ask for the wanted bytes only (django-storages would fetch the whole object first)."""
    from botocore.exceptions import ClientError

    client, bucket = storage.connection.meta.client, storage.bucket_name
    key = "/".join(part for part in (storage.location.strip("/"), name) if part)
    try:
        head = client.head_object(Bucket=bucket, Key=key)
    except ClientError as reason:
        raise StoredFileMissing(name) from reason

    def open_at(start: int, length: int) -> Reader:
        answer = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}")
        body: Reader = answer["Body"]
        return body

    return StoredFile(int(head["ContentLength"]), head["LastModified"].astimezone(UTC), open_at)
