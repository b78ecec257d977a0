"""What people do to a running job, and what the engine does with money, retries and takes. No worker runs here: the
steps that workers take are called as they call them."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from billing.caps.queries import spend_of_job
from billing.ledger.models import Reservation
from billing.ledger.queries import ledger_problems
from billing.ledger.services import CapReached
from genengine.assets.services import store_blob
from genengine.core import clock
from genengine.core.events.queries import broken_streams, events_after
from genengine.core.states import TransitionRefused
from genengine.workspaces.models import FallbackPolicy
from genengine.workspaces.policy import NotAllowed, Principal
from jobs.execution import due
from jobs.execution.leases import LeaseLost
from jobs.execution.models import Attempt, Clip, Job, Master, TakeKind
from jobs.execution.pump import sweep
from jobs.execution.services import (
    ClipLocked,
    RevisionRefused,
    cancel_branch,
    cancel_clip,
    cancel_job,
    lock_clip,
    pause_branch,
    pause_job,
    raise_cap,
    rerun_clip,
    rerun_job,
    resume_branch,
    resume_job,
    revise_job,
    select_take,
    settling,
    submitting,
)
from jobs.execution.services.collecting import TakeFacts, collect_take
from jobs.execution.services.dispatching import dispatch_clip
from tests.factories.jobs import (
    KLING,
    KLING_PRICE,
    LOCAL,
    make_clip,
    make_job,
    make_plan,
    make_principal,
    make_workspace,
)

pytestmark = pytest.mark.django_db
ERROR = {"kind": "transient", "message": "a passing fault"}


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


def dispatch(job: Job) -> list[Attempt]:
    """What the pump does."""
    now = clock.now()
    started = [dispatch_clip(clip_id=pk, now=now) for pk in due.dispatchable(now=now, limit=50)]
    return [a for a in started if a is not None and a.job_id == job.pk]


def accept(attempt: Attempt) -> None:
    """What the worker does after the vendor's yes."""
    now = clock.now()
    assert submitting.claim_submit(attempt_id=attempt.pk, now=now)
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id=f"r-{attempt.pk}", details={}, poll_after=timedelta(seconds=5), now=now
    )


def deliver(attempt: Attempt, content: bytes = b"video") -> None:
    """What pump and media worker do when the vendor is done."""
    now, owner = clock.now(), uuid.uuid4().hex
    attempt.refresh_from_db()
    if attempt.state == "submitted":
        settling.succeed_attempt(
            attempt_id=attempt.pk, cost_micro=attempt.price_micro, vendor_amount=None, vendor_currency="", now=now
        )
    Attempt.objects.filter(pk=attempt.pk).update(lease_owner=owner)
    blob = store_blob(workspace=attempt.workspace, media_type="video/mp4", content=content + attempt.pk.bytes)
    facts = TakeFacts(blob, None, 360, 640, "30/1", 2500, None)
    collect_take(attempt_id=attempt.pk, owner=owner, facts=facts, now=now)


def finish(job: Job) -> None:
    """Bring every clip of a job to its end."""
    while attempts := dispatch(job):
        for attempt in attempts:
            if attempt.provider != "local":
                accept(attempt)
            deliver(attempt)


def states(job: Job) -> list[str]:
    return list(job.clips.order_by("branch__position", "position").values_list("state", flat=True))


def books(job: Job) -> tuple[int, int]:
    cap = spend_of_job(job_id=job.pk)
    assert cap is not None
    assert ledger_problems() == []
    return cap.held_micro, cap.spent_micro


def types(job: Job) -> list[str]:
    return [e.type for e in events_after(subject_id=job.pk)]


def test_launching_holds_the_plans_upper_price_and_nothing_is_spent(admin: Principal) -> None:
    job = make_job(admin, make_plan(branches=(KLING, LOCAL)))
    assert books(job) == (3 * KLING_PRICE, 0)
    assert states(job) == ["queued"] * 6
    assert types(job)[0] == "job.created"
    assert broken_streams() == []


def test_a_plan_over_its_budget_creates_nothing(admin: Principal) -> None:
    with pytest.raises(CapReached):
        make_job(admin, make_plan(branches=(KLING,)), cap_micro=KLING_PRICE * 3 - 1)
    assert (Job.objects.count(), Reservation.objects.count()) == (0, 0)


def test_money_is_committed_at_acceptance_and_corrected_at_the_verdict(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    assert books(job) == (KLING_PRICE, 0)
    accept(attempt)
    assert books(job) == (0, KLING_PRICE)
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=200_000, vendor_amount=None, vendor_currency="", now=clock.now()
    )
    assert books(job) == (0, 200_000)
    deliver(attempt)
    assert states(job) == ["ready"]


