"""Read the event log from where a reader stopped."""

from typing import Any
from uuid import UUID

from django.db.models import F

from genengine.core.events.models import Event, Stream


def events_after(*, subject_id: UUID, after: int = 0, limit: int = 500) -> list[Event]:
    """Return the events of a stream with a number above `after`, in order, at most `limit`."""
    return list(Event.objects.filter(stream__subject_id=subject_id, seq__gt=after).order_by("seq")[:limit])


def last_sequence(*, subject_id: UUID) -> int:
    """Return the number of the newest event of a stream, 0 before the first."""
    return Stream.objects.filter(subject_id=subject_id).values_list("last_seq", flat=True).first() or 0


def as_dict(event: Event) -> dict[str, Any]:
    """Return the public shape of an event (sockets, webhooks, API)."""
    return {
        "id": str(event.pk),
        "seq": event.seq,
        "type": event.type,
        "at": event.at.isoformat(),
        "actor": {"kind": event.actor_kind, "id": event.actor_id},
        "subject": {"kind": event.subject_kind, "id": event.subject_id},
        "schema_version": event.schema_version,
        "correlation_id": event.correlation_id,
        "data": event.data,
    }


def broken_streams() -> list[str]:
    """Return streams whose numbers have a gap or whose counter disagrees with their rows."""
    from django.db.models import Count, Max, Min

    rows = Stream.objects.annotate(count=Count("events"), low=Min("events__seq"), high=Max("events__seq"))
    wrong = rows.exclude(count=F("last_seq"), high=F("last_seq"), low=1).exclude(last_seq=0, count=0)
    return [str(stream) for stream in wrong]
