"""Plans and jobs, valid by default; a test says only what it is about."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from genengine.assets.models import Asset
from genengine.assets.services import upload_asset
from genengine.core import clock
from genengine.workspaces.models import Membership, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Job
from jobs.execution.services import launch_job
from jobs.plan import BranchPlan, ClipInput, ClipPlan, Plan, ScenePlan

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
KLING, LOCAL = ("kling", "kling-2.6"), ("local", "local")
KLING_PRICE = 210_000  # 5 s at 0.042 USD


def make_workspace(slug: str = "aurora", **fields: Any) -> Workspace:
    workspace, _ = Workspace.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})
    return workspace


def make_principal(workspace: Workspace, role: str = Role.ADMIN, email: str = "") -> Principal:
    user, _ = User.objects.get_or_create(email=email or f"{role}@{workspace.slug}.example")
    Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": role})
    principal = principal_of_user(user, workspace)
    assert principal is not None
    return principal


def make_asset(principal: Principal, name: str = "photos/product-flatlay-square.jpg") -> Asset:
    return upload_asset(
        workspace=principal.workspace,
        actor=principal.actor,
        user=principal.user,
        file=MEDIA / name,
        name=Path(name).name,
        now=clock.now(),
    )


def make_plan(
    asset: Asset | None = None,
    *,
    scenes: int = 3,
    branches: tuple[tuple[str, str], ...] = (LOCAL,),
    scene_ms: int = 2000,
    ratios: tuple[str, ...] = ("9:16",),
    **changes: Any,
) -> Plan:
    keys = [f"s{n + 1}" for n in range(scenes)]
    values = {
        "title": "Factory ad",
        "channel": "generic",
        "length_ms": scenes * scene_ms,
        "ratios": ratios,
        "scenes": tuple(
            ScenePlan(k, k.upper(), f"Words of {k}.", f"picture {k}", "push-in", "", scene_ms) for k in keys
        ),
        "branches": tuple(BranchPlan(chr(65 + n), f"Variant {n}", *lead) for n, lead in enumerate(branches)),
        "clips": tuple(
            make_clip(key, chr(65 + n), lead, asset, seed=i, duration_ms=scene_ms)
            for n, lead in enumerate(branches)
            for i, key in enumerate(keys)
        ),
    }
    return Plan(**{**values, **changes})


def make_clip(
    scene: str, branch: str, lead: tuple[str, str], asset: Asset | None, *, seed: int = 1, duration_ms: int = 2000
) -> ClipPlan:
    paid = lead[0] != "local"
    return ClipPlan(
        scene=scene,
        branch=branch,
        provider=lead[0],
        model=lead[1],
        task="image_to_video" if asset else "text_to_video",
        prompt=f"Scene {scene} of branch {branch}, slow push in",
        negative_prompt="",
        seed=seed,
        native_ratio="9:16",
        resolution="720p" if paid else "360p",
        duration_ms=5000 if paid else duration_ms + 500,
        price_micro=KLING_PRICE if paid else 0,
        price_upper_micro=KLING_PRICE if paid else 0,
        expected_s=20 if paid else 5,
        inputs=(ClipInput(str(asset.pk), "first_frame"),) if asset else (),
        reason="made by a factory",
    )


def make_job(
    principal: Principal, plan: Plan | None = None, *, cap_micro: int = 10_000_000, now: datetime | None = None
) -> Job:
    return launch_job(
        workspace=principal.workspace,
        plan=plan or make_plan(),
        title="Factory ad",
        cap_micro=cap_micro,
        actor=principal.actor,
        now=now or clock.now(),
        user=principal.user,
    )
