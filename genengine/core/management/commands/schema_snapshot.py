"""``manage.py schema_snapshot``: write what `migrate` loads into an empty database, or say whether it still holds."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from dataclasses import replace
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from genengine.core.embedded_postgres import Cluster, Role, ServerOptions, locate_binaries, server_user
from genengine.core.schema.snapshot import (
    Snapshot,
    dumped,
    load_into_empty,
    make_snapshot,
    migrations_on_disk,
    read_snapshot,
)

WRITE = "Run `manage.py schema_snapshot` and commit what it writes."
DIFFERENCES_SHOWN = 40


class Command(BaseCommand):
    """Make a server of its own for a moment, run every migration on it, and keep the outcome as SQL."""

    help = "Write the schema of an empty database, which `migrate` loads in one go."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--check", action="store_true", help="Only say whether a migration is missing in it.")
        group.add_argument(
            "--verify", action="store_true", help="Run all migrations, and say whether both ways lead to the same."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
            return
        with tempfile.TemporaryDirectory(prefix="ge-schema-") as name:
            cluster = Cluster.below(Path(name), ServerOptions(durable=False))
            with cluster.running():
                try:
                    self._verify(cluster) if options["verify"] else self._write(cluster)
                finally:
                    connection.close()

    def _check(self) -> None:
        kept, there = read_snapshot().migrations, migrations_on_disk()
        if kept != there:
            names = ", ".join(".".join(one) for one in sorted(kept ^ there))
            raise CommandError(f"The schema snapshot and the migrations differ by {names}. {WRITE}")

    def _write(self, cluster: Cluster) -> None:
        made = _by_steps(cluster)
        made.write()
        self.stdout.write(f"{len(made.migrations)} migrations, {len(made.statements.splitlines())} lines.")

    def _verify(self, cluster: Cluster) -> None:
        kept = read_snapshot()
        _compare(kept.statements, _by_steps(cluster).statements, "all migrations, one after another,")
        _compare(kept.statements, _at_once(cluster, kept, "at_once"), "the snapshot itself, loaded,")
        self.stdout.write("Both ways lead to the same schema.")


def _by_steps(cluster: Cluster) -> Snapshot:
    """What all migrations make, as PostgreSQL writes it once it has read it back: conditions of indexes change then."""
    _point_at(cluster, "by_steps")
    made = make_snapshot(connection, _binaries(cluster))
    return replace(made, statements=_at_once(cluster, made, "read_back"))


def _at_once(cluster: Cluster, kept: Snapshot, database: str) -> str:
    _point_at(cluster, database)
    if not load_into_empty(connection, kept):
        raise CommandError(f"The snapshot knows migrations that are not there any more. {WRITE}")
    return dumped(connection, _binaries(cluster))


def _binaries(cluster: Cluster) -> Path:
    return locate_binaries(cluster.layout.root, server_user())


def _point_at(cluster: Cluster, database: str) -> None:
    connection.close()
    cluster.create_database(database)
    place = cluster.layout.connection(Role.OWNER, database)
    connection.settings_dict.update(
        {"NAME": database, "HOST": place["host"], "PORT": "", "USER": place["user"], "PASSWORD": place["password"]}
    )


def _compare(kept: str, made: str, by: str) -> None:
    """Refuse with the first differences."""
    lines = unified_diff(kept.splitlines(), made.splitlines(), "the snapshot", f"what {by} make", lineterm="", n=1)
    if shown := "\n".join(islice(lines, DIFFERENCES_SHOWN)):
        raise CommandError(f"The schema snapshot is out of date. {WRITE}\n{shown}")
