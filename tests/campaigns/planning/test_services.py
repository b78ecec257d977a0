from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from campaigns.briefs.models import Brief, BriefVersion
from campaigns.briefs.services import update_brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import estimate, is_stale, plan_problems
from campaigns.planning.services import apply_fix, launch, make_plan, restore_revision, revise_plan
from campaigns.planning.types import (
    AddBranch,
    AddScene,
    BriefNotReady,
    ChangeBranchModel,
    ChangeRefused,
    DeleteScene,
    EditClip,
    EditScene,
    LockScene,
    PlanChange,
    PlanMoved,
    PlanStale,
    PriceOverCap,
    RemoveBranch,
    RenameBranch,
    ReorderScenes,
    SceneLocked,
)
from genengine.core.events.models import Event
from genengine.workspaces.models import Mode, Role
from genengine.workspaces.policy import NotAllowed, Principal
from jobs.execution.models import Clip, Job
from jobs.routing.types import FixKind

Revise = Callable[[PlanChange], PlanRevision]


def lengths(revision: PlanRevision) -> list[int]:
    return [scene.duration_ms for scene in revision.plan.scenes]


def test_a_plan_names_model_price_and_reason_for_each_scene_and_variant(revision: PlanRevision) -> None:
    plan = revision.plan
    assert len(plan.clips) == len(plan.scenes) * 2
    assert sum(lengths(revision)) == 15_000
    assert len({branch.model for branch in plan.branches}) == 2
    assert "local" in {branch.provider for branch in plan.branches}
    assert revision.price_micro == sum(c.price_micro for c in plan.clips)
    assert revision.price_upper_micro >= revision.price_micro > 0
    for clip in plan.clips:
        assert clip.reason
        assert clip.rejected
        assert clip.prompt
        assert "captions" in clip.negative_prompt
        assert clip.inputs or clip.task == "text_to_video"


def test_an_empty_brief_says_what_to_write(brief: Brief, editor: Principal, now: datetime) -> None:
    update_brief(brief=brief, values={"script": "  \n", "key_messages": []}, principal=editor, now=now)
    with pytest.raises(BriefNotReady, match="Write at least one sentence"):
        make_plan(brief=brief, principal=editor, now=now)
    assert "Write at least one sentence" in estimate(brief, now).missing


