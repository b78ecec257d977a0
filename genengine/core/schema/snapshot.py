"""Making, reading and loading the snapshot."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from genengine.core.embedded_postgres import MAJOR_VERSION

FOLDER = Path(__file__).parent
STATEMENTS = FOLDER / "snapshot.sql"
MIGRATIONS = FOLDER / "migrations.txt"

HEAD = "-- What all migrations make of an empty database. `manage.py schema_snapshot` writes it.\n"
# How pg_dump prepares its own session, says that an identity column starts at 1, and speaks to psql.
NOISE = ("--", "SET ", "SELECT pg_catalog.set_config(", "\\")
UNUSED_SEQUENCE = ("SELECT pg_catalog.setval(", ", 1, false);")

Name = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """SQL of one empty installation and the migrations (app label, name) that it stands for."""

    statements: str
    migrations: frozenset[Name]

    def write(self) -> None:
        """Put it where `read_snapshot` finds it."""
        STATEMENTS.write_text(HEAD + self.statements, encoding="utf-8")
        MIGRATIONS.write_text("".join(f"{app} {name}\n" for app, name in sorted(self.migrations)), encoding="utf-8")


def read_snapshot() -> Snapshot:
    """Return the snapshot of this release."""
    lines = MIGRATIONS.read_text(encoding="utf-8").splitlines()
    names = frozenset((app, name) for app, _, name in (line.partition(" ") for line in lines))
    return Snapshot(STATEMENTS.read_text(encoding="utf-8").removeprefix(HEAD), names)


def migrations_on_disk() -> frozenset[Name]:
    """Return every migration of every installed app."""
    return frozenset(MigrationLoader(None).disk_migrations or {})


def load_into_empty(connection: BaseDatabaseWrapper, snapshot: Snapshot) -> bool:
    """Load the snapshot when nothing is there yet; returns whether it did.

    Left to the migrations: a database that holds any table, a server of another major version than the one that wrote
    the snapshot, and a snapshot that knows migrations which this release does not have.
    """
    if not _fits(connection, snapshot):
        return False
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute(snapshot.statements)
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        done = [recorder.Migration(app=app, name=name) for app, name in sorted(snapshot.migrations)]
        recorder.migration_qs.bulk_create(done)
    return True


def _fits(connection: BaseDatabaseWrapper, snapshot: Snapshot) -> bool:
    if connection.vendor != "postgresql" or connection.introspection.table_names():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        major = int(cursor.fetchone()[0]) // 10_000
    return major == MAJOR_VERSION and snapshot.migrations <= migrations_on_disk()


def make_snapshot(connection: BaseDatabaseWrapper, binaries: Path) -> Snapshot:
    """Run every migration on the empty database of `connection` and dump what they made; `binaries` holds pg_dump.

    No `post_migrate`: content types and permissions are made after the migrations, whichever way these were applied.
    """
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    return Snapshot(dumped(connection, binaries), frozenset(executor.loader.disk_migrations or {}))


def dumped(connection: BaseDatabaseWrapper, binaries: Path) -> str:
    """Return definitions and rows of a database as SQL, without owners, rights and Django's list of migrations."""
    place = connection.settings_dict
    answer = subprocess.run(
        [
            binaries / "pg_dump",
            *("--host", place["HOST"], "--username", place["USER"], "--dbname", place["NAME"], "--no-password"),
            *("--no-owner", "--no-privileges", "--no-comments", "--inserts"),
            "--exclude-table=public.django_migrations",
        ],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGPASSWORD": place["PASSWORD"]},
        check=True,
        capture_output=True,
        text=True,
    )
    return "".join(f"{line}\n" for line in answer.stdout.splitlines() if not _is_noise(line))


def _is_noise(line: str) -> bool:
    start, end = UNUSED_SEQUENCE
    return not line.strip() or line.startswith(NOISE) or (line.startswith(start) and line.endswith(end))
