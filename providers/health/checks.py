"""How many results of each model passed their checks. Only jobs know; they register how to count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from genengine.workspaces.models import Workspace
from providers.health.load import Place


@dataclass(frozen=True, slots=True)
class PassRate:
    """Results whose file was checked, and those that passed the first time."""

    passed: int = 0
    checked: int = 0

    @property
    def share(self) -> float | None:
        """0 to 1; nothing where none was checked."""
        return self.passed / self.checked if self.checked else None


NONE_YET = PassRate()
Count = Callable[[Workspace, datetime, datetime], Mapping[Place, PassRate]]
_counts: list[Count] = []


def register_pass_rates(count: Count) -> None:
    """Let a feature above say how its results did between two moments."""
    if count not in _counts:
        _counts.append(count)


def pass_rates(workspace: Workspace, *, since: datetime, until: datetime) -> dict[Place, PassRate]:
    """What all features that registered have counted, in the workspace's present mode."""
    found: defaultdict[Place, PassRate] = defaultdict(PassRate)
    for count in _counts:
        for place, rate in count(workspace, since, until).items():
            before = found[place]
            found[place] = PassRate(before.passed + rate.passed, before.checked + rate.checked)
    return dict(found)
