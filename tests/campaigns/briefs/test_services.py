from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.briefs.models import Brief, BriefAsset, BriefState
from campaigns.briefs.queries import readiness
from campaigns.briefs.services import (
    archive_brief,
    attach_asset,
    create_brief,
    create_campaign,
    detach_asset,
    duplicate_brief,
    reorder_assets,
    save_brand_kit,
    set_script_from_file,
    update_brief,
)
from campaigns.briefs.starters import STARTERS
from campaigns.briefs.types import FLAGS, BriefClosed, BriefInvalid
from campaigns.planning.queries import estimate
from genengine.assets.models import Asset
from genengine.assets.services import UploadRefused, upload_asset
from genengine.core.events.models import Event
from genengine.workspaces.models import Role, Workspace
from genengine.workspaces.policy import NotAllowed, Principal

MEDIA = Path(__file__).resolve().parents[3] / "examples" / "media"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"length_ms": 1_000}, "between 3 and 300 seconds"),
        ({"length_ms": "15"}, "between 3 and 300 seconds"),
        ({"variants": 0}, "1 to 12"),
        ({"ratios": []}, "at least one aspect ratio"),
        ({"ratios": ["2:1"]}, "no aspect ratio “2:1”"),
        ({"channel": "cinema"}, "Choose a channel: tiktok"),
        ({"compliance_flags": ["moon_landing"]}, "no compliance flag “moon_landing”"),
        ({"title": "x" * 201}, "Shorten it: 201 characters, 200"),
        ({"language": "English"}, "language code such as en"),
        ({"cap_micro": -1}, "budget between 0"),
        ({"deadline_at": "tomorrow"}, "date and a time"),
        ({"key_messages": "one"}, "Give a list"),
        ({"colour": "red"}, "no field “colour”"),
        ({"music": "00000000-0000-0000-0000-000000000000"}, "does not exist here"),
        ({"brand_kit": "not-an-id"}, "does not exist here"),
    ],
)
def test_a_value_that_does_not_hold_is_refused_with_the_remedy(
    values: dict[str, Any], words: str, brief: Brief, editor: Principal, now: datetime
) -> None:
    with pytest.raises(BriefInvalid) as invalid:
        update_brief(brief=brief, values=values, principal=editor, now=now)
    assert list(invalid.value.errors) == list(values)
    assert words in next(iter(invalid.value.errors.values()))


