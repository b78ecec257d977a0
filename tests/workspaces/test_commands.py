"""The commands that operators run: keys, and the proofs of books, trail and log."""

from __future__ import annotations

import io

import psycopg
import pytest
from django.core.management import CommandError, call_command

from billing.caps.models import Cap
from genengine.core import clock
from genengine.core.embedded_postgres import Cluster, Role
from genengine.workspaces.models import ApiKey
from genengine.workspaces.services import authenticate_key
from tests.conftest import EXTERNAL_DATABASE
from tests.database import state_directory, worker_database
from tests.factories.jobs import make_job, make_plan, make_principal, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def past_the_application(statement: str) -> None:
    """Write past the application, as nobody should."""
    if EXTERNAL_DATABASE:
        pytest.skip("needs the superuser of a server of our own")
    parameters = Cluster.below(state_directory()).layout.connection(Role.SUPER, worker_database())
    with psycopg.connect(**parameters, autocommit=True) as own:
        own.execute("SET session_replication_role = replica")
        own.execute(statement)


def test_apikey_create_prints_the_key_alone() -> None:
    make_workspace()
    code, out = run("apikey", "create", "--workspace", "aurora", "--role", "viewer", "--scopes", "read,exports")
    assert code == 0
    lines = out.strip().splitlines()
    assert len(lines) == 1
    key = authenticate_key(lines[0], now=clock.now())
    assert key is not None
    assert (key.role, key.scopes, key.expires_at) == ("viewer", ["exports", "read"], None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--workspace", "nowhere"], "aurora"),
        (["--workspace", "aurora", "--scopes", "everything"], "read"),
        (["--workspace", "aurora", "--expires-days", "0"], "past"),
    ],
)
def test_apikey_create_says_what_is_wrong(arguments: list[str], says: str) -> None:
    make_workspace()
    with pytest.raises(CommandError, match=says):
        call_command("apikey", "create", *arguments)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", ["ledger", "audit", "events"])
def test_verify_succeeds_on_what_the_application_wrote(name: str) -> None:
    make_job(make_principal(make_workspace()), make_plan())
    assert run(name, "verify")[0] == 0


def test_ledger_verify_finds_a_balance_that_its_entries_do_not_give() -> None:
    job = make_job(make_principal(make_workspace()), make_plan())
    Cap.objects.filter(scope_id=str(job.pk)).update(spent_micro=1)
    code, out = run("ledger", "verify")
    assert code == 1
    assert "row says" in out


def test_audit_verify_finds_an_altered_entry() -> None:
    make_job(make_principal(make_workspace()), make_plan())
    past_the_application("UPDATE compliance_auditentry SET action = 'nothing.happened' WHERE seq = 1")
    code, out = run("audit", "verify")
    assert code == 1
    assert "entry 1 was altered" in out


def test_events_verify_finds_a_missing_event() -> None:
    make_job(make_principal(make_workspace()), make_plan())
    past_the_application("DELETE FROM core_event WHERE seq = 2")
    code, out = run("events", "verify")
    assert code == 1
    assert "gap" in out


def test_workspace_create_makes_a_person_the_first_admin() -> None:
    owner = make_principal(make_workspace(), email="owner@example.org").user
    assert owner is not None
    code, out = run("workspace", "create", "--name", "Acme Drinks", "--owner", "Owner@example.org", "--mode", "live")
    assert (code, out.strip()) == (0, "/w/acme-drinks/")
    membership = owner.memberships.get(workspace__slug="acme-drinks")
    assert (membership.role, membership.workspace.mode) == ("admin", "live")
    with pytest.raises(CommandError, match="Nobody has the address"):
        call_command("workspace", "create", "--name", "Other", "--owner", "nobody@example.org")
