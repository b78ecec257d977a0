"""Plan and launch the mixed briefs, wait for their ends, and read the figures from rows and from the vendors' log."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.routing.briefs import mixed_brief, upload_pictures
from billing.caps.models import CapScope
from billing.caps.queries import spend_of_job
from billing.caps.services import set_cap
from campaigns.planning.services import launch, make_plan
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.correlation import correlated
from genengine.core.money import MICRO
from genengine.workspaces.models import Membership, Mode, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Attempt, Job
from jobs.execution.states import FINAL, AttemptState
from jobs.plan import Plan
from providers.catalogue import adapters, get_card
from providers.registry.revisions import sync_cards

WITHIN = 0.10
TELL_EVERY_S = 20.0
LEAST_IN_GROUP = 10  # variants, below which a spread says nothing


@dataclass
class Outcome:
    """What the jobs came to. Money in micro-units."""

    jobs: int
    launched: list[Job] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    ended: int = 0
    states: Counter[str] = field(default_factory=Counter)
    within: int = 0
    deviations: list[float] = field(default_factory=list)
    attempts: int = 0
    billed: int = 0
    billed_twice: int = 0
    wall_s: float = 0.0


def principal_of(slug: str, mode: str) -> Principal:
    """Make a workspace with an admin and room in its caps."""
    workspace, _ = Workspace.objects.get_or_create(
        slug=slug, defaults={"name": slug.title(), "mode": mode, "parallel_generations": 60}
    )
    user, _ = User.objects.get_or_create(email=f"bench@{slug}.example")
    Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": Role.ADMIN})
    set_cap(
        workspace=workspace, book=mode, scope=CapScope.WORKSPACE, limit_micro=1_000_000 * MICRO, actor=SYSTEM,
        now=clock.now(),
    )  # fmt: skip
    principal = principal_of_user(user, workspace)
    assert principal is not None
    return principal


def run_jobs(count: int, *, log: Path, timeout_s: float) -> Outcome:
    """Launch the briefs through the public services and follow them to the end."""
    sync_cards(now=clock.now())
    principal = principal_of("routing", Mode.SIMULATED)
    pictures = upload_pictures(principal)
    outcome, begin = Outcome(count), time.monotonic()
    for number in range(count):
        with correlated():
            brief = mixed_brief(number, principal, pictures)
            revision = make_plan(brief=brief, principal=principal, now=clock.now())
            outcome.launched.append(launch(revision=revision, principal=principal, now=clock.now()))
            outcome.plans.append(revision.plan)
    _wait(outcome, begin + timeout_s)
    outcome.wall_s = time.monotonic() - begin
    _read_money(outcome, log)
    return outcome


def _wait(outcome: Outcome, deadline: float) -> None:
    pause, told = threading.Event(), time.monotonic()
    ids = [job.pk for job in outcome.launched]
    while True:
        outcome.states = Counter(Job.objects.filter(pk__in=ids).values_list("state", flat=True))
        outcome.ended = sum(n for state, n in outcome.states.items() if state in FINAL)
        if outcome.ended == len(ids) or time.monotonic() > deadline:
            return
        if time.monotonic() - told > TELL_EVERY_S:
            told = time.monotonic()
            print(f"  {outcome.ended} of {len(ids)} jobs ended", file=sys.stderr, flush=True)
        pause.wait(1.0)


def _read_money(outcome: Outcome, log: Path) -> None:
    for job, plan in zip(outcome.launched, outcome.plans, strict=True):
        spend = spend_of_job(job_id=job.pk)
        spent, planned = (spend.spent_micro if spend else 0), plan.price_micro
        deviation = abs(spent - planned) / planned if planned else float(spent > 0)
        outcome.deviations.append(deviation)
        outcome.within += deviation <= WITHIN
    attempts = list(Attempt.objects.filter(job__in=outcome.launched))
    bills = [row for row in map(json.loads, log.read_text().splitlines()) if row.get("billed")]
    outcome.attempts, outcome.billed = len(attempts), len(bills)
    outcome.billed_twice = billed_twice(bills, attempts)


def billed_twice(bills: list[dict[str, Any]], attempts: list[Attempt]) -> int:
    """Count what was paid more than once: by our key where the vendor takes one, else tasks beyond the attempts sent.

    Vendors without a key can only be counted: every task that they charge must be an attempt that was sent and that
    they did not refuse.
    """
    keyed = Counter(row["idempotency_key"] for row in bills if row["idempotency_key"])
    tasks = Counter(row["vendor"] for row in bills if not row["idempotency_key"])
    sent: Counter[str] = Counter()
    for attempt in attempts:
        kind = adapters()[attempt.provider]
        vendor = getattr(kind, "emulated_as", "") or attempt.provider
        sent[vendor] += attempt.sent_at is not None and attempt.state != AttemptState.REFUSED
    return sum(n - 1 for n in keyed.values()) + sum(max(0, n - sent[vendor]) for vendor, n in tasks.items())


def utilisation(plans: list[Plan]) -> tuple[float, dict[str, int]]:
    """Return how unevenly equally fit providers were used, and the clips of each of them.

    Among the providers that were equals most often: the largest distance from their mean, as a share of the mean;
    not a number when too few plans had equals to say.
    """
    groups: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for plan in plans:
        for branch in plan.branches:
            providers = frozenset(get_card(model).provider for model in branch.peers)
            if len(providers) > 1:
                groups[providers][branch.provider] += 1
    if not groups:
        return math.nan, {}
    largest = max(groups, key=lambda providers: sum(groups[providers].values()))
    if sum(groups[largest].values()) < LEAST_IN_GROUP:
        return math.nan, {}
    clips = Counter(clip.provider for plan in plans for clip in plan.clips)
    used = {provider: clips[provider] for provider in sorted(largest)}
    mean = sum(used.values()) / len(used)
    return max(abs(n - mean) for n in used.values()) / mean, used


@dataclass(frozen=True)
class Savings:
    """What the plans cost against the best model for every clip, in micro-units."""

    planned: int
    naive: int
    planned_paid: int
    naive_paid: int

    @property
    def share(self) -> float:
        """Of the naive cost, over all clips."""
        return 1 - self.planned / self.naive if self.naive else 0.0

    @property
    def share_paid(self) -> float:
        """The same over the clips that a vendor makes: without what the local engine saves."""
        return 1 - self.planned_paid / self.naive_paid if self.naive_paid else 0.0


def savings(plans: list[Plan]) -> Savings:
    """Add the plans up."""
    clips = [clip for plan in plans for clip in plan.clips]
    paid = [clip for clip in clips if clip.price_micro]
    return Savings(
        planned=sum(clip.price_micro for clip in clips),
        naive=sum(clip.naive_micro for clip in clips),
        planned_paid=sum(clip.price_micro for clip in paid),
        naive_paid=sum(clip.naive_micro for clip in paid),
    )
