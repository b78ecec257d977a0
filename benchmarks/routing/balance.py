"""How evenly equally fit providers were used.

Equals are what the plans say: models as fit as a variant's lead, enough for the same tier, at a like price. Routing
gives the next clip to the provider of them that was given least in a day, so use is counted over everything a provider
was given: one that is busy with work for which nobody else is as fit gets less of the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from jobs.plan import BranchPlan, Plan
from providers.catalogue import get_card

LEAST = 30  # clips for which a group's providers were equals, below which its spread says nothing


@dataclass
class Group:
    """Providers that were equals: what each was given altogether, and how much of it where they were."""

    used: dict[str, int]
    shared: Counter[str] = field(default_factory=Counter)

    @property
    def spread(self) -> float:
        """The largest distance from their mean, as a share of the mean."""
        mean = sum(self.used.values()) / len(self.used)
        return max(abs(clips - mean) for clips in self.used.values()) / mean

    @property
    def avoidable(self) -> float:
        """The same from the most even use there could be, by giving out the shared clips alone."""
        best = {name: clips - self.shared[name] for name, clips in self.used.items()}
        for _ in range(self.shared.total()):
            best[min(best, key=lambda name: best[name])] += 1
        return max(abs(clips - best[name]) for name, clips in self.used.items()) * len(best) / sum(best.values())


def groups_of(plans: Iterable[Plan]) -> list[Group]:
    """Return the groups with enough clips to say something, the largest first."""
    given: Counter[str] = Counter()
    shared: defaultdict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for plan in plans:
        given.update(clip.provider for clip in plan.clips)
        for branch in plan.branches:
            rivals = _providers(branch)
            if len(rivals) > 1:
                own = sum(clip.provider == branch.provider for clip in plan.clips_of(branch.key))
                shared[rivals][branch.provider] += own
    enough = [(rivals, clips) for rivals, clips in shared.items() if clips.total() >= LEAST]
    enough.sort(key=lambda entry: (-entry[1].total(), sorted(entry[0])))
    return [Group({name: given[name] for name in sorted(rivals)}, clips) for rivals, clips in enough]


def _providers(branch: BranchPlan) -> frozenset[str]:
    return frozenset(get_card(model).provider for model in branch.peers)
