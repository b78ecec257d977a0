import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from genengine.core.state_files import read_or_create_secret


def test_a_secret_is_made_once_and_kept(tmp_path):
    numbers = count()
    first = read_or_create_secret(tmp_path / "secrets" / "key", lambda: str(next(numbers)))

    assert read_or_create_secret(tmp_path / "secrets" / "key", lambda: str(next(numbers))) == first
    assert stat.S_IMODE((tmp_path / "secrets" / "key").stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path):
    numbers = count()
    with ThreadPoolExecutor(16) as pool:
        seen = set(pool.map(lambda _: read_or_create_secret(tmp_path / "key", lambda: str(next(numbers))), range(64)))
    assert len(seen) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
