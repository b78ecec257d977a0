"""The cache on disk: whole files only, bounded, shared by processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from genengine.media.store import Store
from tests.media.support import REPOSITORY


def test_what_was_put_is_got_and_other_keys_are_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("aa11", "piece", b"one")
    assert store.get("aa11", "piece") == b"one"
    assert store.get("aa11", "sound") is None
    assert store.get("bb22", "piece") is None


def test_eviction_removes_the_least_recently_used_until_the_limit_holds(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=250)
    for number, key in enumerate(("aa", "bb", "cc", "dd")):
        store.put(key, "piece", bytes(100))
        os.utime(tmp_path / key / f"{key}.piece", (1000 + number, 1000 + number))
    store.get("aa", "piece")
    assert store.evict() == 200
    assert [key for key in ("aa", "bb", "cc", "dd") if store.get(key, "piece")] == ["aa", "dd"]


def test_a_folder_that_cannot_be_written_only_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    Store(tmp_path / "file").put("aa", "piece", b"x")
    assert Store(tmp_path / "file").get("aa", "piece") is None


def test_several_processes_write_read_and_evict_at_once_and_see_only_whole_entries(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from genengine.media.store import Store
store, bad = Store(Path(sys.argv[1]), limit=400_000), 0
for turn in range(150):
    key = f"{turn % 7:02d}key"
    store.put(key, "piece", key.encode() * 10_000)
    seen = store.get(key, "piece")
    bad += seen is not None and seen != key.encode() * 10_000
    if turn % 10 == 0:
        store.evict()
sys.exit(bad)
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    Store(tmp_path, limit=400_000).evict()
    assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= 400_000
    assert not list(tmp_path.glob("*/.new-*"))
