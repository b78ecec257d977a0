import hashlib
import threading
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from genengine.assets.models import Blob, Lineage
from genengine.assets.services import BlobDamaged, BlobMissing, blob_to_path, open_blob, record_lineage, store_blob
from genengine.workspaces.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(slug="north", name="North")


def test_the_same_bytes_give_the_same_blob(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"cold brew")
    first = store_blob(workspace=workspace, path=file, media_type="text/plain")
    again = store_blob(workspace=workspace, content=b"cold brew", media_type="text/plain")
    assert first.pk == again.pk
    assert first.sha256 == hashlib.sha256(b"cold brew").hexdigest()
    assert first.storage_name == f"blobs/{workspace.pk}/{first.sha256[:2]}/{first.sha256}"
    with open_blob(first) as stream:
        assert stream.read() == b"cold brew"


def test_two_workspaces_never_share_bytes(workspace: Workspace) -> None:
    other = Workspace.objects.create(slug="south", name="South")
    ours = store_blob(workspace=workspace, content=b"secret", media_type="text/plain")
    theirs = store_blob(workspace=other, content=b"secret", media_type="text/plain")
    assert ours.pk != theirs.pk
    assert ours.storage_name != theirs.storage_name
    with pytest.raises(ValueError, match="one workspace"):
        record_lineage(child=ours, parent=theirs, relation="ingested")


def test_a_file_lost_from_the_storage_is_said_and_written_again_by_the_next_upload(workspace: Workspace) -> None:
    blob = store_blob(workspace=workspace, content=b"lost", media_type="text/plain")
    default_storage.delete(blob.storage_name)
    with pytest.raises(BlobMissing):
        open_blob(blob)
    store_blob(workspace=workspace, content=b"lost", media_type="text/plain")
    with open_blob(blob) as stream:
        assert stream.read() == b"lost"


def test_damaged_bytes_are_never_handed_out(workspace: Workspace, tmp_path: Path) -> None:
    blob = store_blob(workspace=workspace, content=b"original", media_type="text/plain")
    Path(default_storage.path(blob.storage_name)).write_bytes(b"0riginal")
    with pytest.raises(BlobDamaged):
        blob_to_path(blob, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_blob_comes_to_a_folder_with_the_ending_programs_expect(workspace: Workspace, tmp_path: Path) -> None:
    blob = store_blob(workspace=workspace, content=b"\x00\x01", media_type="video/mp4")
    path = blob_to_path(blob, tmp_path / "new")
    assert path == blob_to_path(blob, tmp_path / "new")
    assert path.suffix == ".mp4"
    assert path.read_bytes() == b"\x00\x01"


def test_lineage_said_twice_is_one_edge(workspace: Workspace) -> None:
    parent = store_blob(workspace=workspace, content=b"p", media_type="text/plain")
    child = store_blob(workspace=workspace, content=b"c", media_type="text/plain")
    for _ in range(2):
        record_lineage(child=child, parent=parent, relation="ingested")
    assert Lineage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_of_one_content_end_with_one_row_and_whole_bytes(tmp_path: Path) -> None:
    workspace = Workspace.objects.create(slug="busy", name="Busy")
    file = tmp_path / "big"
    file.write_bytes(b"x" * 3_000_000)
    ids: list[object] = []

    def write() -> None:
        try:
            ids.append(store_blob(workspace=workspace, path=file, media_type="video/mp4").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    assert len(ids) == 6
    blob = Blob.objects.get()
    assert default_storage.size(blob.storage_name) == 3_000_000
    folder = Path(default_storage.path(blob.storage_name)).parent
    assert [p.name for p in folder.iterdir()] == [blob.sha256]
