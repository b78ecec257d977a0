"""The work: workspaces with one job each, every clip at a vendor, launched through the public services."""

from __future__ import annotations

from benchmarks.routing.jobs import principal_of
from genengine.core import clock
from genengine.core.correlation import correlated
from genengine.core.money import MICRO
from genengine.workspaces.models import Mode
from jobs.execution.models import Job
from jobs.execution.services import launch_job
from jobs.plan import BranchPlan, ClipPlan, Plan, ScenePlan
from providers.catalogue import get_card
from providers.registry.revisions import sync_cards

PER_WORKSPACE = 50
MODEL = "google/veo-3"  # at Replicate: no limit of tasks side by side, and each poll names its task in the address
SCENE_MS = 4000


def launch_all(clips: int) -> list[Job]:
    """Launch the clips, fifty to a workspace."""
    sync_cards(now=clock.now())
    jobs = []
    for number, start in enumerate(range(0, clips, PER_WORKSPACE)):
        principal = principal_of(f"load-{number + 1:02}", Mode.SIMULATED)
        with correlated():
            job = launch_job(
                workspace=principal.workspace, plan=_plan(number, min(PER_WORKSPACE, clips - start)),
                title=f"Load {number + 1}", cap_micro=1000 * MICRO, actor=principal.actor, user=principal.user,
                now=clock.now(),
            )  # fmt: skip
        jobs.append(job)
    return jobs


def _plan(number: int, clips: int) -> Plan:
    """One branch whose scenes are the clips: its master waits until all of them are there."""
    provider = get_card(MODEL).provider
    keys = [f"s{n + 1}" for n in range(clips)]
    return Plan(
        title=f"Load {number + 1}",
        channel="generic",
        length_ms=clips * SCENE_MS,
        ratios=("16:9",),
        scenes=tuple(ScenePlan(key, key, "", f"picture {key}", "push-in", "", SCENE_MS) for key in keys),
        branches=(BranchPlan("A", "Variant", provider, MODEL),),
        clips=tuple(_clip(number, index, key, provider) for index, key in enumerate(keys)),
        captions="sidecar",
    )


def _clip(number: int, index: int, key: str, provider: str) -> ClipPlan:
    price = round(0.4 * MICRO * SCENE_MS / 1000)
    return ClipPlan(
        scene=key, branch="A", provider=provider, model=MODEL, task="text_to_video",
        prompt=f"Workspace {number + 1}, clip {index + 1}: a slow push in", negative_prompt="", seed=index,
        native_ratio="16:9", resolution="720p", duration_ms=SCENE_MS, price_micro=price, price_upper_micro=price,
        expected_s=60, reason="load",
    )  # fmt: skip