def test_the_estimate_is_the_price_of_the_plan_it_leads_to(brief: Brief, editor: Principal, now: datetime) -> None:
    guess = estimate(brief, now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    assert guess.price_micro == revision.price_micro
    assert guess.masters == 2
    assert guess.expected_s > 0


def test_words_change_nothing_but_the_words(revision: PlanRevision, revise: Revise) -> None:
    key = revision.plan.scenes[0].key
    after = revise(EditScene(key, script='He said: "100% %{x}"', on_screen_text="New"))
    assert after.number == 2
    assert after.price_difference_micro == 0
    assert after.plan.scene(key).script == 'He said: "100% %{x}"'
    assert after.plan.clips == revision.plan.clips
    assert PlanRevision.objects.get(pk=revision.pk).plan == revision.plan


def test_a_new_visual_rewrites_the_prompts_of_its_scene_only(revision: PlanRevision, revise: Revise) -> None:
    key, other = revision.plan.scenes[0].key, revision.plan.scenes[1].key
    after = revise(EditScene(key, visual="A red bicycle in the rain"))
    for branch in ("A", "B"):
        assert "A red bicycle in the rain" in after.plan.clip(key, branch).prompt
        assert after.plan.clip(other, branch) == revision.plan.clip(other, branch)
        assert after.plan.clip(key, branch).model == revision.plan.clip(key, branch).model


def test_a_longer_scene_takes_its_time_from_the_others_and_costs_its_difference(
    revision: PlanRevision, revise: Revise
) -> None:
    key = revision.plan.scenes[1].key
    after = revise(EditScene(key, duration_ms=7_500))
    assert after.plan.scene(key).duration_ms == 7_500
    assert sum(lengths(after)) == 15_000
    assert after.price_difference_micro == after.price_micro - revision.price_micro


def test_locked_scenes_keep_their_length_and_refuse_edits(revision: PlanRevision, revise: Revise) -> None:
    first, second = revision.plan.scenes[0], revision.plan.scenes[1]
    revise(LockScene(first.key))
    after = revise(EditScene(second.key, duration_ms=5_500))
    assert after.plan.scene(first.key).duration_ms == first.duration_ms
    for change in (
        EditScene(first.key, script="x"),
        DeleteScene(first.key),
        EditClip(first.key, "A", prompt="x"),
        ReorderScenes(tuple(reversed([s.key for s in after.plan.scenes]))),
    ):
        with pytest.raises(SceneLocked, match="unlock"):
            revise(change)
    revise(LockScene(first.key, locked=False))
    assert revise(EditScene(first.key, script="x")).plan.scene(first.key).script == "x"


def test_scenes_are_added_moved_and_taken_out_at_the_same_total_length(revision: PlanRevision, revise: Revise) -> None:
    keys = [scene.key for scene in revision.plan.scenes]
    added = revise(AddScene(after=keys[0], visual="Ice falls into a glass", duration_ms=2_000))
    new = added.plan.scenes[1]
    assert new.key not in keys
    assert new.duration_ms == 2_000
    assert {(c.scene, c.branch) for c in added.plan.clips} == {
        (s.key, b) for s in added.plan.scenes for b in ("A", "B")
    }
    order = tuple(reversed([scene.key for scene in added.plan.scenes]))
    moved = revise(ReorderScenes(order))
    assert tuple(scene.key for scene in moved.plan.scenes) == order
    assert moved.plan.scenes[0].role == "hook"
    gone = revise(DeleteScene(new.key))
    assert sorted(scene.key for scene in gone.plan.scenes) == sorted(keys)
    assert [sum(lengths(r)) for r in (added, moved, gone)] == [15_000] * 3
    with pytest.raises(ChangeRefused, match="every scene once"):
        revise(ReorderScenes((keys[0],)))


def test_variants_are_added_renamed_led_by_another_model_and_taken_out(revision: PlanRevision, revise: Revise) -> None:
    added = revise(AddBranch())
    assert [branch.key for branch in added.plan.branches] == ["A", "B", "C"]
    assert len({branch.model for branch in added.plan.branches}) == 3
    assert added.price_difference_micro == sum(c.price_micro for c in added.plan.clips_of("C"))
    renamed = revise(RenameBranch("C", "  Bold   one "))
    assert renamed.plan.branch("C").name == "Bold one"
    led = revise(ChangeBranchModel("C", "local"))
    assert {c.model for c in led.plan.clips_of("C")} == {"local"}
    assert led.plan.branch("C").name == "Bold one"
    assert led.plan.clips_of("A") == renamed.plan.clips_of("A")
    gone = revise(RemoveBranch("C"))
    assert gone.price_micro == revision.price_micro
    revise(RemoveBranch("B"))
    with pytest.raises(ChangeRefused, match="last variant"):
        revise(RemoveBranch("A"))
    with pytest.raises(ChangeRefused, match="no model"):
        revise(ChangeBranchModel("A", "nonsense"))


def test_a_persons_prompt_and_model_survive_later_edits(revision: PlanRevision, revise: Revise) -> None:
    scene = revision.plan.scenes[0].key
    dear = next(b for b in revision.plan.branches if b.provider != "local")
    own = revise(EditClip(scene, dear.key, prompt="A single drop falls"))
    longer = revise(EditScene(scene, duration_ms=6_000))
    assert longer.plan.clip(scene, dear.key).prompt == "A single drop falls"
    free = revise(EditClip(scene, dear.key, model="local"))
    assert free.plan.clip(scene, dear.key).price_micro == 0
    assert free.price_difference_micro == -longer.plan.clip(scene, dear.key).price_micro
    assert "chosen by a person" in free.plan.clip(scene, dear.key).reason
    revise(ChangeBranchModel(dear.key, "kling-3.0"))
    assert revise(EditScene(scene, title="t")).plan.clip(scene, dear.key).model == "local"
    assert own.price_difference_micro == 0
    with pytest.raises(ChangeRefused, match="prompt is empty"):
        revise(EditClip(scene, dear.key, prompt="   "))


def test_impossible_lengths_and_words_are_refused_with_a_sentence(revision: PlanRevision, revise: Revise) -> None:
    key = revision.plan.scenes[0].key
    for change, words in (
        (EditScene(key, duration_ms=15_000), "choose a length"),
        (EditScene(key, duration_ms=10), "choose a length"),
        (EditScene(key, transition="explode"), "transitions are"),
        (EditScene(key, references=("nobody",)), "attach it"),
        (EditScene("s99", script="x"), "reload"),
        (EditScene(key, script="x" * 3_000), "shorten"),
    ):
        with pytest.raises(ChangeRefused, match=words):
            revise(change)


def test_somebody_elses_newer_revision_is_never_overwritten(
    revision: PlanRevision, revise: Revise, editor: Principal, now: datetime
) -> None:
    revise(EditScene(revision.plan.scenes[0].key, script="theirs"))
    with pytest.raises(PlanMoved, match="newest is 2"):
        revise_plan(revision=revision, change=AddBranch(), principal=editor, now=now)
    with pytest.raises(PlanMoved):
        launch(revision=revision, principal=editor, now=now)
    back = restore_revision(revision=revision, principal=editor, now=now)
    assert back.number == 3
    assert back.plan == revision.plan


def test_launch_freezes_the_brief_and_starts_one_job(
    revision: PlanRevision, brief: Brief, editor: Principal, now: datetime
) -> None:
    job = launch(revision=revision, principal=editor, now=now)
    assert launch(revision=revision, principal=editor, now=now).pk == job.pk
    assert Job.objects.count() == 1
    assert Clip.objects.filter(job=job).count() == len(revision.plan.clips)
    version = BriefVersion.objects.get(brief=brief)
    assert (version.number, job.brief_version) == (1, 1)
    assert version.values["script"] == brief.script
    assert list(version.values["asset_hashes"].values())
    assert Event.objects.filter(type="brief.launched").count() == 1


def test_a_plan_older_than_its_brief_is_not_launched(
    revision: PlanRevision, brief: Brief, editor: Principal, now: datetime
) -> None:
    assert not is_stale(revision=revision)
    update_brief(brief=brief, values={"script": "Something else entirely."}, principal=editor, now=now)
    assert is_stale(revision=PlanRevision.objects.get(pk=revision.pk))
    with pytest.raises(PlanStale, match="plan it again"):
        launch(revision=revision, principal=editor, now=now)
    assert not Job.objects.exists()


def test_a_price_over_the_cap_is_refused_with_fixes_that_work(brief: Brief, editor: Principal, now: datetime) -> None:
    update_brief(brief=brief, values={"quality_profile": "quality", "cap_micro": 100_000}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    with pytest.raises(PriceOverCap) as refused:
        launch(revision=revision, principal=editor, now=now)
    fixes = {fix.kind: fix for fix in refused.value.problems[0].fixes}
    assert set(fixes) >= {FixKind.CHEAPER_MODEL, FixKind.RAISE_CAP}
    apply_fix(brief=brief, fix=fixes[FixKind.CHEAPER_MODEL], principal=editor, now=now)
    cheaper = PlanRevision.objects.latest("number")
    assert not plan_problems(revision=cheaper, now=now)
    assert launch(revision=cheaper, principal=editor, now=now).cap_micro == 100_000


def test_raising_the_cap_needs_no_new_plan(brief: Brief, editor: Principal, now: datetime) -> None:
    update_brief(brief=brief, values={"quality_profile": "quality", "cap_micro": 100_000}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    (problem,) = plan_problems(revision=revision, now=now)
    fix = next(f for f in problem.fixes if f.kind is FixKind.RAISE_CAP)
    assert apply_fix(brief=brief, fix=fix, principal=editor, now=now) is None
    assert launch(revision=revision, principal=editor, now=now)


def test_a_deadline_in_five_seconds_is_said_and_can_be_moved(brief: Brief, editor: Principal, now: datetime) -> None:
    update_brief(brief=brief, values={"deadline_at": now + timedelta(seconds=5)}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    problem = next(p for p in plan_problems(revision=revision, now=now) if p.code == "past_deadline")
    apply_fix(brief=brief, fix=problem.fixes[0], principal=editor, now=now)
    assert not plan_problems(revision=PlanRevision.objects.get(pk=revision.pk), now=now)


def test_a_live_workspace_without_keys_plans_locally_and_says_why(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    brief.workspace.mode = Mode.LIVE
    brief.workspace.save()
    revision = make_plan(brief=brief, principal=editor, now=now)
    assert {c.provider for c in revision.plan.clips} == {"local"}
    assert any("no working KlingAI key" in sentence for sentence in revision.plan.clips[0].rejected)
    assert any("share a model" in note for note in revision.plan.notes)


def test_a_viewer_plans_nothing(brief: Brief, person: Callable[..., Principal], now: datetime) -> None:
    with pytest.raises(NotAllowed):
        make_plan(brief=brief, principal=person(Role.VIEWER), now=now)
