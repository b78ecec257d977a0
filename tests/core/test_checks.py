from collections import namedtuple
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from genengine.core import checks

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def fresh_state(settings, tmp_path):
    settings.GE_STATE_DIR = tmp_path
    (tmp_path / "secrets").mkdir()
    return tmp_path


def ids(messages):
    return [message.id for message in messages]


def test_a_key_that_others_can_read_is_an_error_with_its_cure(fresh_state):
    key = fresh_state / "secrets" / "secret-key"
    key.write_text("x")
    key.chmod(0o644)
    (problem,) = checks.secret_files()

    assert problem.id == "core.E002"
    assert problem.hint == f"chmod 600 {key}"
    key.chmod(0o600)
    assert checks.secret_files() == []


@pytest.mark.parametrize(("free", "expected"), [(5e8, ["core.E004"]), (5e9, ["core.W001"]), (5e11, [])])
def test_a_full_disk_is_seen_before_it_breaks_a_render(fresh_state, monkeypatch, free, expected):
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: Usage(1e12, 0, free))

    assert ids(checks.free_space()) == expected


def test_a_broken_encryption_key_is_named_not_shown(settings):
    settings.GE_SECRET_KEYS = ["k2:not-a-key", *settings.GE_SECRET_KEYS]
    (problem,) = checks.encryption_keys()

    assert problem.id == "core.E003"
    assert "k2" in problem.msg
    assert "not-a-key" not in problem.msg


@pytest.mark.django_db
def test_an_application_role_that_owns_tables_is_warned_about(monkeypatch):
    assert checks.database_role() == []

    class Owner:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def execute(self, query):
            pass

        def fetchone(self):
            return (True,)

    monkeypatch.setattr(checks.connections["default"], "cursor", Owner)
    assert ids(checks.database_role()) == ["core.W003"]


@pytest.mark.django_db
def test_the_doctor_finds_this_machine_fit():
    said = StringIO()
    call_command("doctor", stdout=said)

    assert "PostgreSQL answers and is new enough" in said.getvalue()
    assert "ffmpeg and ffprobe run" in said.getvalue()


@pytest.mark.django_db
def test_the_doctor_fails_when_something_must_be_mended(fresh_state, monkeypatch):
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: Usage(1e12, 0, 0))
    said = StringIO()

    with pytest.raises(CommandError, match="to mend"):
        call_command("doctor", stdout=said)
    assert "core.E004" in said.getvalue()
