"""A clip that was made before is not paid for again; what is paid is settled by the terms it was planned by."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from billing.caps.queries import spend_of_job
from billing.ledger.queries import ledger_problems
from genengine.assets.models import Asset
from genengine.assets.services import blob_to_path
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.events.models import Event
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Principal
from jobs.execution import due, tasks
from jobs.execution.models import Attempt, Job, Take, TakeKind
from jobs.execution.reuse import with_reuse
from jobs.execution.services import rerun_clip, revise_job, settling, submitting
from jobs.execution.services.dispatching import dispatch_clip
from jobs.plan import Plan
from jobs.routing.savings import savings_of
from jobs.timeline.words import say
from providers.registry.revisions import revise_card
from providers.values import Amount, RemoteState, TaskReport
from tests.factories.jobs import KLING, KLING_PRICE, make_asset, make_job, make_plan, make_principal, make_workspace
from tests.factories.takes import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.GE_WORK_DIR = tmp_path / "work"


@pytest.fixture
def footage(example_media: Path) -> Path:
    return example_media / "video" / "product-turntable-portrait.mp4"


@pytest.fixture
def asset(admin: Principal) -> Asset:
    return make_asset(admin)


def paid_plan(asset: Asset | None = None, **changes: Any) -> Plan:
    return make_plan(asset, scenes=1, branches=(KLING,), reuse="all", **changes)


def checked(plan: Plan, principal: Principal, mode: str = Mode.SIMULATED) -> Plan:
    return with_reuse(plan, workspace=principal.workspace.pk, mode=mode)


def start(job: Job) -> Attempt:
    (clip,) = due.dispatchable(now=clock.now(), limit=50)
    attempt = dispatch_clip(clip_id=clip, now=clock.now())
    assert attempt is not None
    assert attempt.job_id == job.pk
    return attempt


def made_before(principal: Principal, plan: Plan, video: Path) -> Take:
    return deliver(start(make_job(principal, plan)), video)


def books(job: Job) -> tuple[int, int]:
    cap = spend_of_job(job_id=job.pk)
    assert cap is not None
    assert ledger_problems() == []
    return cap.held_micro, cap.spent_micro


def test_a_restricted_jobs_take_stands_for_clips_of_its_own_brief_alone(
    admin: Principal, asset: Asset, footage: Path
) -> None:
    take = made_before(admin, paid_plan(asset), footage)
    brief, where = uuid.uuid4(), {"workspace": admin.workspace.pk, "mode": Mode.SIMULATED}
    Job.objects.filter(pk=take.job_id).update(restricted=True, brief_id=brief)
    assert with_reuse(paid_plan(asset), **where).price_micro == KLING_PRICE
    assert with_reuse(paid_plan(asset), **where, brief_id=uuid.uuid4()).price_micro == KLING_PRICE
    assert with_reuse(paid_plan(asset), **where, brief_id=brief).price_micro == 0


def test_the_same_request_gets_the_earlier_bytes_and_nobody_is_paid(
    admin: Principal, asset: Asset, footage: Path
) -> None:
    first = made_before(admin, paid_plan(asset), footage)
    plan = checked(paid_plan(asset), admin)
    (saving,) = [part for part in savings_of(plan).parts if part.kind == "reuse"]
    assert (plan.price_micro, saving.amount_micro) == (0, KLING_PRICE)
    job = make_job(admin, plan)
    attempt = start(job)
    assert (attempt.provider, attempt.reuses["take"]) == ("local", str(first.pk))
    tasks.render_attempt(attempt.pk)
    clip = job.clips.get()
    take = clip.selected_take
    assert take is not None
    assert (clip.state, take.kind, take.parent_id, take.blob_id) == ("ready", TakeKind.REUSED, first.pk, first.blob_id)
    assert take.quality is not None
    assert books(job) == (0, 0)
    told = Event.objects.get(type="take.reused", subject_id=take.pk)
    assert "saves $0.21" in say(told)[0]


@pytest.mark.parametrize("changed", ["prompt", "negative_prompt", "seed", "resolution"])
def test_another_request_is_made_anew(admin: Principal, asset: Asset, footage: Path, changed: str) -> None:
    plan = make_plan(asset, scenes=1, branches=(("veo", "veo-3.1-generate-001"),), reuse="all")
    plan = plan.with_changes(clips=tuple(replace(c, task="image_to_video", duration_ms=4000) for c in plan.clips))
    made_before(admin, plan, footage)
    assert checked(plan, admin).clips[0].reuse is not None
    value: Any = {"seed": 2, "resolution": "1080p"}.get(changed, "something else")
    other = plan.with_changes(clips=tuple(replace(c, **{changed: value}) for c in plan.clips))
    assert checked(other, admin).clips == other.clips


def test_neither_another_workspace_nor_the_other_mode_reuses(admin: Principal, footage: Path) -> None:
    made_before(admin, paid_plan(), footage)
    stranger = make_principal(make_workspace("borealis"))
    assert checked(paid_plan(), admin).clips[0].reuse is not None
    assert checked(paid_plan(), stranger).clips[0].reuse is None
    assert checked(paid_plan(), admin, Mode.LIVE).clips[0].reuse is None


def test_a_model_without_a_seed_is_reused_only_when_the_plan_says_so(admin: Principal, footage: Path) -> None:
    made_before(admin, paid_plan(), footage)
    found = {policy: checked(paid_plan().with_changes(reuse=policy), admin).price_micro for policy in ("off", "seeded")}
    assert found == {"off": KLING_PRICE, "seeded": KLING_PRICE}
    opted_out = checked(checked(paid_plan(), admin).with_changes(reuse="off"), admin)
    assert opted_out.clips == paid_plan().clips


def test_a_result_made_from_a_file_that_was_put_away_is_not_reused(
    admin: Principal, asset: Asset, footage: Path
) -> None:
    made_before(admin, paid_plan(asset), footage)
    plan = checked(paid_plan(asset), admin)
    job = make_job(admin, plan)
    Asset.objects.filter(pk=asset.pk).update(archived_at=clock.now())
    assert checked(paid_plan(asset), admin).clips[0].reuse is None
    attempt = start(job)
    assert (attempt.provider, attempt.reuses, attempt.price_micro) == ("kling", {}, KLING_PRICE)
    assert books(job) == (KLING_PRICE, 0)


def test_a_rerun_is_always_made_anew(admin: Principal, footage: Path) -> None:
    made_before(admin, paid_plan(), footage)
    job = make_job(admin, checked(paid_plan(), admin))
    tasks.render_attempt(start(job).pk)
    rerun_clip(clip=job.clips.get(), principal=admin, now=clock.now())
    again = start(job)
    assert (again.provider, again.price_micro) == ("kling", KLING_PRICE)
    assert books(job) == (KLING_PRICE, 0)


def test_a_clip_is_made_at_its_price_when_the_earlier_bytes_are_gone(
    admin: Principal, footage: Path, tmp_path: Path
) -> None:
    first = made_before(admin, paid_plan(), footage)
    job = make_job(admin, checked(paid_plan(), admin))
    attempt = start(job)
    assert blob_to_path(first.blob, tmp_path).is_file()
    default_storage.delete(first.blob.storage_name)
    tasks.render_attempt(attempt.pk)
    assert job.clips.get().state == "queued"
    made = start(job)
    assert (made.provider, made.price_micro) == ("kling", KLING_PRICE)
    assert books(job) == (KLING_PRICE, 0)


def test_a_newer_plan_of_a_job_does_not_make_its_own_clips_again(admin: Principal, footage: Path) -> None:
    first = made_before(admin, paid_plan(), footage)
    job = first.job
    revise_job(job=job, plan=checked(paid_plan(), admin), principal=admin, now=clock.now())
    clip = job.clips.get()
    assert (clip.state, clip.selected_take_id) == ("ready", first.pk)


def test_a_bill_is_settled_by_the_rate_it_was_planned_at(admin: Principal) -> None:
    def rate(usd: str) -> None:
        terms = {"rate": {"unit": "kl-unit", "usd": usd, "as_of": "2026-11-01"}}
        revise_card(model=KLING[1], terms=terms, effective_from=clock.now(), note="contract", actor=SYSTEM,
                    now=clock.now())  # fmt: skip

    rate("0.1")
    plan = paid_plan()
    plan = plan.with_changes(clips=tuple(replace(c, card_revision=1, list_micro=c.price_micro) for c in plan.clips))
    job = make_job(admin, plan)
    attempt = start(job)
    rate("0.5")
    assert submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id="r-1", details={}, poll_after=timedelta(seconds=5), now=clock.now()
    )
    attempt.refresh_from_db()
    report = TaskReport("r-1", RemoteState.SUCCEEDED, {}, cost=Amount(Decimal("2.1"), "kl-unit"))
    submitting.succeed(attempt, report, now=clock.now())
    attempt.refresh_from_db()
    assert attempt.cost_micro == KLING_PRICE
    assert books(job) == (0, KLING_PRICE)