def test_a_paid_call_is_claimed_once(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    assert submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    assert not submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())


def test_a_sender_that_died_is_asked_after_at_the_vendor_and_not_sent_again(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    later = clock.now() + timedelta(minutes=2)
    submitting.sweep_attempt(attempt_id=attempt.pk, now=later)
    attempt.refresh_from_db()
    assert attempt.state == "unknown"
    assert books(job) == (0, KLING_PRICE)
    assert dispatch(job) == []
    settling.find_nothing(attempt_id=attempt.pk, now=later)
    assert books(job) == (0, 0)
    assert states(job) == ["queued"]


def test_a_task_that_waits_for_a_busy_worker_is_not_queued_again_and_a_lost_one_is(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    assert queued_for(attempt) == 1
    later = clock.now()
    for _ in range(3):
        later += timedelta(minutes=1)
        sweep(later)
        assert queued_for(attempt) == 1
    taken = OrmQ.objects.order_by("-pk").first()
    assert taken is not None
    OrmQ.objects.filter(pk=taken.pk).update(lock=timezone.now() + timedelta(hours=1))  # a worker took it and died
    sweep(later + timedelta(minutes=1))
    assert queued_for(attempt) == 2
    OrmQ.objects.all().delete()
    sweep(later + timedelta(minutes=2))
    assert queued_for(attempt) == 1


def queued_for(attempt: Attempt) -> int:
    """Number of tasks of this attempt in the queue."""
    tasks = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    return sum(task["args"][1] == str(attempt.pk) for task in tasks)


def test_an_outcome_that_stays_unknown_is_counted_as_spent_and_a_local_take_stands_in(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    accept(attempt)
    settling.lose_attempt(attempt_id=attempt.pk, window=timedelta(hours=1), reason="lost", now=clock.now())
    settling.presume_spent(attempt_id=attempt.pk, now=clock.now())
    assert books(job) == (0, KLING_PRICE)
    fallback = Attempt.objects.get(fallback=True)
    deliver(fallback)
    clip = job.clips.get()
    assert (clip.state, clip.selected_take.kind) == ("ready", TakeKind.FALLBACK)
    assert "branch.fallback" in types(job)


def test_a_passing_fault_is_tried_again_with_the_same_money(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    settling.refuse_attempt(attempt_id=attempt.pk, error=ERROR, retry_after_s=None, now=clock.now())
    clip = job.clips.get()
    assert clip.state == "queued"
    assert clip.not_before is not None
    assert books(job) == (KLING_PRICE, 0)
    Clip.objects.update(not_before=None)
    (second,) = dispatch(job)
    assert second.reservation_id == attempt.reservation_id
    assert second.idempotency_key != attempt.idempotency_key


def test_after_three_faults_the_policy_decides(admin: Principal) -> None:
    admin.workspace.fallback_policy = FallbackPolicy.ASK
    admin.workspace.save()
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    for _ in range(3):
        Clip.objects.update(not_before=None)
        (attempt,) = dispatch(job)
        submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
        settling.refuse_attempt(attempt_id=attempt.pk, error=ERROR, retry_after_s=None, now=clock.now())
    clip = job.clips.get()
    assert clip.state == "needs_attention"
    assert set(clip.failure) == {"stage", "cause", "who_pays", "next_step"}
    assert books(job) == (0, 0)
    job.refresh_from_db()
    assert job.state == "needs_attention"


def test_the_policy_of_another_provider_makes_a_new_attempt_with_its_own_price(admin: Principal) -> None:
    admin.workspace.fallback_policy = FallbackPolicy.PROVIDER
    admin.workspace.save()
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    refusal = {"kind": "quota_exhausted", "message": "no credit is left"}
    settling.refuse_attempt(attempt_id=attempt.pk, error=refusal, retry_after_s=None, now=clock.now())
    assert states(job) == ["queued"]
    revision = job.plans.latest("number")
    assert (revision.number, revision.author) == (2, None)
    (second,) = dispatch(job)
    assert second.provider not in ("kling", "local")
    assert second.price_micro == revision.plan.clips[0].price_micro
    assert books(job) == (revision.plan.clips[0].price_upper_micro, 0)


def test_a_result_that_cannot_be_used_stays_paid_and_says_so(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    accept(attempt)
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=KLING_PRICE, vendor_amount=None, vendor_currency="", now=clock.now()
    )
    for _ in range(submitting.MAX_FETCHES):
        Attempt.objects.filter(pk=attempt.pk).update(lease_owner="me")
        submitting.fetch_failed(attempt_id=attempt.pk, owner="me", cause="cut off", now=clock.now())
    attempt.refresh_from_db()
    assert (attempt.state, attempt.cost_micro) == ("failed", KLING_PRICE)
    assert books(job) == (0, KLING_PRICE)
    assert states(job) == ["queued"]


def test_a_job_out_of_budget_holds_its_clips_until_the_cap_is_raised(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)), cap_micro=KLING_PRICE)
    finish(job)
    rerun_clip(clip=job.clips.get(), principal=admin, now=clock.now())
    assert dispatch(job) == []
    clip = job.clips.get()
    assert (clip.state, clip.selected_take is None) == ("held", False)
    job.refresh_from_db()
    assert job.state == "held"
    raise_cap(job=job, limit_micro=2 * KLING_PRICE, principal=admin, now=clock.now())
    assert states(job) == ["queued"]
    assert len(dispatch(job)) == 1


def test_a_paused_job_sends_nothing_and_keeps_what_is_in_flight(admin: Principal) -> None:
    job = make_job(admin, make_plan(branches=(KLING,)))
    first = dispatch_clip(clip_id=job.clips.order_by("position")[0].pk, now=clock.now())
    assert first is not None
    accept(first)
    pause_job(job=job, principal=admin, now=clock.now())
    assert dispatch(job) == []
    deliver(first)
    assert states(job) == ["ready", "paused", "paused"]
    job.refresh_from_db()
    assert job.state == "paused"
    resume_job(job=job, principal=admin, now=clock.now())
    assert len(dispatch(job)) == 2


def test_resuming_the_job_leaves_a_branch_paused_that_was_paused_on_its_own(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(LOCAL, KLING)))
    first, second = job.branches.order_by("position")
    pause_branch(branch=first, principal=admin, now=clock.now())
    pause_job(job=job, principal=admin, now=clock.now())
    resume_job(job=job, principal=admin, now=clock.now())
    assert states(job) == ["paused", "queued"]
    resume_branch(branch=first, principal=admin, now=clock.now())
    assert states(job) == ["queued", "queued"]
    assert second.name


def test_cancelling_gives_held_money_back_and_still_settles_what_was_sent(admin: Principal) -> None:
    job = make_job(admin, make_plan(branches=(KLING,)))
    attempt = dispatch_clip(clip_id=job.clips.order_by("position")[0].pk, now=clock.now())
    assert attempt is not None
    accept(attempt)
    cancel_job(job=job, principal=admin, now=clock.now())
    assert states(job) == ["cancelled"] * 3
    assert books(job) == (0, KLING_PRICE)
    deliver(attempt)
    assert states(job) == ["cancelled"] * 3
    assert job.takes.count() == 1
    assert "take.extra" in types(job)
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_clip_cancelled_before_it_was_sent_costs_nothing(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(KLING,)))
    (attempt,) = dispatch(job)
    cancel_clip(clip=job.clips.get(), principal=admin, now=clock.now())
    assert not submitting.claim_submit(attempt_id=attempt.pk, now=clock.now())
    attempt.refresh_from_db()
    assert attempt.state == "refused"
    assert books(job) == (0, 0)


