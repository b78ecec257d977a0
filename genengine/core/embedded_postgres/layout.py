"""Where a cluster keeps its files, which roles it has, and how to connect to it. Pure: touches no server."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from genengine.core.state_files import random_token, read_or_create_secret

DATABASE = "genengine"

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the file name ".s.PGSQL.5432" and the final NUL
# included.
LONGEST_SOCKET_DIR = 104 - len("/.s.PGSQL.5432") - 1


class Role(StrEnum):
    """Who may do what in the cluster."""

    SUPER = "genengine_super"  # the launcher and tests only
    OWNER = "genengine_owner"  # migrations: owns database, schema and tables
    APP = "genengine_app"  # everything else: rows, no definitions


@dataclass(frozen=True)
class ClusterLayout:
    """The files of one cluster below a state directory.

    `root` differs from `<state_dir>/postgres` only when we are root and the state directory cannot be reached by the
    ordinary user that runs the server (a checkout below a 0700 home): PostgreSQL refuses to run as root, so its files
    then live below /var/lib/genengine, or in the temporary folder when the state itself is only temporary.
    """

    state_dir: Path

    @property
    def root(self) -> Path:
        if os.geteuid() == 0 and not reachable_by_others(self.state_dir):
            return self._reachable_root()
        return self.state_dir / "postgres"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def socket_dir(self) -> Path:
        """The 0700 directory of the socket; a short temporary path when ours would be too long."""
        preferred = self.root / "run"
        if len(os.fsencode(preferred)) <= LONGEST_SOCKET_DIR:
            return preferred
        return Path(tempfile.gettempdir()) / f"genengine-{os.geteuid()}-{self._digest}"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    def password(self, role: Role) -> str:
        """The role's password, made on first use; the file's mode is 0600."""
        return read_or_create_secret(self.state_dir / "secrets" / f"{role.value}.password", random_token)

    def url(self, role: Role, database: str = DATABASE) -> str:
        """The address as DATABASE_URL would spell it: postgresql://role:password@/name?host=/socket/dir."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{role.value}:{quote(self.password(role), safe='')}@/{quote(database)}?host={host}"

    def connection(self, role: Role, database: str = DATABASE) -> dict[str, Any]:
        """The same as keyword arguments of `psycopg.connect`."""
        return {
            "host": str(self.socket_dir),
            "user": role.value,
            "password": self.password(role),
            "dbname": database,
        }

    def _reachable_root(self) -> Path:
        temporary = Path(tempfile.gettempdir()).resolve()
        if self.state_dir.resolve().is_relative_to(temporary):
            return temporary / f"genengine-postgres-{self._digest}"
        return Path("/var/lib/genengine") / self._digest

    @property
    def _digest(self) -> str:
        return hashlib.sha256(os.fsencode(self.state_dir.resolve())).hexdigest()[:12]


def reachable_by_others(path: Path) -> bool:
    """Whether a user who owns nothing here may walk to `path` (it need not exist yet)."""
    existing = [part for part in (path, *path.resolve().parents) if part.exists()]
    # The state directory itself is made 0711 by us, so only its parents decide.
    return all(part == path or part.stat().st_mode & stat.S_IXOTH for part in existing)
