"""The event log: gapless, ordered, in the transaction of the change."""

import json
import subprocess
import sys
import uuid
from contextlib import suppress

import pytest
from django.db import connection

from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.core.events.models import Event, StreamKind
from genengine.core.events.queries import broken_streams, events_after, last_sequence
from genengine.core.events.services import CHANNEL, StreamRef, append_event
from tests.support.processes import REPOSITORY

WRITER = """
import django, sys, uuid; django.setup()
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef, append_event
stream = StreamRef(StreamKind.JOB, uuid.UUID(sys.argv[1]), uuid.UUID(int=1))
for n in range(int(sys.argv[2])):
    try:
        with unit_of_work():
            for part in range(1 + n % 3):
                append_event(stream, "test.written", actor=SYSTEM, now=clock.now(), subject_kind="t", subject_id=n)
            if n % 5 == 0:
                raise KeyError
    except KeyError:
        pass
"""


def write(stream: StreamRef, kind: str = "test.written") -> None:
    append_event(stream, kind, actor=SYSTEM, now=clock.now(), subject_kind="test", subject_id="1")


def a_stream() -> StreamRef:
    return StreamRef(StreamKind.JOB, uuid.uuid4(), uuid.uuid4())


@pytest.mark.django_db
def test_events_of_a_stream_are_numbered_from_one_without_a_gap() -> None:
    stream = a_stream()
    for _ in range(3):
        with unit_of_work():
            write(stream)
            write(stream)
    assert [e.seq for e in events_after(subject_id=stream.subject_id)] == [1, 2, 3, 4, 5, 6]
    assert [e.seq for e in events_after(subject_id=stream.subject_id, after=4)] == [5, 6]
    assert last_sequence(subject_id=stream.subject_id) == 6


@pytest.mark.django_db
def test_an_event_disappears_with_the_change_that_failed() -> None:
    stream = a_stream()
    with suppress(ZeroDivisionError), unit_of_work():
        write(stream)
        raise ZeroDivisionError
    assert last_sequence(subject_id=stream.subject_id) == 0


def test_an_event_outside_a_unit_of_work_is_a_programming_error() -> None:
    with pytest.raises(RuntimeError, match="unit_of_work"):
        write(a_stream())


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_leave_no_gap(process_environment: dict[str, str]) -> None:
    subject = uuid.uuid4()
    command = [sys.executable, "-c", WRITER, str(subject), "40"]
    writers = [subprocess.Popen(command, env=process_environment, cwd=REPOSITORY) for _ in range(4)]
    assert [w.wait(60) for w in writers] == [0, 0, 0, 0]
    kept = sum(1 + n % 3 for n in range(40) if n % 5) * 4
    numbers = list(Event.objects.filter(stream__subject_id=subject).order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, kept + 1))
    assert broken_streams() == []


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_the_listeners_with_the_newest_number() -> None:
    stream = a_stream()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
        with unit_of_work():
            write(stream)
            write(stream)
        cursor.execute("SELECT 1")
        heard = [json.loads(n.payload) for n in connection.connection.notifies(timeout=2, stop_after=1)]
    assert heard == [[str(stream.subject_id), 2]]


@pytest.mark.django_db
def test_a_missing_event_is_found_by_the_verifier() -> None:
    stream = a_stream()
    with unit_of_work():
        write(stream)
        write(stream)
        write(stream)
    Event.objects.filter(stream__subject_id=stream.subject_id, seq=2).delete()
    assert broken_streams() == [f"job:{stream.subject_id}"]
