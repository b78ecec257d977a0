"""Which engine made what: each change of engine is an event with its reason, and stays with the row."""

from datetime import datetime
from typing import Any

from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.media.remote.choice import Switch
from jobs.execution.models import Attempt, Master


@retry_conflicts
def note_attempt_switch(*, attempt: Attempt, switch: Switch, now: datetime) -> None:
    """Tell that another engine renders a clip now, and why."""
    with unit_of_work():
        append_event(
            attempt.event_stream(), "attempt.engine_switched", actor=SYSTEM, now=now, subject_kind="attempt",
            subject_id=attempt.pk,
            data={
                **attempt.event_facts(), "from_engine": switch.from_engine, "to_engine": switch.to_engine,
                "reason": switch.reason,
            },
        )  # fmt: skip


@retry_conflicts
def note_master_switch(*, master: Master, switch: Switch, now: datetime) -> None:
    """Tell that another engine composes a master now, and why."""
    with unit_of_work():
        append_event(
            master.event_stream(), "master.engine_switched", actor=SYSTEM, now=now, subject_kind="master",
            subject_id=master.pk,
            data={
                **master.event_facts(), "from_engine": switch.from_engine, "to_engine": switch.to_engine,
                "reason": switch.reason,
            },
        )  # fmt: skip


def keep_engine_facts(*, attempt: Attempt, raw: dict[str, Any]) -> None:
    """Keep with an attempt which engine made its clip, under which policy, and why it stands in if it does."""
    facts = {name: raw[name] for name in ("engine_used", "engine_policy", "switches", "fallback") if name in raw}
    attempt.details = {**attempt.details, "engine": facts}
    Attempt.objects.filter(pk=attempt.pk).update(details=attempt.details)
