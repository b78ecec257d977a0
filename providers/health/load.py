"""What waits for each model and runs there. Only jobs know; they register how to count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from genengine.workspaces.models import Workspace

Place = tuple[str, str]  # provider, model


@dataclass(frozen=True, slots=True)
class Load:
    """Clips of a workspace that wait for a model, and those that it is making."""

    waiting: int = 0
    running: int = 0


Count = Callable[[Workspace], Mapping[Place, Load]]
_counts: list[Count] = []


def register_load(count: Count) -> None:
    """Let a feature above say what waits and what runs."""
    if count not in _counts:
        _counts.append(count)


def load_of(workspace: Workspace) -> dict[Place, Load]:
    """What all features that registered have waiting and running, in the workspace's present mode."""
    found: dict[Place, Load] = {}
    for count in _counts:
        for place, load in count(workspace).items():
            before = found.get(place, Load())
            found[place] = Load(before.waiting + load.waiting, before.running + load.running)
    return found
