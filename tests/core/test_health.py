from datetime import timedelta

import pytest

from genengine.core import health
from genengine.core.clock import now
from genengine.core.pulse import beat

ROLES = ("pump", "worker-default", "worker-media")


@pytest.fixture
def everyone_alive(db):
    for role in ROLES:
        beat(role=role, host="here", pid=1, now=now())


def test_is_ready_when_everyone_shows_a_pulse(client, everyone_alive):
    answer = client.get("/readyz")

    assert answer.status_code == 200, answer.json()
    assert answer.json()["ready"] is True


@pytest.mark.parametrize("role", ROLES)
def test_names_the_process_that_fell_silent(client, everyone_alive, role):
    beat(role=role, host="here", pid=1, now=now() - timedelta(minutes=5))
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert [name for name, verdict in answer.json()["checks"].items() if verdict != "ok"] == [role]


def test_a_full_or_missing_storage_is_named(client, everyone_alive, monkeypatch):
    def no_space(*args, **kwargs):
        raise OSError(28, "No space left on device: /secret/path")

    monkeypatch.setattr(health.default_storage, "save", no_space)
    answer = client.get("/readyz")

    assert answer.json()["checks"]["storage"] == "failing"
    assert b"/secret/path" not in answer.content


def test_a_lost_database_makes_it_unready_but_not_dead(client, monkeypatch):
    from django.db.utils import OperationalError

    def lost(*args, **kwargs):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(health.connection, "cursor", lost)

    assert client.get("/readyz").json()["checks"]["database"] == "unreachable"
    assert client.get("/healthz").status_code == 200
