import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from genengine.settings import environment as env
from tests.support.processes import REPOSITORY


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setattr(env, "DECLARED", {})


@pytest.mark.parametrize(("raw", "value"), [("true", True), ("ON", True), ("1", True), ("no", False), ("0", False)])
def test_flags_read_the_usual_words(monkeypatch, raw, value):
    monkeypatch.setenv("X_FLAG", raw)
    assert env.flag("X_FLAG", not value, "A flag.") is value


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (lambda: env.flag("X_BAD", False, "A flag."), "perhaps"),
        (lambda: env.integer("X_BAD", 1, "A count.", at_least=1, at_most=5), "9"),
        (lambda: env.integer("X_BAD", 1, "A count."), "many"),
        (lambda: env.choice("X_BAD", "a", ("a", "b"), "A choice."), "c"),
        (lambda: env.url("X_BAD", "", ("http",), "An address."), "ftp://x"),
        (lambda: env.decimal_number("X_BAD", 1.0, "A number."), "-1"),
    ],
)
def test_a_wrong_value_names_itself_and_what_it_is_for(monkeypatch, read, raw):
    monkeypatch.setenv("X_BAD", raw)
    with pytest.raises(ImproperlyConfigured, match=rf"X_BAD='{raw}' cannot be used: .* An? "):
        read()


def test_a_wrong_secret_is_not_shown(monkeypatch):
    monkeypatch.setenv("X_SECRET", "mysql://user:hunter2@host/db")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.url("X_SECRET", "", ("postgresql",), "A database.", secret=True)
    assert "hunter2" not in str(caught.value)


def test_an_empty_value_is_unset(monkeypatch):
    monkeypatch.setenv("X_EMPTY", "")
    assert env.integer("X_EMPTY", 7, "A count.") == 7


def start(**environment):
    return subprocess.run(
        [sys.executable, "manage.py", "diffsettings"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_wrong_value_stops_the_start(tmp_path):
    answer = start(GE_STATE_DIR=str(tmp_path), GE_WORKERS="lots")

    assert answer.returncode != 0
    assert "GE_WORKERS='lots' cannot be used" in answer.stderr


def test_production_wants_the_address_people_use(tmp_path):
    answer = start(GE_STATE_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="genengine.settings.production")

    assert "GE_BASE_URL must be set" in answer.stderr


def test_production_refuses_debug(tmp_path):
    answer = start(
        GE_STATE_DIR=str(tmp_path),
        GE_BASE_URL="https://ads.example.com",
        GE_DEBUG="1",
        DJANGO_SETTINGS_MODULE="genengine.settings.production",
    )
    assert "GE_DEBUG must be off" in answer.stderr


def test_keys_are_made_once_for_their_owner_only(tmp_path):
    first = start(GE_STATE_DIR=str(tmp_path))
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    second = start(GE_STATE_DIR=str(tmp_path))

    assert (first.returncode, second.returncode) == (0, 0)
    assert {"secret-key", "encryption-keys"} <= set(made)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "secrets").iterdir())
