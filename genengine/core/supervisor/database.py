"""The database part of `up`: keep the embedded server running, bring the schema up to date once."""

import subprocess
import sys
import time

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from genengine.core.embedded_postgres import Cluster, EmbeddedPostgresError
from genengine.core.supervisor.child import FIRST_RESTART_AFTER_S, LONGEST_RESTART_AFTER_S
from genengine.core.supervisor.output import Output

# Any number will do as long as every installation of the product uses the same one.
MIGRATION_LOCK = 7_420_331


class ServerKeeper:
    """Starts the embedded server again when it is gone."""

    def __init__(self, cluster: Cluster, output: Output) -> None:
        self.cluster = cluster
        self.output = output
        self.failures = 0
        self.restart_at = 0.0

    def start(self) -> None:
        self.cluster.start()

    def look_after(self) -> None:
        process = self.cluster.process
        if process is not None and process.poll() is None:
            return
        if process is not None:
            self.output.say("postgres is gone; it starts again")
            self.cluster.process = None
        if time.monotonic() >= self.restart_at:
            self._try_again()

    def stop(self) -> None:
        self.cluster.stop()

    def _try_again(self) -> None:
        try:
            self.cluster.start()
            self.failures = 0
        except EmbeddedPostgresError as problem:
            self.cluster.stop()
            self.failures += 1
            pause = min(LONGEST_RESTART_AFTER_S, FIRST_RESTART_AFTER_S * 2 ** (self.failures - 1))
            self.restart_at = time.monotonic() + pause
            self.output.say(f"postgres does not start yet ({problem}); next try in {pause:.1f} s")


def migrate_once(manage: str, output: Output) -> None:
    """Apply missing migrations as the tables' owner; several hosts that start together take turns."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            missing = _missing_migrations()
            if missing:
                output.say(f"applying {missing} migrations")
                subprocess.run([sys.executable, manage, "migrate", "--verbosity", "0", "--no-input"], check=True)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def sync_registry() -> None:
    """Bring the model cards in the database to what this release ships; in this process, so that it takes no time."""
    call_command("registry", "sync", verbosity=0)


def _missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
