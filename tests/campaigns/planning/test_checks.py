"""What the finished films would have wrong is said before anything is paid for: on the page, in the dry run, at launch,
on the command line. Errors hold the launch back, warnings do not."""

import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client

from campaigns.briefs.models import Brief
from campaigns.briefs.services import create_brief, save_brand_kit, update_brief
from campaigns.briefs.starters import STARTERS
from campaigns.cli.progress import ProgressBar
from campaigns.cli.run import Order, generate
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import plan_findings
from campaigns.planning.services import apply_to_job, launch, make_plan, revise_plan
from campaigns.planning.types import EditScene, PlanFlawed
from genengine.assets.models import Asset
from genengine.assets.services import upload_asset
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Job
from jobs.preflight.types import Level, PlanFinding
from tests.api.support import partner
from tests.campaigns.conftest import MEDIA

pytestmark = pytest.mark.django_db

GEORGIAN = "გამარჯობა"  # no shipped font has its glyphs
Say = Callable[..., PlanRevision]


@pytest.fixture
def say(brief: Brief, editor: Principal, now: datetime) -> Say:
    """Plan the brief and give its first scene other words."""

    def edit(**values: str) -> PlanRevision:
        revision = make_plan(brief=brief, principal=editor, now=now)
        change = EditScene(revision.plan.scenes[0].key, **values)  # type: ignore[arg-type]
        return revise_plan(revision=revision, change=change, principal=editor, now=now)

    return edit


def upload(editor: Principal, path: str, now: datetime) -> Asset:
    file = MEDIA / path
    return upload_asset(
        workspace=editor.workspace, actor=editor.actor, user=editor.user, file=file, name=file.name, now=now
    )


def by_code(revision: PlanRevision) -> dict[str, PlanFinding]:
    return {found.code: found for found in plan_findings(revision=revision)}


def test_a_sound_plan_has_nothing_that_holds_it_back(brief: Brief, editor: Principal, now: datetime) -> None:
    revision = make_plan(brief=brief, principal=editor, now=now)
    assert not [found for found in plan_findings(revision=revision) if found.level is Level.ERROR]


def test_words_without_glyphs_hold_the_launch_back_with_scene_cause_and_remedy(
    say: Say, editor: Principal, now: datetime
) -> None:
    revision = say(on_screen_text=GEORGIAN)
    found = by_code(revision)["glyph_missing"]
    assert (found.level, found.scene, found.number) == (Level.ERROR, revision.plan.scenes[0].key, 1)
    assert GEORGIAN[0] in found.cause
    assert "brand kit" in found.fix
    with pytest.raises(PlanFlawed, match=r"Scene 1, the on-screen text .*empty box"):
        launch(revision=revision, principal=editor, now=now)
    assert not Job.objects.exists()


def test_a_running_job_takes_no_plan_whose_films_would_be_wrong(brief: Brief, editor: Principal, now: datetime) -> None:
    first = make_plan(brief=brief, principal=editor, now=now)
    job = launch(revision=first, principal=editor, now=now)
    change = EditScene(first.plan.scenes[0].key, on_screen_text=GEORGIAN)
    second = revise_plan(revision=first, change=change, principal=editor, now=now)
    with pytest.raises(PlanFlawed):
        apply_to_job(revision=second, job=job, principal=editor, now=now)
    assert job.plans.count() == 1


def test_words_that_cannot_be_read_in_their_time_are_a_warning_and_do_not_block(
    say: Say, editor: Principal, now: datetime
) -> None:
    revision = say(script="This scene says far more than anybody could ever read or hear in its time. " * 6)
    found = by_code(revision)["reading_speed"]
    assert (found.level, found.number, found.films) == (Level.WARNING, 1, ("9:16 en",))
    assert "more time" in found.fix
    assert launch(revision=revision, principal=editor, now=now).pk


def test_every_ratio_and_language_is_checked_and_named(
    brief: Brief, editor: Principal, now: datetime, say: Say
) -> None:
    update_brief(
        brief=brief,
        values={
            "ratios": ["9:16", "1:1"],
            "alternate_languages": ["de"],
            "alternate_scripts": {"de": f"Morgens geht es schnell. {GEORGIAN}. Bestell jetzt."},
        },
        principal=editor,
        now=now,
    )
    found = by_code(make_plan(brief=brief, principal=editor, now=now))["glyph_missing"]
    assert found.films == ("9:16 de", "1:1 de")


def test_small_pictures_and_short_music_are_told_with_what_would_do(
    brief: Brief, photo: Asset, editor: Principal, now: datetime
) -> None:
    music = upload(editor, "music/upbeat.opus", now)
    Asset.objects.filter(pk=photo.pk).update(width=300, height=300)
    Asset.objects.filter(pk=music.pk).update(duration_ms=4000)
    update_brief(brief=brief, values={"music": str(music.pk)}, principal=editor, now=now)
    found = by_code(make_plan(brief=brief, principal=editor, now=now))
    assert "lasts 4 s, the ad 15 s" in found["music_short"].cause
    assert "6.4 times" in found["asset_small"].cause
    assert "1920×1920" in found["asset_small"].fix


