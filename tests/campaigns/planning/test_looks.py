"""Each variant has a look by the brief, with the reason; a person changes it, and films and local clips follow it."""

import hashlib
from dataclasses import replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.looks import choices, choose_look
from campaigns.planning.models import PlanRevision
from campaigns.planning.services import make_plan, revise_plan
from campaigns.planning.types import AssetRef, BriefValues, ChangeBranchModel, ChangeLook, ChangeRefused, EditScene
from genengine.media import Severity, lint, parse_spec, thumbnail
from genengine.workspaces.policy import Principal
from jobs.execution.composition import MasterOrder, TakeRef, master_spec
from jobs.looks import LOOKS
from jobs.plan import BrandPlan, Plan
from jobs.preflight.queries import check_plan
from providers.adapters.local import LocalEngine
from providers.values import GenerationRequest, InputAsset, InputRole, Task
from tests.api.support import partner
from tests.campaigns.conftest import MEDIA
from tests.factories.jobs import make_plan as make_job_plan

PHOTO = AssetRef("p", "image", "product")
GROUND = "#0e1b33"


def values(ad_type: str = "hero", **given: Any) -> BriefValues:
    return BriefValues(title="A", ad_type=ad_type, script="One. Two.", length_ms=6000, **given)


@pytest.mark.parametrize(
    ("brief", "looks", "why"),
    [
        (values(ad_type="meme"), ["meme_classic", "meme_bars"], "asks for a meme"),
        (values(ad_type="overlay", assets=(PHOTO,)), ["overlay_spotlight", "overlay_backdrop"], "a product photo"),
        (values(ad_type="overlay"), ["hero_calm", "hero_calm"], "no product photo"),
        (values(tone=("elegant",)), ["hero_editorial", "hero_editorial"], "elegant"),
        (values(ad_type="cinematic_intro", tone=("funny",)), ["hero_calm", "hero_calm"], "cinematic intro"),
    ],
)
def test_the_look_follows_genre_tone_and_pictures(brief: BriefValues, looks: list[str], why: str) -> None:
    chosen = [choose_look(brief, place) for place in range(2)]
    assert [look for look, _ in chosen] == looks
    assert all(why in reason for _, reason in chosen)


STUDENTS, DESIGNERS = "Students and first jobs, 18 to 28", "Design-minded adults, 28 to 50"


@pytest.mark.parametrize(
    ("brief", "looks", "why"),
    [
        (values(audience=STUDENTS), ["hero_bold", "hero_calm"], "Students, 18 to 28"),
        (values(ad_type="ugc_talking_head", audience="Ages 16-24"), ["hero_bold", "hero_calm"], "16 to 24"),
        (values("overlay", assets=(PHOTO,), audience=STUDENTS), ["overlay_split", "overlay_spotlight"], "first"),
        (values(ad_type="meme", audience="Gamers"), ["meme_caption", "meme_bars"], "Gamers"),
        (values(audience=DESIGNERS), ["hero_editorial", "hero_editorial"], "Design"),
        (values(audience=STUDENTS, tone=("elegant",)), ["hero_editorial", "hero_editorial"], "elegant"),
        (values(audience="Commuters, 25 to 40, who read labels"), ["hero_calm", "hero_calm"], "genre"),
    ],
)
def test_the_look_follows_the_audience(brief: BriefValues, looks: list[str], why: str) -> None:
    chosen = [choose_look(brief, place) for place in range(2)]
    assert [look for look, _ in chosen] == looks
    assert why in chosen[0][1]


def test_a_lively_look_says_what_brand_safe_work_makes_calmer() -> None:
    lively = {key: look for key, look in LOOKS.items() if look.lively}
    assert set(lively) == {"hero_bold", "overlay_split", "meme_caption"}
    offered = dict(choices())
    for key, look in lively.items():
        assert "Brand-safe work" in look.calmer
        assert look.calmer.rstrip(".") in offered[key]
    assert "Brand-safe work" in choose_look(values(audience=STUDENTS), 0)[1]


def test_variants_of_a_funny_brief_differ() -> None:
    looks = [choose_look(values(tone=("deadpan funny",), assets=(PHOTO,)), place)[0] for place in range(3)]
    assert looks == ["hero_calm", "meme_classic", "overlay_spotlight"]


