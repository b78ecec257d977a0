"""Start a test call and take its outcome. It is a job of one scene: money, audit, retries and evidence are a job's.

The bytes are the proof: a result that is here, hashed and decodable. Nothing stands in for it: the job's policy is to
ask a person, never the local engine.
"""

from datetime import datetime

from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.money import format_micro
from genengine.workspaces.models import FallbackPolicy
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.models import Attempt, Job
from jobs.execution.services import launch_job
from jobs.execution.states import FINAL, AttemptState
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from jobs.trials.offers import TestOffer, TestRefused
from providers.catalogue import get_card
from providers.registry.models import ModelTest, ModelTestState
from providers.registry.terms import facts_digest
from providers.values import Task

PROMPT = "A plain white cube on a grey table, still camera, soft daylight."


@retry_conflicts
def start_test(*, offer: TestOffer, agreed_micro: int, principal: Principal, now: datetime) -> ModelTest:
    """Launch the call that was offered. `agreed_micro` is the upper price the person saw: a dearer one is refused."""
    require(principal, Action.MANAGE_CREDENTIALS)
    card, workspace = offer.card, principal.workspace
    if offer.price_upper_micro > agreed_micro:
        raise TestRefused(
            f"the price has changed to {format_micro(offer.price_upper_micro)}; look at it and agree again"
        )
    running = ModelTest.objects.of(workspace).filter(model=card.id, state=ModelTestState.RUNNING)
    with unit_of_work():
        if running.exists():
            raise TestRefused(f"a test call to {card.label} is under way already")
        job = launch_job(
            workspace=workspace, plan=_plan(offer), title=f"Test call: {card.label}"[:200],
            cap_micro=offer.price_upper_micro, actor=principal.actor, user=principal.user, now=now,
        )  # fmt: skip
        Job.objects.filter(pk=job.pk).update(fallback_policy=FallbackPolicy.ASK)
        test = ModelTest.objects.create(
            workspace=workspace, provider=card.provider, model=card.id, facts_digest=facts_digest_of(card.id),
            job_id=job.pk, price_micro=offer.price_micro, asked_at=now,
            asked_by_id=principal.user.pk if principal.user else None,
        )  # fmt: skip
        _record(test, "model_test.started", principal, now)
    return test


def facts_digest_of(model: str) -> str:
    """Return the digest of what the adapter says a model can do: the shipped card, without an operator's narrowing."""
    return facts_digest(get_card(model))


def take_outcomes(now: datetime) -> int:
    """Settle the test calls whose jobs have ended; called by the pump. Returns how many ended."""
    ended = 0
    for test in ModelTest.objects.filter(state=ModelTestState.RUNNING).order_by("asked_at")[:50]:
        ended += _take_outcome(test, now)
    return ended


@retry_conflicts
def _take_outcome(test: ModelTest, now: datetime) -> bool:
    with unit_of_work():
        job = Job.objects.of(test.workspace_id).filter(pk=test.job_id).first()
        attempts = Attempt.objects.filter(job_id=test.job_id, provider=test.provider, model=test.model)
        proof = attempts.filter(state=AttemptState.COLLECTED, fallback=False).first()
        if proof is None and job is not None and job.state not in FINAL:
            return False
        last = attempts.order_by("-number").first()
        cause = ((last.error or {}).get("message") if last else "") or "the job ended without a result"
        state = ModelTestState.PASSED if proof else ModelTestState.FAILED
        changed = ModelTest.objects.filter(pk=test.pk, state=ModelTestState.RUNNING).update(
            state=state, ended_at=now, cost_micro=sum(a.cost_micro or 0 for a in attempts),
            message="the result is here and decodes" if proof else str(cause)[:300],
        )  # fmt: skip
        if changed:
            test.refresh_from_db()
            _record(test, f"model_test.{state.value}", None, now)
    return bool(changed)


def _record(test: ModelTest, action: str, principal: Principal | None, now: datetime) -> None:
    audit.record(
        workspace_id=test.workspace_id, actor=principal.actor if principal else SYSTEM, action=action,
        subject_kind="model_test", subject_id=test.pk, now=now, model=test.model, job=str(test.job_id),
        cost_micro=test.cost_micro,
    )  # fmt: skip


def _plan(offer: TestOffer) -> Plan:
    length = max(1_500, int(offer.duration_s * 1000))
    scene = ScenePlan("s1", "Test call", "", PROMPT, "static", "", length, transition="cut", role="hook")
    clip = ClipPlan(
        scene="s1", branch="A", provider=offer.card.provider, model=offer.card.id, task=Task.TEXT_TO_VIDEO.value,
        prompt=PROMPT, negative_prompt="", seed=1, native_ratio=offer.ratio, resolution=offer.resolution,
        duration_ms=length, price_micro=offer.price_micro, price_upper_micro=offer.price_upper_micro,
        expected_s=round(offer.card.speed_s_per_s * offer.duration_s),
        reason="A test call: the cheapest request that shows whether the facts on the model card hold.",
    )  # fmt: skip
    return Plan(
        title=f"Test call: {offer.card.label}", channel="generic", length_ms=length, ratios=(offer.ratio,),
        scenes=(scene,), branches=(BranchPlan("A", offer.card.label, offer.card.provider, offer.card.id),),
        clips=(clip,), captions="sidecar",
    )  # fmt: skip
