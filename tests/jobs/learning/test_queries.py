"""What past work tells routing: live attempts alone, the newest first, with people's verdicts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from genengine.assets.services import store_blob
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Clip, Job, Take, TakeKind
from jobs.learning import context
from jobs.learning.queries import figures_of, loads_of, measured, units_of_month
from jobs.quality.models import QualityReport
from jobs.routing.figures import PRIOR
from providers.registry.revisions import revise_card
from tests.factories.jobs import KLING, make_job, make_plan, make_principal, make_workspace

pytestmark = pytest.mark.django_db
MODEL = KLING[1]


@pytest.fixture
def live() -> Principal:
    return make_principal(make_workspace(mode=Mode.LIVE))


def ended(
    job: Job, count: int, *, state: str = "collected", at: datetime | None = None, **fields: Any
) -> list[Attempt]:
    """Rows as execution leaves them when attempts end."""
    clip = Clip.objects.filter(job=job).first()
    assert clip is not None
    moment = at or clock.now()
    start = Attempt.objects.count()
    return Attempt.objects.bulk_create(
        Attempt(
            **{
                "workspace": job.workspace, "job": job, "clip": clip, "number": start + n + 1, "plan_number": 1,
                "provider": KLING[0], "model": MODEL, "state": state, "state_changed_at": moment,
                "idempotency_key": f"k{start + n}", "request": {"duration_s": 5.0, "prompt": "p"},
                "request_digest": "d", "reservation": clip.reservation, "cost_micro": 210_000,
                "created_at": moment, "submitted_at": moment - timedelta(seconds=50), "finished_at": moment, **fields,
            }
        )
        for n in range(count)
    )  # fmt: skip


def test_attempts_of_live_jobs_become_figures(live: Principal) -> None:
    job = make_job(live, make_plan(branches=(KLING,)))
    ended(job, 60)
    ended(job, 40, state="failed", error={"kind": "transient", "message": "broken"})
    figures = figures_of(workspace=live.workspace, at=clock.now())[MODEL]
    assert figures.tries == 100
    assert 0.58 < figures.pass_rate < 0.66
    assert figures.pace_p50 == pytest.approx(10.0)
    assert figures.accepted_second_micro == pytest.approx(210_000 * 100 / (60 * 5), rel=0.01)
    assert "of 100" in figures.words


def test_simulated_attempts_never_teach() -> None:
    principal = make_principal(make_workspace(mode=Mode.SIMULATED))
    ended(make_job(principal, make_plan(branches=(KLING,))), 50, state="failed")
    assert measured(workspace=principal.workspace, at=clock.now()).figures == {}
    principal.workspace.mode = Mode.LIVE
    principal.workspace.save()
    assert figures_of(workspace=principal.workspace, at=clock.now()) == {}


def test_another_workspaces_attempts_do_not_teach(live: Principal) -> None:
    other = make_principal(make_workspace("other", mode=Mode.LIVE))
    ended(make_job(other, make_plan(branches=(KLING,))), 20, state="failed")
    assert figures_of(workspace=live.workspace, at=clock.now()) == {}


def test_what_we_asked_wrongly_is_not_held_against_a_model(live: Principal) -> None:
    job = make_job(live, make_plan(branches=(KLING,)))
    for kind in ("content_refused", "invalid_request", "rate_limited", "credentials_rejected"):
        ended(job, 5, state="refused", error={"kind": kind, "message": "no"}, cost_micro=0)
    ended(job, 3, fallback=True)
    ended(job, 2, state="refused", cost_micro=0)  # withdrawn before it was sent
    assert figures_of(workspace=live.workspace, at=clock.now()) == {}


def test_only_the_newest_attempts_count_and_the_cost_does_not_grow(live: Principal) -> None:
    job = make_job(live, make_plan(branches=(KLING,)))
    ended(job, 50, state="failed", at=clock.now() - timedelta(days=2))

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            measured(workspace=live.workspace, at=clock.now())
        return len(captured)

    few = queries()
    ended(job, 200)
    assert queries() == few
    figures = figures_of(workspace=live.workspace, at=clock.now())[MODEL]
    assert figures.tries == 200
    assert figures.pass_rate > 0.98


def test_quality_and_approval_come_from_what_was_kept(live: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(live, make_plan(branches=(KLING,)))
    (attempt,) = ended(job, 1)
    blob = store_blob(workspace=live.workspace, media_type="video/mp4", content=b"video")
    report = QualityReport.objects.create(
        workspace=live.workspace, job_id=job.pk, subject_kind="take", subject_id=attempt.clip_id, sha256=blob.sha256,
        verdict="pass", score=4, created_at=clock.now(),
    )  # fmt: skip
    Take.objects.create(
        workspace=live.workspace, job=job, clip=attempt.clip, number=1, kind=TakeKind.GENERATED, attempt=attempt,
        plan_number=1, blob=blob, width=720, height=1280, fps="30/1", duration_ms=5000, simulated=False,
        quality=report, created_at=clock.now(),
    )  # fmt: skip
    before = figures_of(workspace=live.workspace, at=clock.now())[MODEL]
    assert before.score < PRIOR.score
    assert before.approval == PRIOR.approval
    monkeypatch.setattr(context, "_verdicts", [lambda branches: dict.fromkeys(branches, False)])
    assert figures_of(workspace=live.workspace, at=clock.now())[MODEL].approval < PRIOR.approval


def test_a_providers_load_is_what_it_was_given_in_a_day(live: Principal) -> None:
    make_job(live, make_plan(branches=(KLING,), scenes=3))
    make_job(live, make_plan(branches=(KLING,), scenes=2), now=clock.now() - timedelta(days=2))
    assert loads_of(workspace=live.workspace, at=clock.now())["kling"] == 3


def test_the_months_volume_counts_what_was_billed(live: Principal) -> None:
    now = clock.now()
    job = make_job(live, make_plan(branches=(KLING,)))
    ended(job, 4)
    ended(job, 2, state="refused", cost_micro=0)
    ended(job, 9, at=now.replace(day=1) - timedelta(days=2))
    assert units_of_month(workspace=live.workspace, at=clock.now()) == {}
    revise_card(
        model=MODEL, terms={"volume_tiers": [{"from_units": 10, "percent_off": "10"}]}, effective_from=now,
        note="contract", actor=SYSTEM, now=now,
    )  # fmt: skip
    assert units_of_month(workspace=live.workspace, at=clock.now())[MODEL] == 20
