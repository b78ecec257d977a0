"""An empty database is filled at once with what all migrations make; any other goes forward by migrations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from genengine.core.embedded_postgres import Cluster, Role
from genengine.core.schema import load_into_empty, read_snapshot
from tests.conftest import EXTERNAL_DATABASE
from tests.database import state_directory
from tests.support.processes import REPOSITORY

pytestmark = pytest.mark.skipif(bool(EXTERNAL_DATABASE), reason="makes databases on the session's private server")


@pytest.fixture
def empty(django_db_setup: None, django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    """A connection, as the tables' owner, to a new database without a table."""
    cluster, name = Cluster.below(state_directory()), f"ge_{uuid4().hex}"
    with django_db_blocker.unblock():
        cluster.create_database(name)
        connection = connections["default"].copy(alias=name)
        password = cluster.layout.password(Role.OWNER)
        connection.settings_dict.update({"NAME": name, "USER": Role.OWNER.value, "PASSWORD": password})
        connections[name] = connection
        yield connection
        connection.close()
        del connections[name]


@pytest.mark.slow
def test_all_migrations_in_turn_and_the_snapshot_lead_to_the_same_schema(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "schema_snapshot", "--verify"]
    environment = {"PATH": os.environ["PATH"], "GE_STATE_DIR": str(tmp_path / "state")}
    answer = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "state" / "postgres").exists(), "it works on a server of its own"


def test_an_empty_database_is_filled_at_once_and_a_filled_one_is_left_alone(empty: BaseDatabaseWrapper) -> None:
    snapshot = read_snapshot()
    assert load_into_empty(empty, snapshot)
    assert {"jobs_job", "billing_entry", "django_migrations"} <= set(empty.introspection.table_names())
    assert set(MigrationRecorder(empty).applied_migrations()) == snapshot.migrations
    assert not load_into_empty(empty, snapshot)


def test_a_snapshot_of_another_release_is_not_loaded(empty: BaseDatabaseWrapper) -> None:
    kept = read_snapshot()
    assert not load_into_empty(empty, replace(kept, migrations=kept.migrations | {("core", "9999_of_a_later_release")}))
    assert empty.introspection.table_names() == []


def test_a_load_that_fails_leaves_the_database_empty(empty: BaseDatabaseWrapper) -> None:
    kept = read_snapshot()
    with pytest.raises(Exception, match="nowhere"):
        load_into_empty(empty, replace(kept, statements=kept.statements + "DROP TABLE nowhere;"))
    assert empty.introspection.table_names() == []


def test_a_migration_that_the_snapshot_lacks_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("schema_snapshot", check=True)
    older = replace(read_snapshot(), migrations=read_snapshot().migrations - {("core", "0001_initial")})
    monkeypatch.setattr("genengine.core.management.commands.schema_snapshot.read_snapshot", lambda: older)
    with pytest.raises(CommandError, match=r"core\.0001_initial.*schema_snapshot"):
        call_command("schema_snapshot", check=True)
