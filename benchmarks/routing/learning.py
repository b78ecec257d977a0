"""Does a provider whose pass rate halves lose its share? Seeded live attempts, real plans, nothing sent to anybody."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from benchmarks.routing.briefs import mixed_brief, upload_pictures
from benchmarks.routing.jobs import principal_of
from campaigns.briefs.models import Brief
from campaigns.planning.assemble import assemble
from campaigns.planning.queries import desk_of, planner
from campaigns.planning.services import make_plan
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.workspaces.models import Mode, Workspace
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Clip, Job
from jobs.execution.services import launch_job
from providers.catalogue import adapters, get_card
from providers.credentials.models import ProviderAccount
from providers.credentials.vault import seal

PLANS = 60
ATTEMPTS = 200
PASS_RATE = 0.92


@dataclass(frozen=True)
class Shift:
    """The share of vendor-made clips that a provider was given, before and after its pass rate halved."""

    provider: str
    before: float
    after: float


def measure_shift() -> Shift:
    """Plan the same briefs twice: after 200 attempts at the usual pass rate, and with one provider's halved."""
    principal = principal_of("routing-live", Mode.LIVE)
    _connect(principal.workspace)
    pictures = upload_pictures(principal)
    briefs = [mixed_brief(number, principal, pictures) for number in range(PLANS)]
    shelf = _shelf(principal, briefs[0])
    usual = _shares(briefs)
    models = list(dict.fromkeys(model for model, _ in usual.most_common()))
    _seed(shelf, models, PASS_RATE, days_ago=3)
    before = _by_provider(_shares(briefs))
    victim, share = before.most_common(1)[0][0], before
    own = [model for model in models if _provider(model) == victim]
    _seed(shelf, own, PASS_RATE / 2, days_ago=1)
    after = _by_provider(_shares(briefs))
    return Shift(victim, share[victim] / share.total(), after[victim] / max(1, after.total()))


def _connect(workspace: Workspace) -> None:
    """Accounts at every vendor, as rows: planning asks for no more, and nothing is launched here."""
    for name, kind in adapters().items():
        if not kind.is_local and not kind.is_self_hosted:
            ProviderAccount.objects.get_or_create(
                workspace=workspace, provider=name, label=name,
                defaults={"secret": seal({}), "verified_at": clock.now(), "created_at": clock.now()},
            )  # fmt: skip


def _shelf(principal: Principal, brief: Brief) -> Job:
    """A live job that was paused in the transaction that made it: it only holds the seeded attempts."""
    with unit_of_work():
        revision = make_plan(brief=brief, principal=principal, now=clock.now())
        job = launch_job(
            workspace=principal.workspace, plan=revision.plan, title="Seeded attempts", cap_micro=10**12,
            actor=SYSTEM, now=clock.now(),
        )  # fmt: skip
        Job.objects.filter(pk=job.pk).update(paused=True)
    return job


def _shares(briefs: list[Brief]) -> Counter[str]:
    """Plan every brief as it stands and count the clips by model; the local engine is nobody's rival here."""
    found: Counter[str] = Counter()
    for brief in briefs:
        desk = desk_of(brief, clock.now())
        plan, _ = assemble(planner().plan(desk.brief), desk)
        found.update(clip.model for clip in plan.clips if clip.provider != "local")
    return found


def _by_provider(models: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for model, clips in models.items():
        found[_provider(model)] += clips
    return found


def _provider(model: str) -> str:
    return get_card(model).provider


def _seed(job: Job, models: list[str], pass_rate: float, *, days_ago: float) -> None:
    """Store ended attempts, spread over the models, that passed at this rate."""
    clip = Clip.objects.filter(job=job).first()
    assert clip is not None
    dice, at = random.Random(7), clock.now() - timedelta(days=days_ago)
    number = Attempt.objects.filter(clip=clip).count()
    rows = []
    for n in range(ATTEMPTS):
        model = models[n % len(models)]
        passed = dice.random() < pass_rate
        rows.append(
            Attempt(
                workspace=job.workspace, job=job, clip=clip, number=number + n + 1, plan_number=1,
                provider=_provider(model), model=model, state="collected" if passed else "failed",
                state_changed_at=at, idempotency_key=uuid4().hex, request={"prompt": "seeded"}, request_digest="",
                reservation=clip.reservation, created_at=at, finished_at=at, cost_micro=0,
                error=None if passed else {"kind": "transient", "message": "seeded failure"},
            )
        )  # fmt: skip
    Attempt.objects.bulk_create(rows)