def test_a_logo_that_is_not_in_the_library_any_more_is_found_before_the_clips_are_paid(
    brief: Brief, editor: Principal, now: datetime
) -> None:
    logo = upload(editor, "photos/product-serve-landscape.jpg", now)
    kit = save_brand_kit(principal=editor, values={"name": "Aurora", "logo": str(logo.pk)}, now=now)
    update_brief(brief=brief, values={"brand_kit": kit.pk}, principal=editor, now=now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    assert revision.plan.brand.logo_asset_id
    values = revision.values | {"brand": revision.values["brand"] | {"logo_asset_id": str(brief.pk)}}
    PlanRevision.objects.filter(pk=revision.pk).update(values=values)
    revision.refresh_from_db()
    assert by_code(revision)["asset_gone"].subject == "the logo"
    with pytest.raises(PlanFlawed, match="not in the library"):
        launch(revision=revision, principal=editor, now=now)


def test_the_page_shows_findings_after_it_has_loaded_and_refuses_the_launch(
    client: Client, say: Say, editor: Principal
) -> None:
    revision = say(on_screen_text=GEORGIAN)
    assert editor.user is not None
    client.force_login(editor.user)
    address = f"/w/{editor.workspace.slug}/briefs/{revision.brief_id}/plan"
    page = client.get(address).content.decode()
    assert GEORGIAN in page
    assert "empty box" not in page, "the page does not wait for the checks"
    part = re.search(r'hx-get="([^"]+/plan/checks\?revision=2)" hx-trigger="load"', page)
    assert part
    for headers in ({"HX-Request": "true"}, {}):
        shown = client.get(part[1], headers=headers).content.decode()
        assert "1 error" in shown
        assert f'href="#scene-{revision.plan.scenes[0].key}"' in shown
        assert "empty box" in shown
        assert "brand kit" in shown
        assert ("<html" in shown) == (not headers)
    refused = client.post(f"{address}/launch", {"seen": 2}, follow=True).content.decode()
    assert "nothing was started or charged" in refused
    assert not Job.objects.exists()


def test_the_dry_run_lists_every_finding_and_the_launch_refuses_with_points(say: Say, editor: Principal) -> None:
    revision = say(on_screen_text=GEORGIAN)
    api = partner(editor.workspace)
    dry = api.post(f"briefs/{revision.brief_id}/launch?dry_run=true").json()
    assert not dry["would_launch"]
    assert [refusal["code"] for refusal in dry["refusals"]] == ["plan_flawed"]
    found = next(f for f in dry["findings"] if f["code"] == "glyph_missing")
    assert (found["level"], found["number"], found["scene"]) == ("error", 1, revision.plan.scenes[0].key)
    refused = api.post(f"briefs/{revision.brief_id}/launch")
    assert (refused.status_code, refused.json()["code"]) == (422, "plan_flawed")
    assert refused.json()["errors"][0]["path"] == "scenes[0]"
    assert not Job.objects.exists()


def test_the_command_line_says_what_is_wrong_and_starts_nothing(tmp_path: Path, db: None) -> None:
    shutil.copy(MEDIA / "photos" / "product-flatlay-square.jpg", tmp_path)
    (tmp_path / "script.txt").write_text(f"Good morning. {GEORGIAN}. Order now.", encoding="utf-8")
    (tmp_path / "brief.yaml").write_text(
        "id: flawed\ntitle: A flawed ad\nad_type: product_explainer\nchannel: tiktok\nlanguage: en\nlength_s: 6\n"
        'aspect_ratios: ["9:16"]\nquality_profile: economy\nbudget_cap_usd: 1\nvariants: 1\nscript: script.txt\n'
        "assets:\n  - {file: product-flatlay-square.jpg, role: product}\n",
        encoding="utf-8",
    )
    said: list[str] = []
    order = Order(tmp_path / "brief.yaml", tmp_path / "out", "flawed", approve=False, timeout_s=1)
    with pytest.raises(PlanFlawed):
        generate(order, bar=ProgressBar(), say=said.append)
    assert any(line.startswith("error: Scene ") and "[glyph_missing]" in line for line in said)
    assert not Attempt.objects.exists()


def test_no_starter_template_is_held_back(editor: Principal, now: datetime) -> None:
    for starter in STARTERS.values():
        brief = create_brief(principal=editor, values=starter.values(), now=now)
        revision = make_plan(brief=brief, principal=editor, now=now)
        assert not [found.sentence for found in plan_findings(revision=revision) if found.level is Level.ERROR]
