"""Append to the event log. An event is written in the transaction of the change that it tells of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from genengine.core.actors import Actor
from genengine.core.correlation import correlation_id
from genengine.core.db import LockRank, current_work, note_lock
from genengine.core.events.models import Event, StreamKind
from genengine.core.ids import new_id

CHANNEL = "ge_events"  # NOTIFY carries [stream subject, seq] as a wake-up; the rows are the truth
ADVANCE = """
INSERT INTO core_stream AS stream (id, kind, subject_id, workspace_id, last_seq) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (kind, subject_id) DO UPDATE SET last_seq = stream.last_seq + EXCLUDED.last_seq
RETURNING id, last_seq
"""


@dataclass(frozen=True)
class StreamRef:
    """Names a stream by what it is about."""

    kind: StreamKind
    subject_id: UUID
    workspace_id: UUID


def append_event(
    stream: StreamRef,
    type: str,
    *,
    actor: Actor,
    now: datetime,
    subject_kind: str,
    subject_id: object,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Queue an event of the running unit of work; it gets its number when the transaction is about to commit."""
    event = Event(
        type=type,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        correlation_id=correlation_id(),
        data=dict(data or {}),
    )
    work = current_work()
    if not work.events:
        work.before_commit.append(lambda: _flush(work.events))
    work.events.append((stream, event))


def _flush(pending: list[tuple[StreamRef, Event]]) -> None:
    """Number and write the queued events, streams locked in one order, and wake the listeners on commit."""
    note_lock(LockRank.STREAM)
    by_stream: dict[StreamRef, list[Event]] = {}
    for ref, event in pending:
        by_stream.setdefault(ref, []).append(event)
    pending.clear()
    for ref in sorted(by_stream, key=lambda r: (r.kind, r.subject_id)):
        events = by_stream[ref]
        stream_id, last = _advance(ref, len(events))
        for seq, event in enumerate(events, start=last - len(events) + 1):
            event.stream_id, event.seq = stream_id, seq
        Event.objects.bulk_create(events)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps([str(ref.subject_id), last])])


def _advance(ref: StreamRef, count: int) -> tuple[UUID, int]:
    """Take `count` numbers of a stream in one statement, creating the stream on its first event."""
    with connection.cursor() as cursor:
        cursor.execute(ADVANCE, [new_id(), ref.kind, ref.subject_id, ref.workspace_id, count])
        row = cursor.fetchone()
    return row[0], row[1]
