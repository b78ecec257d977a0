"""What the page shows of one clip when somebody looks closer: its attempts and the exchanges with the provider."""

import json
from dataclasses import dataclass
from datetime import datetime

from genengine.core.events.models import Event
from jobs.execution.models import Attempt, Clip, Exchange
from jobs.timeline.queries import Timeline

SHOWN = 40


@dataclass(frozen=True)
class ExchangeView:
    """One call with its secrets already removed, as text to read."""

    at: datetime
    purpose: str
    text: str


@dataclass(frozen=True)
class AttemptView:
    """One attempt and its calls."""

    attempt: Attempt
    cost_micro: int | None
    exchanges: tuple[ExchangeView, ...]


def attempts_of(*, clip: Clip) -> tuple[AttemptView, ...]:
    """Return a clip's attempts, newest first, each with its newest calls."""
    attempts = list(Attempt.objects.filter(clip=clip).order_by("-number"))
    calls: dict[object, list[ExchangeView]] = {attempt.pk: [] for attempt in attempts}
    for row in Exchange.objects.filter(attempt__in=attempts).order_by("-at")[: SHOWN * max(1, len(attempts))]:
        calls[row.attempt_id].append(ExchangeView(row.at, row.purpose, _text(row.record)))
    return tuple(AttemptView(a, a.cost_micro, tuple(calls[a.pk][:SHOWN])) for a in attempts)


def places_of(*, timeline: Timeline) -> dict[int, str]:
    """Return, by event number, which row of the timeline a log line is about: "A1" for variant A, first clip."""
    names: dict[str, str] = {}
    for branch in timeline.branches:
        names[str(branch.id)] = branch.key
        names |= {str(clip.id): f"{branch.key}{number}" for number, clip in enumerate(branch.clips, start=1)}
    shown = [line.seq for line in timeline.log]
    events = Event.objects.filter(stream__subject_id=timeline.job.pk, seq__in=shown).values_list("seq", "data")
    return {seq: names.get(data.get("clip", ""), "") or names.get(data.get("branch", ""), "") for seq, data in events}


def _text(record: object) -> str:
    return json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True)