def test_a_good_clip_keeps_its_take_while_it_is_made_again(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=2))
    finish(job)
    clip = job.clips.order_by("position")[0]
    old = clip.selected_take_id
    rerun_clip(clip=clip, principal=admin, now=clock.now())
    clip.refresh_from_db()
    assert (clip.state, clip.selected_take_id) == ("queued", old)
    finish(job)
    clip.refresh_from_db()
    assert clip.selected_take_id != old
    assert clip.takes.count() == 2


def test_a_locked_clip_is_left_alone(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=2))
    finish(job)
    first, _ = job.clips.order_by("position")
    lock_clip(clip=first, principal=admin, now=clock.now())
    first.refresh_from_db()
    with pytest.raises(ClipLocked):
        rerun_clip(clip=first, principal=admin, now=clock.now())
    rerun_job(job=job, principal=admin, now=clock.now())
    assert states(job) == ["ready", "queued"]


def test_masters_wait_for_every_clip_and_follow_a_changed_take(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=2, ratios=("9:16", "1:1")))
    assert {m.inputs_digest for m in job.masters.all()} == {""}
    finish(job)
    before = {m.inputs_digest for m in job.masters.all()}
    assert len(before) == 1
    assert before != {""}
    clip = job.clips.order_by("position")[0]
    rerun_clip(clip=clip, principal=admin, now=clock.now())
    finish(job)
    assert {m.inputs_digest for m in job.masters.all()} != before
    first = clip.takes.order_by("number")[0]
    select_take(take=first, principal=admin, now=clock.now())
    assert {m.inputs_digest for m in job.masters.all()} == before


