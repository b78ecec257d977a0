"""Files of the state directory that hold secrets: made on first use, readable by their owner only."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


def read_or_create_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret stored at `path`, making it with mode 0600 when it is not there yet.

    Two processes that start together agree on one value: the file is linked into place complete, and whoever
    comes second reads what the first wrote.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(make() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
    return path.read_text(encoding="utf-8").strip()


def random_token() -> str:
    """43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)
