"""A job's event as sockets, long polls and partners receive it: the logged event and what a progress bar needs.

`percentage` and `cost` are the job's own at the moment of reading, so the last message of a batch is always right;
everything else is the event's and never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, Case, F, FloatField, Q, Value, When
from django.db.models.functions import Coalesce, Least

from billing.caps.queries import spend_of_job
from genengine.core.events.models import Event
from genengine.core.events.queries import as_dict
from genengine.core.money import format_micro
from jobs.execution.models import Clip, Job, Master
from jobs.execution.states import ATTEMPT_OPEN, ClipState, MasterState
from jobs.timeline.words import PEOPLE, people_state, say

NEARLY_DONE = 0.95  # what is checked and not yet accepted


@dataclass(frozen=True)
class Meter:
    """Where a job stands: the share of the work done in percent, and what has been spent."""

    percentage: float
    spent_micro: int
    currency: str

    @property
    def cost(self) -> dict[str, Any]:
        """The money as the API writes it."""
        shown = format_micro(self.spent_micro, self.currency)
        return {"amount_micro": self.spent_micro, "currency": self.currency, "display": shown}


def messages_of(*, job_id: UUID, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return events of one job in their public shape, in a constant number of queries."""
    if not events:
        return []
    meter = meter_of(job_id=job_id)
    wanted = {str(event.data["clip"]) for event in events if event.data.get("clip")}
    rows = Clip.objects.filter(job_id=job_id, pk__in=wanted).values_list("pk", "position")
    positions = {str(pk): position for pk, position in rows}
    return [_message(event, meter, positions) for event in events]


def meter_of(*, job_id: UUID) -> Meter:
    """Read where a job stands now: clips and masters count alike, each by its own progress."""
    running = Q(attempts__state__in=ATTEMPT_OPEN)
    own = Coalesce(Avg("attempts__progress", filter=running), Value(0.0))
    clips = (
        Clip.objects.filter(job_id=job_id)
        .annotate(share=Case(When(state=ClipState.READY, then=1.0), default=own, output_field=FloatField()))
        .values_list("share", flat=True)
    )
    share = Least(Coalesce(F("progress"), Value(0.0)), Value(NEARLY_DONE))
    masters = (
        Master.objects.filter(job_id=job_id)
        .annotate(share=Case(When(state=MasterState.READY, then=1.0), default=share, output_field=FloatField()))
        .values_list("share", flat=True)
    )
    shares = [s if s == 1.0 else min(NEARLY_DONE, s) for s in clips] + list(masters)
    cap = spend_of_job(job_id=job_id)
    currency = Job.objects.filter(pk=job_id).values_list("workspace__currency", flat=True).first() or "USD"
    percentage = round(100 * sum(shares) / len(shares), 1) if shares else 0.0
    return Meter(percentage, cap.spent_micro if cap else 0, currency)


def _message(event: Event, meter: Meter, positions: dict[str, int]) -> dict[str, Any]:
    text, tone = say(event)
    return {
        **as_dict(event),
        "stage": _stage(event),
        "percentage": meter.percentage,
        "message": text,
        "tone": tone,
        "clip_index": positions.get(str(event.data.get("clip", ""))),
        "cost": meter.cost,
    }


def _stage(event: Event) -> str:
    """Return the word that people see for where the event's subject stands."""
    state = str(event.data.get("state", ""))
    if state in PEOPLE:
        return people_state(state)
    return people_state("generating") if event.type.endswith(".progress") else ""