@pytest.mark.parametrize(("look", "ratio"), list(product(LOOKS, ["9:16", "1:1", "16:9"])))
def test_every_look_gives_a_film_without_an_error_in_every_ratio(look: str, ratio: str) -> None:
    plan = make_job_plan(channel="tiktok")
    plan = plan.with_changes(scenes=tuple(replace(scene, on_screen_text="Order a six-pack") for scene in plan.scenes))
    spec = master_spec(plan, _order(plan, look=look, ratio=ratio))
    assert parse_spec(spec).archetype == LOOKS[look].archetype
    assert [str(found) for found in lint(spec) if found.severity is Severity.ERROR] == []


def test_a_bold_film_cuts_where_the_plan_crossfades_and_stays_brand_safe() -> None:
    plan = make_job_plan(brand=BrandPlan("Aurora", {"primary": "#0e1b33", "accent": "#19c7b0"}))
    bold, usual = (master_spec(plan, _order(plan, look=look)) for look in ("hero_bold", ""))
    assert [segment.get("transition", {}).get("type") for segment in usual["segments"]] == [None, *["crossfade"] * 2]
    assert not any("transition" in segment for segment in bold["segments"])
    assert bold["constraints"]["brand_safe"]
    assert (bold["captions"]["style"], bold["captions"]["accent"]) == ("karaoke", "#19c7b0")
    faded = plan.with_changes(scenes=tuple(replace(scene, transition="fade_black") for scene in plan.scenes))
    assert "transition" in master_spec(faded, _order(faded, look="hero_bold"))["segments"][1]


def test_a_memes_bar_comes_with_the_first_words_and_stays_with_them() -> None:
    plan = make_job_plan(scenes=3)
    words = (plan.scenes[0], replace(plan.scenes[1], on_screen_text="Monday"), plan.scenes[2])
    spec = master_spec(plan.with_changes(scenes=words), _order(plan, look="meme_bars"))
    assert [segment.get("bar", {}).get("height", 0) > 0.2 for segment in spec["segments"]] == [False, True, True]
    assert [(item["start_frame"], item["end_frame"]) for item in spec["overlays"]] == [(60, 180)]


def test_a_meme_sets_its_words_in_outlined_capitals() -> None:
    plan = make_job_plan(scenes=1)
    plan = plan.with_changes(scenes=(replace(plan.scenes[0], on_screen_text="Monday"),))
    meme, usual = (master_spec(plan, _order(plan, look=look)) for look in ("meme_classic", ""))
    assert (meme["overlays"][0]["style"], meme["captions"]["style"]) == ("meme", "meme")
    assert usual["overlays"][0]["style"] == "headline"
    assert "style" not in usual["captions"]
    assert "archetype" not in usual


def _order(plan: Plan, *, look: str, ratio: str = "9:16") -> MasterOrder:
    takes = [TakeRef(scene.key, "a" * 64) for scene in plan.scenes]
    return MasterOrder(ratio=ratio, locale="en", takes=takes, simulated=True, asset_hashes={}, look=look)


@pytest.fixture
def revision(brief: Brief, editor: Principal, now: datetime) -> PlanRevision:
    update_brief(brief=brief, values={"ad_type": "overlay"}, principal=editor, now=now)
    return make_plan(brief=brief, principal=editor, now=now)


def local_looks(revision: PlanRevision, branch: str) -> set[str]:
    clips = revision.plan.clips_of(branch)
    return {clip.options.get("look", "") for clip in clips if clip.provider == "local" and clip.inputs}


@pytest.mark.django_db
def test_the_plan_freezes_the_look_with_its_reason_and_local_clips_get_it(revision: PlanRevision) -> None:
    branches = revision.plan.branches
    assert [branch.look for branch in branches] == ["overlay_spotlight", "overlay_backdrop"]
    assert all("cut out" in branch.look_reason for branch in branches)
    local = next(branch for branch in branches if branch.provider == "local")
    assert local_looks(revision, local.key) == {local.look}
    paid = [clip for clip in revision.plan.clips if clip.provider != "local"]
    assert paid
    assert not any("look" in clip.options for clip in paid)


@pytest.mark.django_db
def test_a_person_changes_a_look_and_later_changes_keep_it(
    revision: PlanRevision, editor: Principal, now: datetime
) -> None:
    key = next(branch.key for branch in revision.plan.branches if branch.provider == "local")
    changed = revise_plan(revision=revision, change=ChangeLook(key, "meme_bars"), principal=editor, now=now)
    edit = EditScene(changed.plan.scenes[0].key, visual="A can in snow")
    later = revise_plan(revision=changed, change=edit, principal=editor, now=now)
    assert (later.plan.branch(key).look, later.plan.branch(key).look_reason) == ("meme_bars", "Chosen by a person.")
    assert local_looks(later, key) == {"meme_bars"}
    assert changed.reason == f"Variant {key} looks like Meme, bar"
    assert changed.price_micro == revision.price_micro
    with pytest.raises(ChangeRefused, match="the looks are"):
        revise_plan(revision=later, change=ChangeLook(key, "opera"), principal=editor, now=now)


