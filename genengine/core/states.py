"""State machines: one table a machine, one function that applies it, the event in the same transaction.

`Machine.apply` is the only place that assigns a state: one `UPDATE … WHERE id = … AND state IN (from)`. When no row
changes, somebody else was there first and `TransitionRefused` says so; nothing is read and checked beforehand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models

from genengine.core.actors import Actor
from genengine.core.events.services import StreamRef, append_event


class TransitionRefused(Exception):
    """The row is not in a state from which this action starts."""

    def __init__(self, machine: str, action: str, subject: object) -> None:
        super().__init__(f"{machine}: '{action}' does not apply to {subject} in its present state")
        self.machine, self.action, self.subject = machine, action, subject


@dataclass(frozen=True)
class Transition:
    """One action: the states it starts from, the state it ends in, the event it leaves."""

    action: str
    from_states: frozenset[str]
    to_state: str
    event: str


def transition(action: str, from_states: Iterable[str], to_state: str, event: str) -> Transition:
    """Build a row of a transition table."""
    return Transition(str(action), frozenset(str(s) for s in from_states), str(to_state), event)


@dataclass(frozen=True)
class Machine:
    """A named table of transitions over one model's `state` column."""

    name: str
    states: type[StrEnum]
    table: tuple[Transition, ...]

    def __getitem__(self, action: str) -> Transition:
        for row in self.table:
            if row.action == action:
                return row
        raise KeyError(f"{self.name} has no action '{action}'")

    def allows(self, action: str, state: str) -> bool:
        """Say whether `action` starts from `state`."""
        return state in self[action].from_states

    def apply(
        self,
        row: models.Model,
        action: str,
        *,
        actor: Actor,
        now: datetime,
        reason: str = "",
        data: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Move `row` by `action`, setting `changes` in the same UPDATE, and append the event to the row's stream."""
        step = self[action]
        moved = (
            type(row)
            ._base_manager.filter(pk=row.pk, state__in=step.from_states)
            .update(state=step.to_state, state_changed_at=now, **changes)
        )
        if not moved:
            raise TransitionRefused(self.name, action, row.pk)
        was = row.state  # type: ignore[attr-defined]
        for name, value in {"state": step.to_state, "state_changed_at": now, **changes}.items():
            setattr(row, name, value)
        stream: StreamRef = row.event_stream()  # type: ignore[attr-defined]
        append_event(
            stream,
            step.event,
            actor=actor,
            now=now,
            subject_kind=self.name,
            subject_id=row.pk,
            data={**row.event_facts(), "from": was, "state": step.to_state, "reason": reason, **(data or {})},  # type: ignore[attr-defined]
        )
