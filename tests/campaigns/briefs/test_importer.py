import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from campaigns.briefs.importer import import_brief
from campaigns.briefs.models import BrandKit, Brief, BriefAsset
from campaigns.briefs.queries import readiness
from campaigns.briefs.types import ImportFailed
from campaigns.planning.queries import estimate, plan_findings
from campaigns.planning.services import make_plan
from genengine.assets.models import Asset
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Principal
from jobs.preflight.types import Level

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(EXAMPLES / "media" / "photos" / "product-flatlay-square.jpg", tmp_path / "can.jpg")
    (tmp_path / "script.txt").write_text("It is cold. It is slow. Try it.", encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "brief.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["explainer-original", "ugc-blood-orange", "cinematic-wake-slowly"])
def test_each_example_brief_comes_in_whole_and_its_plan_may_be_launched(
    name: str, editor: Principal, now: datetime
) -> None:
    brief = import_brief(path=EXAMPLES / "briefs" / f"{name}.yaml", workspace=editor.workspace, now=now)
    assert not [missing for missing in readiness(brief) if missing.blocks]
    assert brief.brand_kit is not None
    assert brief.brand_kit.name == "Aurora Cold Brew"
    assert brief.brand_kit.colours["primary"] == "#0e1b33"
    assert brief.brand_kit.logo is not None
    assert brief.brand_kit.fonts.count() == 3
    assert brief.music is not None
    assert BriefAsset.objects.filter(brief=brief).count() >= 3
    guess = estimate(brief, now)
    assert not guess.missing
    assert not guess.problems
    assert guess.price_upper_micro <= brief.cap_micro
    if name == "explainer-original":
        keeps_every_field_of_the_explainer(brief, now)
    revision = make_plan(brief=brief, principal=editor, now=now)
    assert not [found.sentence for found in plan_findings(revision=revision) if found.level is Level.ERROR]


def keeps_every_field_of_the_explainer(brief: Brief, now: datetime) -> None:
    assert (brief.length_ms, brief.variants, brief.cap_micro) == (30_000, 2, 12_000_000)
    assert brief.deadline_at == now + timedelta(hours=24)
    assert brief.ratios == ["16:9", "1:1", "9:16"]
    assert brief.quality_profile == "balanced"
    assert set(brief.voiceovers) == {"en", "es"}
    assert "[Escena 1" in brief.alternate_scripts["es"]
    assert brief.compliance_flags == ["caffeine_content"]
    assert brief.required_elements[2] == "Text: No added sugar"


def test_a_second_import_shares_brand_kit_and_files(workspace: Workspace, now: datetime) -> None:
    path = EXAMPLES / "briefs" / "ugc-blood-orange.yaml"
    import_brief(path=path, workspace=workspace, now=now)
    assets = Asset.objects.count()
    import_brief(path=path, workspace=workspace, now=now)
    assert BrandKit.objects.count() == 1
    assert Asset.objects.count() == assets
    assert Brief.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: x\nlenght_s: 15\n", 2, "lenght_s: there is no such field"),
        ("title: x\nscript: missing.txt\n", 2, "script: there is no file missing.txt"),
        ("title: x\nassets:\n  - {file: can.jpg, role: hero}\n", 3, "assets.0.role: choose a role"),
        ("title: x\nassets:\n  - {file: can.jpg}\n  - {file: no.jpg}\n", 4, "assets.1.file: there is no file"),
        ("script: Hello there.\nlength_s: fifteen\n", 2, "length_s: “fifteen” is not a number"),
        ("script: Hello there.\nlength_s: 1\n", 2, "length_s: Give a length between"),
        ("script: Hello there.\nbudget_cap_usd: lots\n", 2, "budget_cap_usd: 'lots' is not an amount"),
        ("script: Hello there.\n\ncompliance_flags: [moon_landing]\n", 3, "no compliance flag “moon_landing”"),
        ("script: Hello there.\naspect_ratios: [2:1]\n", 2, "aspect_ratios"),
        ("script: Hello there.\nquality_profile: best\n", 2, "quality_profile: choose one of premium"),
        ("title: 'x\n", 2, "quoted scalar"),
        ("- a\n- b\n", 1, "a brief is a list of fields"),
    ],
)
def test_every_mistake_is_named_with_its_field_and_line(
    text: str, line: int, words: str, folder: Path, workspace: Workspace, now: datetime
) -> None:
    with pytest.raises(ImportFailed) as failed:
        import_brief(path=write(folder, text), workspace=workspace, now=now)
    assert words in str(failed.value)
    assert f"line {line}" in str(failed.value)
    assert not Brief.objects.exists()


def test_a_bad_medium_is_refused_with_its_line(folder: Path, workspace: Workspace, now: datetime) -> None:
    (folder / "song.mp3").write_bytes(b"%PDF-1.4 nothing to hear")
    text = "script: Hello there.\nmusic: song.mp3\n"
    with pytest.raises(ImportFailed, match=r"line 2, music: .*PDF"):
        import_brief(path=write(folder, text), workspace=workspace, now=now)
    assert not Asset.objects.exists()


def test_a_script_may_be_written_into_the_file(folder: Path, workspace: Workspace, now: datetime) -> None:
    path = write(folder, "title: 'He said: 100% %{x}'\nscript: |\n  First line.\n  Second line.\n")
    brief = import_brief(path=path, workspace=workspace, now=now)
    assert brief.title == "He said: 100% %{x}"
    assert brief.script.splitlines() == ["First line.", "Second line."]


def test_json_is_yaml_too(folder: Path, workspace: Workspace, now: datetime) -> None:
    path = write(folder, json.dumps({"script": "script.txt", "length_s": 6, "aspect_ratios": ["1:1"]}))
    assert import_brief(path=path, workspace=workspace, now=now).script.startswith("It is cold.")