@pytest.mark.django_db
def test_the_page_and_the_api_show_and_change_a_look(client: Client, revision: PlanRevision, editor: Principal) -> None:
    assert editor.user is not None
    client.force_login(editor.user)
    branch = revision.plan.branches[0]
    address = f"/w/{editor.workspace.slug}/briefs/{revision.brief_id}/plan"
    assert "Overlay, spotlight" in client.get(address).content.decode()
    body = {"seen": 1, "name": branch.name, "model": branch.model, "look": "meme_classic"}
    client.post(f"{address}/branches/{branch.key}", body)
    assert "Meme, classic" in client.get(address).content.decode()
    api = partner(editor.workspace)
    change = {"kind": "change_look", "branch": branch.key, "look": "hero_editorial"}
    made = api.post(f"briefs/{revision.brief_id}/changes", {"revision": 2, "change": change}).json()
    assert made["plan"]["branches"][0]["look"] == "hero_editorial"
    refused = api.post(f"briefs/{revision.brief_id}/changes", {"revision": 3, "change": change | {"look": "opera"}})
    assert refused.status_code == 400


@pytest.mark.django_db
def test_a_lively_look_reaches_local_clips_and_a_new_audience_asks_for_a_new_plan(
    revision: PlanRevision, editor: Principal, now: datetime
) -> None:
    update_brief(brief=revision.brief, values={"ad_type": "hero"}, principal=editor, now=now)
    before = make_plan(brief=revision.brief, principal=editor, now=now)
    update_brief(brief=revision.brief, values={"audience": "People"}, principal=editor, now=now)
    assert make_plan(brief=revision.brief, principal=editor, now=now).brief_digest == before.brief_digest
    update_brief(brief=revision.brief, values={"audience": "Students"}, principal=editor, now=now)
    made = make_plan(brief=revision.brief, principal=editor, now=now)
    assert made.brief_digest != before.brief_digest
    bold = next(branch for branch in made.plan.branches if branch.look == "hero_bold")
    change = ChangeBranchModel(bold.key, "local")
    local = revise_plan(revision=made, change=change, principal=editor, now=now)
    assert local_looks(local, bold.key) == {"hero_bold"}


@pytest.mark.django_db
def test_a_plan_in_every_look_passes_its_checks(revision: PlanRevision, editor: Principal) -> None:
    for look in LOOKS:
        branches = tuple(replace(branch, look=look) for branch in revision.plan.branches)
        found = check_plan(plan=revision.plan.with_changes(branches=branches), workspace=editor.workspace)
        assert not [one.sentence for one in found if one.level == "error"]


@pytest.mark.parametrize("look", ["overlay_spotlight", "meme_classic"])
def test_a_local_clip_keeps_to_its_look(look: str, tmp_path: Path) -> None:
    photo = MEDIA / "photos" / "product-flatlay-square.jpg"
    request = GenerationRequest(
        task=Task.IMAGE_TO_VIDEO,
        model="local",
        prompt="A can. Slow push-in.",
        duration_s=1.0,
        ratio="9:16",
        resolution="360p",
        seed=3,
        inputs=(
            InputAsset(InputRole.FIRST_FRAME, photo, "image/jpeg", hashlib.sha256(photo.read_bytes()).hexdigest()),
        ),
        options={"look": look, "background_from": GROUND, "background_to": GROUND},
    )
    video = LocalEngine().render(request, tmp_path).artefacts[0].path
    first, last = (_still(video, at, tmp_path) for at in (0.1, 0.9))
    assert np.abs(first - last).mean() < 2, "nothing moves"
    corner = first[10:40, 10:40].reshape(-1, 3).mean(axis=0)
    on_ground = np.abs(corner - np.array([0x0E, 0x1B, 0x33])).max() < 12
    assert on_ground == (look == "overlay_spotlight")
    assert first[300:600, 100:260].std() > 15, "the product is there"


def _still(video: Path, at: float, folder: Path) -> np.ndarray[Any, Any]:
    picture = thumbnail(video, folder / f"{at}.jpg", at_s=at, width=360)
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB"), np.float32)
