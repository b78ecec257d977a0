"""Temporary files of one task run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def workspace_folder(name: str) -> Iterator[Path]:
    """A temporary folder of one task run, below the installation's work folder, gone afterwards."""
    Path(settings.GE_WORK_DIR).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=settings.GE_WORK_DIR) as folder:
        yield Path(folder)
