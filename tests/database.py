"""The test databases: one migrated template a session, a copy for every xdist worker, and how a test leaves
it clean.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from genengine.core.embedded_postgres import Cluster, Role

TEMPLATE = "ge_template"


def worker_database() -> str:
    return f"ge_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def use_private_database(cluster: Cluster) -> None:
    """Point Django at this worker's own copy of the migrated template, as the application's role."""
    _make_template_once(cluster)
    _point_django_at(cluster, Role.APP, worker_database(), create_from=TEMPLATE)


def _make_template_once(cluster: Cluster) -> None:
    marker = cluster.layout.state_dir / "template.lock"
    with open(marker, "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() == "ready":
            return
        cluster.create_database(TEMPLATE)
        _point_django_at(cluster, Role.OWNER, TEMPLATE)
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
        connections["default"].close()
        lock.write("ready")
        lock.flush()


def _point_django_at(cluster: Cluster, role: Role, database: str, *, create_from: str = "") -> None:
    connection = connections["default"]
    connection.close()
    if create_from:
        cluster.create_database(database, template=create_from)
    target = {"NAME": database, "USER": role.value, "PASSWORD": cluster.layout.password(role)}
    connection.settings_dict.update(target)
    connections.settings["default"].update(target)


class TableCleaner:
    """Empties what a transactional test filled, as superuser: append-only triggers and foreign keys stay out
    of the way.

    Tables that hold rows right after migration (content types, permissions, seeded rows) are left alone.
    """

    def __init__(self, connect: dict[str, Any] | str) -> None:
        self._connect = connect
        self._tables: list[str] | None = None

    def remember(self) -> None:
        """Call once on the fresh database: learns which tables start empty."""
        with self._open() as connection:
            names = [
                row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ]
            self._tables = [name for name in names if not self._filled(connection, [name])]

    def clean(self) -> None:
        with self._open() as connection:
            connection.execute("SET session_replication_role = replica")
            for name in self._filled(connection, self._tables or []):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))

    def _open(self) -> psycopg.Connection[Any]:
        if isinstance(self._connect, str):
            return psycopg.connect(self._connect)
        return psycopg.connect(**self._connect)

    @staticmethod
    def _filled(connection: psycopg.Connection[Any], names: list[str]) -> list[str]:
        if not names:
            return []
        probe = sql.SQL(" UNION ALL ").join(
            sql.SQL("(SELECT {} WHERE EXISTS (SELECT 1 FROM {}))").format(sql.Literal(name), sql.Identifier(name))
            for name in names
        )
        return [row[0] for row in connection.execute(probe)]


def state_directory() -> Path:
    return Path(os.environ["GE_TEST_STATE_DIR"])
