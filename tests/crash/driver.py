"""What a crash test asks of a running stack, called by `tests.support.inside` in a process of its own."""

from __future__ import annotations

from typing import Any


def launch_moving(scenes: int) -> dict[str, Any]:
    """Launch a job of one paid variant in a workspace whose policy is another provider."""
    from genengine.core.correlation import correlated
    from tests.factories.jobs import KLING, make_asset, make_job, make_plan, make_principal, make_workspace

    principal = make_principal(make_workspace("moving", fallback_policy="provider"))
    with correlated():
        job = make_job(principal, make_plan(make_asset(principal), branches=(KLING,), scenes=scenes))
    return {"job": str(job.pk)}


def launch_asking(scenes: int) -> dict[str, Any]:
    """Launch a job of one paid variant in a workspace whose people are asked when a vendor fails."""
    from genengine.core.correlation import correlated
    from tests.factories.jobs import KLING, make_asset, make_job, make_plan, make_principal, make_workspace

    principal = make_principal(make_workspace("asking", fallback_policy="ask"))
    with correlated():
        make_job(principal, make_plan(make_asset(principal), branches=(KLING,), scenes=scenes))
    return {"workspace": str(principal.workspace.pk)}


def openings(workspace_id: str) -> dict[str, Any]:
    """Say how long each opening of a workspace's circuits was to last, in seconds, and how often one closed."""
    from genengine.core.events.models import Event

    turns = Event.objects.filter(stream__subject_id=workspace_id, type__startswith="provider.circuit_").order_by("seq")
    waits = [event.data["wait_s"] for event in turns if event.type == "provider.circuit_opened"]
    return {"waits": waits, "closed": sum(event.type == "provider.circuit_closed" for event in turns)}


def told(job_id: str) -> list[dict[str, Any]]:
    """Return what the log of a job says about its vendors."""
    from genengine.core.events.models import Event

    kinds = ("job.rebalanced", "job.delayed", "clip.rerouted", "job.provider_recovered")
    events = Event.objects.filter(stream__subject_id=job_id, type__in=kinds).order_by("seq")
    return [{"type": e.type, "at": e.at.isoformat(), **e.data} for e in events]


def launch() -> dict[str, Any]:
    """Launch a job with one paid and one local variant."""
    from genengine.core.correlation import correlated
    from tests.factories.jobs import KLING, LOCAL, make_asset, make_job, make_plan, make_principal, make_workspace

    principal = make_principal(make_workspace())
    asset = make_asset(principal)
    with correlated():
        job = make_job(principal, make_plan(asset, branches=(KLING, LOCAL), scenes=3))
    return {"job": str(job.pk)}


def has_ended(job_id: str) -> bool:
    """Whether a job goes on no more by itself."""
    from jobs.execution.models import Job

    return Job.objects.get(pk=job_id).state in ("ready", "failed", "needs_attention", "cancelled")


def was_submitted(job_id: str) -> bool:
    """Whether a vendor has been asked for a clip of a job; it may have ended since."""
    from jobs.execution.models import Job

    return Job.objects.get(pk=job_id).attempts.exclude(state="intent").exists()


def report(job_id: str) -> dict[str, Any]:
    """Say how a job and the books stand."""
    from billing.caps.queries import spend_of_job
    from billing.ledger.queries import ledger_problems
    from compliance.trail.services import verify_chains
    from genengine.core.events.queries import broken_streams
    from jobs.execution.models import Job

    job = Job.objects.get(pk=job_id)
    cap = spend_of_job(job_id=job.pk)
    assert cap is not None
    return {
        "state": job.state,
        "clips": [c.state for c in job.clips.order_by("branch__position", "position")],
        "masters": [m.state for m in job.masters.all()],
        "attempts": [
            {
                "provider": a.provider,
                "state": a.state,
                "key": a.idempotency_key,
                "remote_id": a.remote_id,
                "cost_micro": a.cost_micro,
                "fallback": a.fallback,
            }
            for a in job.attempts.all()
        ],
        "takes_of_an_attempt": max((t for t in _takes_by_attempt(job)), default=0),
        "spent_micro": cap.spent_micro,
        "held_micro": cap.held_micro,
        "ledger": ledger_problems(),
        "events": broken_streams(),
        "audit": verify_chains(),
    }


def _takes_by_attempt(job: Any) -> list[int]:
    from collections import Counter

    return list(Counter(job.takes.values_list("attempt_id", flat=True)).values())