def test_one_wrong_field_does_not_lose_the_others(brief: Brief, editor: Principal, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    with pytest.raises(BriefInvalid) as invalid:
        update_brief(brief=brief, values={"title": "Kept", "variants": 99}, principal=editor, now=later)
    assert set(invalid.value.errors) == {"variants"}
    saved = Brief.objects.get(pk=brief.pk)
    assert (saved.title, saved.variants, saved.updated_at) == ("Kept", 2, later)


def test_saving_what_is_there_already_leaves_no_trace(brief: Brief, editor: Principal, now: datetime) -> None:
    events = Event.objects.count()
    update_brief(brief=brief, values={"title": brief.title, "ratios": ["9:16"]}, principal=editor, now=now)
    assert Event.objects.count() == events


def test_words_are_kept_as_written_but_for_control_characters(brief: Brief, editor: Principal, now: datetime) -> None:
    script = 'He said: "100% %{x}" 🎉\r\nمرحبا\x00 <b>\ttab'
    saved = update_brief(brief=brief, values={"script": script}, principal=editor, now=now)
    assert saved.script == 'He said: "100% %{x}" 🎉\nمرحبا <b>\ttab'


@pytest.mark.parametrize("template", sorted(STARTERS))
def test_every_starter_template_is_ready_to_be_planned(template: str, editor: Principal, now: datetime) -> None:
    brief = create_brief(principal=editor, now=now, template=template)
    assert brief.ad_type == template
    assert not any(entry.blocks for entry in readiness(brief))
    guess = estimate(brief, now)
    assert guess.scenes >= 3
    assert not guess.missing


def test_an_unknown_template_creates_nothing(editor: Principal, now: datetime) -> None:
    with pytest.raises(BriefInvalid, match="no template"):
        create_brief(principal=editor, now=now, template="opera")
    assert not Brief.objects.exists()


def test_readiness_says_what_is_missing_and_what_to_do(editor: Principal, now: datetime) -> None:
    brief = create_brief(principal=editor, now=now)
    missing = {entry.field: entry for entry in readiness(brief)}
    assert missing["script"].blocks
    assert "upload a text file" in missing["script"].next_step
    assert not missing["assets"].blocks
    assert any(entry.blocks for entry in readiness(brief))
    brief = update_brief(
        brief=brief,
        values={"script": "Hello.", "ratios": ["16:9"], "channel": "instagram_reels"},
        principal=editor,
        now=now,
    )
    assert not any(entry.blocks for entry in readiness(brief))
    assert any("does not show 16:9" in entry.message for entry in readiness(brief))


def test_media_are_attached_moved_and_taken_out(brief: Brief, photo: Asset, editor: Principal, now: datetime) -> None:
    other = upload_asset(
        workspace=editor.workspace,
        actor=editor.actor,
        file=MEDIA / "brand" / "logo-light.png",
        name="logo.png",
        now=now,
    )
    attach_asset(brief=brief, asset=other, role="b_roll", note="  at   dawn ", principal=editor, now=now)
    attach_asset(brief=brief, asset=other, role="scene", principal=editor, now=now)
    uses = list(BriefAsset.objects.filter(brief=brief))
    assert [(use.asset_id, use.role) for use in uses] == [(photo.pk, "product"), (other.pk, "scene")]
    reorder_assets(brief=brief, order=[str(other.pk), str(photo.pk)], principal=editor, now=now)
    assert [use.asset_id for use in BriefAsset.objects.filter(brief=brief)] == [other.pk, photo.pk]
    detach_asset(brief=brief, asset=other, principal=editor, now=now)
    assert BriefAsset.objects.get(brief=brief).asset_id == photo.pk
    with pytest.raises(BriefInvalid, match="every attached file once"):
        reorder_assets(brief=brief, order=[], principal=editor, now=now)
    with pytest.raises(BriefInvalid, match="Choose a role"):
        attach_asset(brief=brief, asset=other, role="star", principal=editor, now=now)


def test_another_workspaces_file_does_not_exist_here(
    brief: Brief, editor: Principal, person: Callable[..., Principal], now: datetime
) -> None:
    south = Workspace.objects.create(slug="south", name="South")
    them = person(Role.ADMIN, south)
    theirs = upload_asset(
        workspace=south, actor=them.actor, file=MEDIA / "music" / "calm.opus", name="calm.opus", now=now
    )
    with pytest.raises(BriefInvalid, match="does not exist here"):
        update_brief(brief=brief, values={"music": theirs}, principal=editor, now=now)
    with pytest.raises(BriefInvalid, match="does not exist here"):
        attach_asset(brief=brief, asset=theirs, principal=editor, now=now)
    with pytest.raises(NotAllowed):
        update_brief(brief=brief, values={"title": "x"}, principal=them, now=now)


def test_a_script_comes_from_a_text_file_in_unicode(brief: Brief, editor: Principal, now: datetime) -> None:
    file = SimpleUploadedFile("script.txt", "\ufeffPrimero: ¿café?\r\nSegundo.".encode(), "text/plain")
    saved = set_script_from_file(brief=brief, file=file, name=str(file.name), principal=editor, now=now)
    assert saved.script == "Primero: ¿café?\nSegundo."
    latin = SimpleUploadedFile("script.txt", "caf\xe9 con leche".encode("latin-1"), "text/plain")
    with pytest.raises(UploadRefused, match="UTF-8"):
        set_script_from_file(brief=brief, file=latin, name="script.txt", principal=editor, now=now)
    picture = SimpleUploadedFile("script.txt", (MEDIA / "brand" / "mark.png").read_bytes(), "text/plain")
    with pytest.raises(UploadRefused, match="not a text file"):
        set_script_from_file(brief=brief, file=picture, name="script.txt", principal=editor, now=now)
    assert Brief.objects.get(pk=brief.pk).script == saved.script


def test_a_voice_is_kept_for_its_language(brief: Brief, editor: Principal, now: datetime) -> None:
    voice = upload_asset(
        workspace=editor.workspace,
        actor=editor.actor,
        file=MEDIA / "voice" / "voiceover_short_fr.opus",
        name="voice.opus",
        now=now,
    )
    saved = update_brief(brief=brief, values={"voiceover": voice}, principal=editor, now=now)
    assert saved.voiceovers == {"en": str(voice.pk)}
    assert update_brief(brief=brief, values={"voiceover": None}, principal=editor, now=now).voiceovers == {}


def test_a_copy_has_its_own_life(brief: Brief, photo: Asset, editor: Principal, now: datetime) -> None:
    copy = duplicate_brief(brief=brief, principal=editor, now=now)
    assert copy.title == "Cold coffee, warm morning (copy)"
    assert (copy.script, copy.variants, copy.state, copy.version) == (brief.script, 2, BriefState.DRAFT, 0)
    assert BriefAsset.objects.get(brief=copy).asset_id == photo.pk
    update_brief(brief=copy, values={"script": "Other."}, principal=editor, now=now)
    assert Brief.objects.get(pk=brief.pk).script == brief.script


def test_an_archived_brief_is_closed(brief: Brief, editor: Principal, now: datetime) -> None:
    archive_brief(brief=brief, principal=editor, now=now)
    with pytest.raises(BriefClosed, match="duplicate"):
        update_brief(brief=brief, values={"title": "x"}, principal=editor, now=now)


def test_brand_kits_check_colours_logo_and_fonts(photo: Asset, editor: Principal, now: datetime) -> None:
    kit = save_brand_kit(
        principal=editor,
        now=now,
        values={
            "name": "North",
            "colours": {"primary": "#0E1B33"},
            "logo": photo,
            "forbidden_words": ["cheap", "cheap"],
        },
    )
    assert (kit.colours, kit.logo_id, kit.forbidden_words) == ({"primary": "#0e1b33"}, photo.pk, ["cheap"])
    for values, words in (
        ({"colours": {"primary": "navy"}}, "is not a colour"),
        ({"colours": {"hat": "#000000"}}, "no colour “hat”"),
        ({"fonts": [photo]}, "does not exist here"),
        ({"slogan": "x"}, "no field"),
    ):
        with pytest.raises(BriefInvalid, match=words):
            save_brand_kit(kit=kit, values=values, principal=editor, now=now)
    with pytest.raises(BriefInvalid, match="name"):
        save_brand_kit(values={}, principal=editor, now=now)


def test_a_campaign_of_the_same_name_is_the_same_campaign(editor: Principal, now: datetime) -> None:
    first = create_campaign(name=" Spring  ", principal=editor, now=now)
    assert create_campaign(name="Spring", principal=editor, now=now).pk == first.pk


def test_every_flag_has_a_rule_and_reaches_the_plan(brief: Brief, editor: Principal, now: datetime) -> None:
    assert all(flag.rule and flag.label for flag in FLAGS.values())
    saved = update_brief(brief=brief, values={"compliance_flags": ["caffeine_content"]}, principal=editor, now=now)
    from campaigns.planning.queries import brief_values

    values = brief_values(saved)
    assert values.flag_disclosures == ("Contains caffeine",)
    assert "Claims that it replaces sleep or meals" in values.forbidden


def test_a_viewer_changes_nothing(brief: Brief, person: Callable[..., Principal], now: datetime) -> None:
    viewer = person(Role.VIEWER)
    with pytest.raises(NotAllowed, match="Editor"):
        update_brief(brief=brief, values={"title": "x"}, principal=viewer, now=now)
    with pytest.raises(NotAllowed):
        create_brief(principal=viewer, now=now)
