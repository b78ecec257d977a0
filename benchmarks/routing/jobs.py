"""Plan and launch the mixed briefs, wait for their ends, and read the figures from rows and from the vendors' log."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load.watching import cpu_of, role_processes
from benchmarks.routing.baselines import Allocation, add_plan
from benchmarks.routing.briefs import mixed_brief, upload_pictures
from billing.caps.models import CapScope
from billing.caps.queries import spend_of_job
from billing.caps.services import set_cap
from campaigns.briefs.models import Brief
from campaigns.planning.queries import desk_of, with_earlier_results
from campaigns.planning.services import launch, make_plan
from genengine.assets.models import Asset
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.correlation import correlated
from genengine.core.money import MICRO
from genengine.workspaces.models import Membership, Mode, ReusePolicy, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Attempt, Clip, Job, Take, TakeKind
from jobs.execution.states import FINAL, AttemptState, ClipState
from jobs.plan import Plan
from providers.catalogue import adapters
from providers.registry.revisions import sync_cards

WITHIN = 0.10
TELL_EVERY_S = 20.0
REPEATED = 40  # briefs that are planned a second time, for what reuse alone would save


@dataclass
class Run:
    """Jobs under way. `plans` and `money` are by the jobs' ids; amounts in micro-units."""

    wanted: int
    log: Path
    plans: dict[Any, Plan] = field(default_factory=dict)
    briefs: dict[Any, Brief] = field(default_factory=dict)
    allocation: Allocation = field(default_factory=Allocation)
    states: Counter[str] = field(default_factory=Counter)
    ended: list[Any] = field(default_factory=list)
    wall_s: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)  # seconds by role, of all that it started too
    cut: str = ""  # why it ended before its jobs did


@dataclass(frozen=True)
class Bills:
    """What the ended jobs cost against their plans, and what the vendors' log says of being paid twice.

    `spent` is what the workspace was billed: settled in the ledger, retries and lost answers included.
    """

    planned: int
    spent: int
    within: int
    under: int  # less than planned by more than `WITHIN`: a vendor failed, and a free take stands in
    over: int  # more than planned by more than `WITHIN`
    worst: float
    attempts: int
    retries: int
    billed: int
    billed_twice: int
    stand_ins: int
    stuck_clips: int


def principal_of(slug: str, mode: str, *, reuse: str = ReusePolicy.SEEDED) -> Principal:
    """Make a workspace with an admin and room in its caps."""
    workspace, _ = Workspace.objects.get_or_create(
        slug=slug, defaults={"name": slug.title(), "mode": mode, "parallel_generations": 60, "reuse_policy": reuse}
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


def run_jobs(count: int, *, log: Path, timeout_s: float, at_once: int) -> Run:
    """Launch the briefs through the public services, a few at a time, and follow them to the end.

    A run that is cut, by its timeout or by a person, returns what it has.
    """
    sync_cards(now=clock.now())
    principal = principal_of("routing", Mode.SIMULATED, reuse=ReusePolicy.OFF)
    pictures = upload_pictures(principal)
    run, begin, told, pause = Run(count, log), time.monotonic(), 0.0, threading.Event()
    before = _cpu()
    try:
        while len(run.ended) < count:
            _look(run)
            while len(run.plans) < count and len(run.plans) - len(run.ended) < at_once:
                _launch(run, principal, pictures)
            run.wall_s = time.monotonic() - begin
            if run.wall_s > timeout_s:
                run.cut = f"the timeout of {timeout_s:.0f} s is over"
                break
            if run.wall_s - told > TELL_EVERY_S:
                told = run.wall_s
                _tell(run)
            pause.wait(0.5)
    except KeyboardInterrupt:
        run.cut = "it was interrupted"
    _look(run)
    run.wall_s = time.monotonic() - begin
    run.cpu = {role: used - before.get(role, 0.0) for role, used in _cpu().items()}
    return run


def _cpu() -> dict[str, float]:
    """CPU seconds so far by role; this process plans."""
    used = {role: cpu_of(process) for role, process in role_processes().items()}
    return used | {"planning": time.process_time()}


def _launch(run: Run, principal: Principal, pictures: list[Asset]) -> None:
    with correlated():
        brief = mixed_brief(len(run.plans), principal, pictures)
        desk = desk_of(brief, clock.now())
        revision = make_plan(brief=brief, principal=principal, now=clock.now())
        job = launch(revision=revision, principal=principal, now=clock.now())
    run.plans[job.pk] = revision.plan
    run.briefs[job.pk] = brief
    add_plan(run.allocation, revision.plan, desk)


def _look(run: Run) -> None:
    states = dict(Job.objects.filter(pk__in=list(run.plans)).values_list("pk", "state"))
    run.states = Counter(states.values())
    run.ended = [job for job, state in states.items() if state in FINAL]


def _tell(run: Run) -> None:
    ended = len(run.ended)
    left = f"about {run.wall_s / ended * (run.wanted - ended) / 60:.0f} min left" if ended else "no figure yet"
    print(
        f"  {run.wall_s / 60:5.1f} min: {ended} of {run.wanted} jobs ended, {len(run.plans) - ended} under way, {left}",
        file=sys.stderr,
        flush=True,
    )


def bills_of(run: Run) -> Bills:
    """Read the money of the ended jobs from the ledger's rows, and the attempts of all."""
    sums = [_money(job, run.plans[job].price_micro) for job in run.ended]
    attempts = list(Attempt.objects.filter(job__in=list(run.plans)))
    rows = [row for row in map(json.loads, run.log.read_text().splitlines()) if row.get("billed")]
    away = [(spent - planned) / planned if planned else float(spent > 0) for planned, spent in sums]
    takes = Take.objects.filter(job__in=run.ended, kind=TakeKind.FALLBACK)
    stuck = Clip.objects.filter(job__in=run.ended).exclude(state__in=(ClipState.READY, ClipState.CANCELLED))
    return Bills(
        planned=sum(planned for planned, _ in sums),
        spent=sum(spent for _, spent in sums),
        within=sum(abs(share) <= WITHIN for share in away),
        under=sum(share < -WITHIN for share in away),
        over=sum(share > WITHIN for share in away),
        worst=max((abs(share) for share in away), default=0.0),
        attempts=len(attempts),
        retries=sum(attempt.number > 1 for attempt in attempts),
        billed=len(rows),
        billed_twice=billed_twice(rows, attempts),
        stand_ins=takes.count(),
        stuck_clips=stuck.count(),
    )


def _money(job: Any, planned: int) -> tuple[int, int]:
    spend = spend_of_job(job_id=job)
    return planned, spend.spent_micro if spend else 0


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


def reuse_share(run: Run) -> float:
    """What reuse alone would save when the first briefs that ended are asked for again, as a share of their price."""
    made = reused = 0
    for job in run.ended[:REPEATED]:
        plan = with_earlier_results(run.plans[job], run.briefs[job], policy=ReusePolicy.SEEDED)
        made += run.plans[job].price_micro
        reused += plan.price_micro
    return 1 - reused / made if made else 0.0