def test_a_branch_with_two_good_scenes_is_composed_without_the_third(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=3))
    cancel_clip(clip=job.clips.order_by("position")[2], principal=admin, now=clock.now())
    finish(job)
    assert states(job) == ["ready", "ready", "cancelled"]
    assert Master.objects.exclude(inputs_digest="").filter(job=job).count() == 1


def test_a_take_is_collected_by_the_holder_of_the_lease_only(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1))
    (attempt,) = dispatch(job)
    blob = store_blob(workspace=job.workspace, media_type="video/mp4", content=b"x")
    facts = TakeFacts(blob, None, 1, 1, "30/1", 1, None)
    with pytest.raises(LeaseLost):
        collect_take(attempt_id=attempt.pk, owner="somebody else", facts=facts, now=clock.now())


def test_controls_need_the_right_role(admin: Principal) -> None:
    job = make_job(admin)
    viewer, editor = make_principal(admin.workspace, "viewer"), make_principal(admin.workspace, "editor")
    for step in (pause_job, resume_job, cancel_job, rerun_job):
        with pytest.raises(NotAllowed):
            step(job=job, principal=viewer, now=clock.now())
    with pytest.raises(NotAllowed):
        raise_cap(job=job, limit_micro=1, principal=editor, now=clock.now())
    assert states(job) == ["queued"] * 3


def test_an_action_that_does_not_apply_is_refused_by_name(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1))
    with pytest.raises(TransitionRefused, match="'rerun' does not apply"):
        rerun_clip(clip=job.clips.get(), principal=admin, now=clock.now())


def test_a_small_workspace_is_not_starved_by_a_large_one(admin: Principal) -> None:
    make_job(admin, make_plan(scenes=12, branches=(KLING,)))
    other = make_principal(make_workspace("small"))
    small = make_job(other, make_plan(scenes=2, branches=(KLING,)))
    ids = due.dispatchable(now=clock.now(), limit=4)
    assert sum(Clip.objects.filter(pk__in=ids, job=small).values_list("pk", flat=True).count() for _ in (1,)) == 2


def test_a_running_job_takes_a_new_prompt_and_a_new_variant_with_their_price(admin: Principal) -> None:
    plan = make_plan(scenes=2)
    job = make_job(admin, plan)
    finish(job)
    edited = plan.clips[0].__class__(**{**vars(plan.clips[0]), "prompt": "another picture"})
    longer = plan.with_changes(
        clips=(edited, *plan.clips[1:], *(make_clip(s.key, "B", KLING, None) for s in plan.scenes)),
        branches=(*plan.branches, plan.branches[0].__class__("B", "Paid", *KLING)),
    )
    revision = revise_job(job=job, plan=longer, principal=admin, now=clock.now(), reason="another try")
    assert (revision.number, revision.price_difference_micro) == (2, 2 * KLING_PRICE)
    assert states(job) == ["queued", "ready", "queued", "queued"]
    assert books(job) == (2 * KLING_PRICE, 0)
    finish(job)
    newest = job.attempts.filter(clip__branch__key="A", clip__scene_key="s1").latest("number")
    assert (newest.plan_number, newest.request["prompt"]) == (2, "another picture")
    assert "plan.applied" in types(job)


def test_a_running_job_refuses_other_scenes_and_clips_in_flight(admin: Principal) -> None:
    plan = make_plan(scenes=2, branches=(KLING,))
    job = make_job(admin, plan)
    with pytest.raises(RevisionRefused, match="job of its own"):
        revise_job(job=job, plan=make_plan(scenes=3, branches=(KLING,)), principal=admin, now=clock.now())
    dispatch(job)
    edited = plan.clips[0].__class__(**{**vars(plan.clips[0]), "prompt": "another picture"})
    changed = plan.with_changes(clips=(edited, plan.clips[1]))
    with pytest.raises(RevisionRefused, match="being made"):
        revise_job(job=job, plan=changed, principal=admin, now=clock.now())
    assert job.plans.count() == 1


def test_cancelling_one_variant_leaves_the_others(admin: Principal) -> None:
    job = make_job(admin, make_plan(scenes=1, branches=(LOCAL, KLING)))
    cancel_branch(branch=job.branches.get(key="B"), principal=admin, now=clock.now())
    assert states(job) == ["queued", "cancelled"]
    finish(job)
    assert states(job) == ["ready", "cancelled"]
