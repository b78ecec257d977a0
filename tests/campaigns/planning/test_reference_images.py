"""Reference pictures of a scene go to the models that follow them, within their limits; for others the plan says so."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import estimate, plan_findings
from campaigns.planning.services import launch, make_plan
from campaigns.planning.types import ChangeRefused, EditClip, EditScene, PlanChange, PlanFlawed
from genengine.assets.models import Asset, Lineage
from genengine.assets.services import archive_asset, store_blob, upload_asset
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Job
from jobs.execution.requests import build_request, content_digest, request_values
from jobs.execution.services import settling, submitting
from jobs.execution.services.collecting import TakeFacts, collect_take
from jobs.execution.services.dispatching import dispatch_clip
from jobs.execution.services.rerouting import move_clips
from jobs.plan import ClipPlan, Plan
from jobs.preflight.types import Level
from providers.base import RemoteAdapter
from providers.values import Accepted, InputRole
from tests.api.support import partner
from tests.campaigns.conftest import MEDIA
from tests.contracts.cases import CASES
from tests.contracts.emulator_process import EmulatorProcess

pytestmark = pytest.mark.django_db

VEO, OMNI, SEVERAL, NO_REFERENCES = "veo-3.1-generate-001", "kling-3.0-omni", "kling-1.6", "kling-3.0"
Revise = Callable[[PlanChange], PlanRevision]


def upload(principal: Principal, path: Path, now: datetime, name: str = "") -> Asset:
    return upload_asset(
        workspace=principal.workspace, actor=principal.actor, user=principal.user, file=path, name=name or path.name,
        now=now,
    )  # fmt: skip


@pytest.fixture
def guides(editor: Principal, photo: Asset, now: datetime) -> tuple[str, ...]:
    """The ids of three pictures of the library that the brief does not use."""
    others = [path for path in sorted((MEDIA / "photos").glob("*.jpg")) if path.stem != "product-flatlay-square"]
    return tuple(str(upload(editor, path, now).pk) for path in others[:3])


@pytest.fixture
def on_model(revision: PlanRevision, revise: Revise, guides: tuple[str, ...]) -> Callable[[str], ClipPlan]:
    """Give the first scene its reference pictures and return its first clip as a model would make it."""
    key, branch = revision.plan.scenes[0].key, revision.plan.branches[0].key
    revise(EditScene(key, reference_images=guides))

    def made(model: str) -> ClipPlan:
        return revise(EditClip(key, branch, model=model)).plan.clip(key, branch)

    return made


def given(clip: ClipPlan) -> list[str]:
    assert {i.role for i in clip.inputs} == {"reference"}
    return [i.asset_id for i in clip.inputs]


def test_reference_pictures_are_a_revision_with_author_words_and_price_difference(
    revision: PlanRevision, revise: Revise, editor: Principal, guides: tuple[str, ...]
) -> None:
    key = revision.plan.scenes[0].key
    changed = revise(EditScene(key, reference_images=guides[:2]))
    assert (changed.number, changed.author) == (2, editor.user)
    assert changed.reason == "Scene 1: reference images"
    stored = PlanRevision.objects.get(pk=changed.pk).plan
    assert stored.scene(key).reference_images == guides[:2]
    assert changed.price_difference_micro == changed.price_micro - revision.price_micro
    assert [c for c in stored.clips if c.scene != key] == [c for c in revision.plan.clips if c.scene != key]
    without = revise(EditScene(key, reference_images=()))
    assert without.price_micro == revision.price_micro
    assert without.plan == revision.plan


def test_a_plan_stored_before_there_were_reference_pictures_is_still_read(revision: PlanRevision) -> None:
    values = revision.plan.to_dict()
    for scene in values["scenes"]:
        del scene["reference_images"]
    assert Plan.from_dict(values) == revision.plan


def test_models_that_follow_references_get_the_first_ones_after_the_scenes_own_picture(
    on_model: Callable[[str], ClipPlan], photo: Asset, guides: tuple[str, ...]
) -> None:
    several = on_model(SEVERAL)
    assert (several.task, given(several)) == ("references_to_video", [str(photo.pk), *guides])
    assert not [note for note in several.notes if "of 3 reference pictures" in note]
    veo = on_model(VEO)
    assert (veo.task, veo.duration_ms, given(veo)) == ("text_to_video", 8_000, [str(photo.pk), *guides[:2]])
    assert "Veo 3.1 takes 2 of 3 reference pictures beside the scene's own picture: the first 2 are used." in veo.notes
    assert any("does not start from it" in note for note in veo.notes)


def test_models_that_follow_none_and_the_local_engine_say_so(on_model: Callable[[str], ClipPlan]) -> None:
    without = on_model(NO_REFERENCES)
    assert [i.role for i in without.inputs] == ["first_frame"]
    assert any("takes no reference pictures; this clip is made without them." in note for note in without.notes)
    assert any("Veo 3.1 or KlingAI 3.0 Omni would follow them" in note for note in without.notes)
    local = on_model("local")
    assert [i.role for i in local.inputs] == ["first_frame"]
    assert "Local engine does not use reference pictures: it films what it is given." in local.notes


def test_another_reference_is_another_request_so_nothing_old_is_reused(
    on_model: Callable[[str], ClipPlan], guides: tuple[str, ...]
) -> None:
    clip = on_model(SEVERAL)
    fewer = replace(clip, inputs=clip.inputs[:-1])
    request = request_values(clip)
    assert [item["role"] for item in request["inputs"]] == ["reference"] * 4
    assert content_digest(request) == content_digest(request_values(clip))
    assert content_digest(request) != content_digest(request_values(fewer))


def test_pictures_that_cannot_be_references_are_refused_with_what_to_do(
    revision: PlanRevision,
    revise: Revise,
    editor: Principal,
    person: Callable[..., Principal],
    guides: tuple[str, ...],
    now: datetime,
) -> None:
    key = revision.plan.scenes[0].key
    stranger = person(Role.EDITOR, Workspace.objects.create(slug="south", name="South"))
    theirs = upload(stranger, MEDIA / "photos" / "product-flatlay-square.jpg", now)
    sound = upload(editor, MEDIA / "music" / "upbeat.opus", now)
    for chosen, words in (
        (("nobody",), "upload it there"),
        ((str(uuid.uuid4()),), "upload it there"),
        ((str(theirs.pk),), "upload it there"),
        ((str(sound.pk),), "upload it there"),
        ((guides[0], guides[0]), "named twice"),
        (tuple(str(n) for n in range(9)), "at most 8"),
    ):
        with pytest.raises(ChangeRefused, match=words):
            revise(EditScene(key, reference_images=chosen))


def test_a_reference_that_was_put_away_holds_the_launch_back(
    on_model: Callable[[str], ClipPlan], brief: Brief, editor: Principal, guides: tuple[str, ...], now: datetime
) -> None:
    on_model(SEVERAL)
    newest = brief.plan_revisions.latest("number")
    assert not [found for found in plan_findings(revision=newest) if found.level is Level.ERROR]
    gone = Asset.objects.get(pk=guides[0])
    archive_asset(asset=gone, actor=editor.actor, now=now)
    (found,) = [f for f in plan_findings(revision=newest) if f.code == "reference_gone"]
    assert (found.level, found.number) == (Level.ERROR, 1)
    assert gone.name in found.subject
    with pytest.raises(PlanFlawed, match="Take it out of the scene"):
        launch(revision=newest, principal=editor, now=now)
    assert not Job.objects.exists()


def test_a_person_chooses_them_in_the_scenes_drawer_and_sees_them_on_the_board(
    client: Client, revision: PlanRevision, brief: Brief, editor: Principal, guides: tuple[str, ...]
) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    scene = revision.plan.scenes[0]
    page = f"/w/{brief.workspace.slug}/briefs/{brief.pk}/plan"
    drawer = client.get(f"{page}/scenes/{scene.key}")
    form = drawer.context["form"]
    assert set(guides) <= {value for value, _ in form.fields["reference_images"].choices}
    values = {name: form[name].value() for name in form.fields}
    answer = client.post(f"{page}/scenes/{scene.key}", {**values, "seen": 1, "reference_images": guides[1:]})
    assert answer.status_code == 302
    changed = brief.plan_revisions.latest("number")
    assert set(changed.plan.scene(scene.key).reference_images) == set(guides[1:])
    assert changed.reason == "Scene 1: reference images"
    shown = client.get(page).content.decode()
    for pk in guides[1:]:
        assert f'title="{Asset.objects.get(pk=pk).name}"' in shown


def test_the_drawer_shows_each_picture_with_its_name_and_says_what_the_models_follow(
    client: Client, revision: PlanRevision, revise: Revise, brief: Brief, editor: Principal, guides: tuple[str, ...]
) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    scene, (first, second) = revision.plan.scenes[0], revision.plan.branches[:2]
    revise(EditScene(scene.key, reference_images=guides[1:]))
    revise(EditClip(scene.key, first.key, model=VEO))
    revise(EditClip(scene.key, second.key, model="local"))
    drawer = client.get(f"/w/{brief.workspace.slug}/briefs/{brief.pk}/plan/scenes/{scene.key}")
    offered = drawer.context["form"].fields["reference_images"].choices
    assert [value for value, _ in offered][:3] == [*guides[1:], guides[0]], "the chosen ones first, in their order"
    page = drawer.content.decode()
    assert "2 of at most 8 chosen" in page
    assert f"{first.key}: Veo 3.1 follows the first 2" in page
    assert f"{second.key}: Local engine follows none" in page
    for _, asset in offered:
        assert f'<span class="name">{asset.name}</span>' in page
    assert page.count('name="reference_images"') == len(offered) == page.count("<img") - 1  # one is the scene's own


def test_a_plan_made_anew_keeps_them_where_the_scene_lives_on(
    revision: PlanRevision, revise: Revise, brief: Brief, editor: Principal, guides: tuple[str, ...], now: datetime
) -> None:
    steeped = next(s for s in revision.plan.scenes if "eighteen hours" in s.script)
    fast = next(s for s in revision.plan.scenes if "Mornings move fast" in s.script)
    revise(EditScene(steeped.key, reference_images=guides[:2]))
    revise(EditScene(fast.key, reference_images=guides[2:]))
    script = "Somebody new begins to speak. We steep it for eighteen hours. Order a six-pack."
    brief = update_brief(brief=brief, values={"script": script}, principal=editor, now=now)
    archive_asset(asset=Asset.objects.get(pk=guides[1]), actor=editor.actor, now=now)
    expected = estimate(brief, now)
    again = make_plan(brief=brief, principal=editor, now=now)
    heir = next(s for s in again.plan.scenes if "eighteen hours" in s.script)
    assert heir.reference_images == guides[:1]
    assert [s.key for s in again.plan.scenes if s.reference_images] == [heir.key]
    assert {clip.inputs[-1].asset_id for clip in again.plan.clips if clip.task == "references_to_video"} <= {guides[0]}
    notes = " ".join(again.plan.notes)
    assert "the reference pictures of the plan before were kept" in notes
    assert "reference pictures that were put away are not in the new plan" in notes
    assert f"“{fast.title}” is not in the new plan; its reference pictures went with it." in again.plan.notes
    assert expected.price_micro == again.price_micro


def test_the_api_takes_and_shows_them(
    revision: PlanRevision, brief: Brief, workspace: Workspace, guides: tuple[str, ...]
) -> None:
    api = partner(workspace)
    change = {"kind": "edit_scene", "scene": revision.plan.scenes[0].key, "reference_images": [*guides[:1]]}
    answer = api.post(f"briefs/{brief.pk}/changes", {"revision": 1, "change": change})
    assert answer.status_code == 201, answer.content
    assert answer.json()["plan"]["scenes"][0]["reference_images"] == [guides[0]]
    refused = api.post(
        f"briefs/{brief.pk}/changes", {"revision": 2, "change": {**change, "reference_images": ["nobody"]}}
    )
    assert refused.status_code in (409, 422)
    assert "upload it there" in refused.json()["detail"]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("emulator")).start()
    yield running
    running.stop()


VENDORS = {SEVERAL: "kling-references", OMNI: "kling", VEO: "veo"}  # the account that each is asked by


@pytest.fixture(params=VENDORS)
def attempt(
    request: pytest.FixtureRequest,
    on_model: Callable[[str], ClipPlan],
    brief: Brief,
    editor: Principal,
    now: datetime,
) -> Attempt:
    """The attempt of a launched clip that a model makes by reference pictures."""
    clip = on_model(request.param)
    job = launch(revision=brief.plan_revisions.latest("number"), principal=editor, now=now)
    row = job.clips.get(scene_key=clip.scene, branch__key=clip.branch)
    made = dispatch_clip(clip_id=row.pk, now=now)
    assert made is not None
    return made


def test_the_vendor_takes_the_planned_request_and_the_take_remembers_its_references(
    attempt: Attempt, emulator: EmulatorProcess, tmp_path: Path, now: datetime
) -> None:
    request = build_request(attempt, tmp_path / "inputs")
    sent = {item["blob"] for item in attempt.request["inputs"]}
    assert {item.role for item in request.inputs} == {InputRole.REFERENCE}
    assert len(sent) == len(request.inputs) == (3 if attempt.model == VEO else 4)
    case = next(case for case in CASES if case.id == VENDORS[attempt.model])
    adapter: RemoteAdapter = case.adapter(emulator.url, correlation_id=attempt.pk.hex)
    staged = adapter.stage_inputs(request.inputs, ratio=request.ratio)
    accepted = adapter.submit(request, staged, idempotency_key=attempt.pk.hex)
    assert isinstance(accepted, Accepted)
    assert len(emulator.bills(attempt.pk.hex)) == 1
    assert submitting.claim_submit(attempt_id=attempt.pk, now=now)
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id=accepted.remote_id, details={}, poll_after=timedelta(seconds=5), now=now
    )
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=attempt.price_micro, vendor_amount=None, vendor_currency="", now=now
    )
    Attempt.objects.filter(pk=attempt.pk).update(lease_owner="w")
    blob = store_blob(workspace=attempt.workspace, media_type="video/mp4", content=attempt.pk.bytes)
    collect_take(attempt_id=attempt.pk, owner="w", facts=TakeFacts(blob, None, 720, 1280, "30/1", 1, None), now=now)
    edges = Lineage.objects.filter(child=blob)
    assert {(str(edge.parent_id), edge.relation) for edge in edges} == {(pk, "guided_by") for pk in sent}


def test_a_clip_that_moves_to_another_vendor_takes_its_references_along_or_says_that_it_cannot(
    attempt: Attempt, photo: Asset, guides: tuple[str, ...], now: datetime
) -> None:
    move = move_clips(job=attempt.job, clips=[attempt.clip], now=now)
    assert move is not None
    moved = move.revision.plan.clip(attempt.clip.scene_key, attempt.clip.branch.key)
    assert moved.provider != attempt.provider
    assert moved.inputs[0].asset_id == str(photo.pk)
    assert request_values(moved)["model"] == moved.model
    followed = [i.asset_id for i in moved.inputs[1:]]
    assert followed == list(guides[: len(followed)])
    assert any("takes no reference pictures" in note for note in moved.notes) is not bool(followed)
