import json
import subprocess
import sys

import pytest

from genengine.core.logging import REDACTED, redact
from tests.support.processes import REPOSITORY


@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer abcdefgh12345678",
        "sk-live1234567890abcd",
        "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl",
        "https://cdn.example.com/v.mp4?X-Amz-Signature=deadbeef&x=1",
        "postgresql://user:hunter2pass@host/db",
        "/media/eyJuIjoiYmxvYnMiLCJmIjoiYSJ9:signature-part",
    ],
)
def test_secrets_in_texts_never_get_through(secret):
    cleaned = redact(secret)

    assert REDACTED in cleaned
    for part in ("abcdefgh12345678", "1234567890abcd", "c2lnbmF0dXJl", "deadbeef", "hunter2pass", "signature-part"):
        assert part not in cleaned


def test_secrets_are_known_by_their_key_at_any_depth():
    event = {"exchange": {"headers": [{"X-Api-Key": "abc"}], "status": 200}, "password": "x", "display_name": "Ann"}

    assert redact(event) == {
        "exchange": {"headers": [{"X-Api-Key": REDACTED}], "status": 200},
        "password": REDACTED,
        "display_name": REDACTED,
    }


def test_addresses_of_people_are_left_out():
    assert redact("invite sent to ann.lee@example.com today") == "invite sent to [e-mail] today"


def test_ordinary_texts_stay_as_they_are():
    text = "clip 7f3a of branch hero: 5.0 s at 1080x1920, attempt 2 of 3"
    assert redact(text) == text


EMIT = """
import logging, logging.config, sys
from genengine.core.logging import logging_configuration
logging.config.dictConfig(logging_configuration(level="INFO", pretty=False))
import structlog
from genengine.core.correlation import correlated
with correlated("request-12345678"):
    structlog.get_logger("genengine.test").info("attempt.submitted", attempt_id="a1", api_key="very-secret")
    logging.getLogger("django.db").warning("connection %s lost", "postgresql://u:passw0rd@h/d")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("anything").exception("render failed for bob@example.com")
"""


def test_a_process_writes_one_json_object_a_line_with_its_correlation_id():
    answer = subprocess.run([sys.executable, "-c", EMIT], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    first, second, third = (json.loads(line) for line in answer.stderr.splitlines())

    assert (first["event"], first["attempt_id"], first["level"]) == ("attempt.submitted", "a1", "info")
    assert first["api_key"] == REDACTED
    assert {line["correlation_id"] for line in (first, second, third)} == {"request-12345678"}
    assert "passw0rd" not in second["event"]
    assert "bob@" not in third["event"]
    assert "ZeroDivisionError" in third["exception"]
