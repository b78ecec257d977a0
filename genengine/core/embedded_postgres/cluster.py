"""One PostgreSQL cluster: made, started, given its roles, stopped."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from genengine.core.embedded_postgres.binaries import (
    CLEAN_ENVIRONMENT,
    MAJOR_VERSION,
    ServerUser,
    locate_binaries,
    server_user,
)
from genengine.core.embedded_postgres.errors import (
    EmbeddedPostgresError,
    ServerDidNotStart,
    WrongServerVersion,
)
from genengine.core.embedded_postgres.layout import DATABASE, ClusterLayout, Role
from genengine.core.processes import die_with_parent

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
STATE_DIR_MODE = 0o711  # others may walk through to the server's own directories, and read nothing


@dataclass(frozen=True)
class ServerOptions:
    """How the server is run; `durable=False` is for tests: no fsync, a crash may lose everything."""

    durable: bool = True
    max_connections: int = 150

    @property
    def arguments(self) -> list[str]:
        values = {"max_connections": str(self.max_connections), "log_min_messages": "warning"}
        if not self.durable:
            values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


@dataclass
class Cluster:
    """A cluster below one state directory; `start` is safe to call on a fresh one and on one that crashed."""

    layout: ClusterLayout
    options: ServerOptions = field(default_factory=ServerOptions)
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def below(cls, state_dir: Path, options: ServerOptions | None = None) -> "Cluster":
        return cls(ClusterLayout(state_dir), options or ServerOptions())

    def start(self, *, detached: bool = False, extra_fds: tuple[int, ...] = ()) -> None:
        """Make the cluster when there is none, start the server, give it its roles; returns when it answers.

        `detached`: the server does not end with the calling process (short commands share one).
        """
        user = server_user()
        binaries = self._prepare(user)
        if not (self.layout.data / "PG_VERSION").exists():
            self._initialise(binaries, user)
        self._refuse_other_major_version()
        self.process = self._spawn(binaries, user, detached=detached, extra_fds=extra_fds)
        self._wait_until_it_answers()
        self._create_roles_and_database()

    def stop(self, *, fast: bool = True) -> None:
        """Stop the server we started: SIGINT (fast, data safe), SIGQUIT at the deadline."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if fast else signal.SIGQUIT)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(STOP_TIMEOUT_S)
        self.process = None

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def answers(self) -> bool:
        """Whether a server takes connections on our socket right now."""
        try:
            with psycopg.connect(**self.layout.connection(Role.SUPER, "postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def pid(self) -> int | None:
        """The running server's process id, from its own pid file."""
        try:
            return int((self.layout.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database owned by the owner role, with the application role's default privileges."""
        with psycopg.connect(**self.layout.connection(Role.SUPER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(Role.OWNER), sql.Identifier(template)
                )
            )
        if template == "template1":
            self._grant(name)

    def _prepare(self, user: ServerUser) -> Path:
        binaries = locate_binaries(make_root(self.layout), user)
        _private_directory(self.layout.socket_dir, user)
        return binaries

    def _initialise(self, binaries: Path, user: ServerUser) -> None:
        """Run initdb beside the final place and move it there when it is complete: a kill leaves no half
        cluster.
        """
        workshop = Path(tempfile.mkdtemp(dir=self.layout.root, prefix="initdb-"))
        user.own(workshop)
        password_file = workshop / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.layout.password(Role.SUPER))
        user.own(password_file)
        try:
            subprocess.run(
                [
                    binaries / "initdb",
                    *("-D", workshop / "data", "-U", Role.SUPER.value, f"--pwfile={password_file}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"),
                    *(() if self.options.durable else ("--no-sync",)),
                ],
                env=CLEAN_ENVIRONMENT,
                cwd=workshop,
                check=True,
                capture_output=True,
                **user.process_options,  # type: ignore[call-overload]
            )
        except subprocess.CalledProcessError as failure:
            raise EmbeddedPostgresError(f"initdb failed: {failure.stderr.decode(errors='replace')[-800:]}") from failure
        (workshop / "data").rename(self.layout.data)
        password_file.unlink()
        workshop.rmdir()

    def _refuse_other_major_version(self) -> None:
        found = (self.layout.data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR_VERSION):
            raise WrongServerVersion(
                f"{self.layout.data} was written by PostgreSQL {found}, this build brings {MAJOR_VERSION}. "
                f"Dump it with pg_dumpall of version {found}, move the directory away, start again and load the dump."
            )

    def _spawn(
        self, binaries: Path, user: ServerUser, *, detached: bool, extra_fds: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        with open(self.layout.log, "ab") as log:
            return subprocess.Popen(
                [
                    binaries / "postgres",
                    *("-D", self.layout.data, "-k", self.layout.socket_dir, "-h", ""),
                    *("-c", "unix_socket_permissions=0700"),
                    *self.options.arguments,
                ],
                env=CLEAN_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=extra_fds,
                start_new_session=True,
                preexec_fn=None if detached else die_with_parent(signal.SIGINT),
                **user.process_options,  # type: ignore[call-overload]
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise ServerDidNotStart(f"PostgreSQL did not start. The end of {self.layout.log}:\n{self._log_tail()}")
            time.sleep(0.03)

    def _log_tail(self) -> str:
        try:
            return self.layout.log.read_text(errors="replace")[-1500:]
        except OSError:
            return "(no log)"

    def _create_roles_and_database(self) -> None:
        with psycopg.connect(**self.layout.connection(Role.SUPER, "postgres"), autocommit=True) as connection:
            existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in (Role.OWNER, Role.APP):
                if role not in existing:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(self.layout.password(role))
                        )
                    )
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            self.create_database(DATABASE)

    def _grant(self, database: str) -> None:
        """The application may use every table the owner makes from now on, and define none."""
        owner, app = sql.Identifier(Role.OWNER), sql.Identifier(Role.APP)
        statements = (
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)),
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(database), app),
            sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app),
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}").format(
                owner, app
            ),
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT USAGE, SELECT ON SEQUENCES TO {}").format(owner, app),
        )
        with psycopg.connect(**self.layout.connection(Role.SUPER, database)) as connection:
            for statement in statements:
                connection.execute(statement)


def make_root(layout: ClusterLayout) -> Path:
    """Make the state directory and the cluster's root, both walkable for the server's user; ours, nobody else's."""
    layout.state_dir.mkdir(parents=True, exist_ok=True)
    layout.state_dir.chmod(STATE_DIR_MODE)
    root = layout.root
    root.mkdir(parents=True, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.geteuid():
        raise EmbeddedPostgresError(f"{root} belongs to somebody else: remove it, or set GE_STATE_DIR to another path.")
    root.chmod(STATE_DIR_MODE)
    return root


def _private_directory(path: Path, user: ServerUser) -> None:
    """Make `path` 0700 for the server's user; refuse one that somebody else put there first."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status: Any = path.lstat()
    expected = {os.geteuid(), user.uid if user.uid is not None else os.geteuid()}
    if path.is_symlink() or status.st_uid not in expected:
        raise EmbeddedPostgresError(
            f"{path} belongs to somebody else: remove it, or set GE_STATE_DIR to a shorter path."
        )
    user.own(path)
    path.chmod(0o700)
