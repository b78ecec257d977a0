"""The brand kit of a plan in its masters: what is written into the spec, and that the compiler holds them to it."""

from pathlib import Path
from typing import Any

import pytest

from genengine.media import SpecError, compile, parse_spec
from genengine.media.compose.clearance import crowding
from genengine.media.spec.brand import breaches
from jobs.execution.branding import settle_brand
from jobs.execution.composition import MasterOrder, TakeRef, master_spec
from jobs.execution.stand_in import stand_in_specs
from jobs.plan import BrandPlan, Plan
from tests.factories.jobs import make_plan
from tests.media.support import LOGO, MEDIA, TURNTABLE, make_video

FONTS = MEDIA / "brand" / "fonts"
SHA = {"logo": "a" * 64, "heavy": "b" * 64, "light": "c" * 64}
COLOURS = {"primary": "#0E1B33", "accent": "#f2603c", "text": "#0e1b33", "note": "not a colour"}
LONG = "Cold brew that was steeped for eighteen slow hours and is poured over clear ice."


def branded(script: str = "Short words.", transition: str = "crossfade", **changes: Any) -> Plan:
    plan = make_plan(brand=BrandPlan("Aurora", COLOURS, "logo", ("heavy", "light")), **changes)
    scenes = tuple(s.__class__(**{**vars(s), "script": script, "transition": transition}) for s in plan.scenes)
    return plan.with_changes(scenes=scenes)


def order_of(plan: Plan, **changes: Any) -> MasterOrder:
    values = {
        "ratio": "9:16", "locale": "en", "takes": [TakeRef(s.key, "d" * 64) for s in plan.scenes],
        "simulated": True, "asset_hashes": SHA,
    }  # fmt: skip
    return MasterOrder(**{**values, **changes})


def files_of(spec: dict[str, Any]) -> dict[str, Path]:
    """The sample brand's files under the ids of a master; the kit names the heavier font first."""
    known = {
        "logo": LOGO, "font-0": FONTS / "Montserrat_700Bold.ttf", "font-1": FONTS / "Inter_600SemiBold.ttf",
    }  # fmt: skip
    return {name: known.get(name, TURNTABLE) for name in spec["assets"]}


def settled(plan: Plan, **changes: Any) -> tuple[dict[str, Any], dict[str, str]]:
    spec = master_spec(plan, order_of(plan, **changes))
    return settle_brand(spec, files_of(spec))


def test_a_master_carries_the_kits_colours_fonts_and_logo() -> None:
    spec, facts = settled(branded())
    assert spec["brand"]["colors"] == ["#0e1b33", "#f2603c"]
    assert spec["brand"]["fonts"] == {"headline": "font-0", "body": "font-1"}
    assert spec["brand"]["logo"]["asset"] == "logo"
    read = parse_spec(spec)
    assert read.constraints.brand_safe
    assert read.captions.font == "font-1"
    assert facts["mode"] == "brand-safe"


def test_the_heavier_font_sets_headlines_whatever_the_order_of_the_kit() -> None:
    plan = branded().with_changes(brand=BrandPlan("Aurora", COLOURS, "", ("light", "heavy")))
    spec = master_spec(plan, order_of(plan))
    heavy, light = FONTS / "Montserrat_700Bold.ttf", FONTS / "Inter_600SemiBold.ttf"
    files = files_of(spec) | {"font-0": light, "font-1": heavy}
    assert settle_brand(spec, files)[0]["brand"]["fonts"] == {"headline": "font-1", "body": "font-0"}


@pytest.mark.parametrize("script", ["Short words.", LONG])
@pytest.mark.parametrize("channel", ["tiktok", "generic"])
@pytest.mark.parametrize("ratio", ["9:16", "4:5", "1:1", "16:9"])
def test_the_logo_gets_its_clear_space_whatever_else_is_shown(ratio: str, channel: str, script: str) -> None:
    plan = branded(script, channel=channel, disclosures=("Made with generative models",))
    words = {scene.key: "The best of the morning" for scene in plan.scenes}
    plan = plan.with_changes(locales=(plan.locales[0].__class__("en", {}, words),))
    for cards in (frozenset[str](), frozenset({plan.scenes[-1].key})):
        spec, facts = settled(plan, ratio=ratio, cards=cards)
        read = parse_spec(spec)
        assert [*breaches(read), *crowding(read, files_of(spec))] == []
        assert "logo" not in facts
        assert "logo" in spec["brand"]


def test_a_master_that_leaves_the_kit_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    spec, _ = settled(branded())
    spec["assets"] = {name: {"kind": item["kind"]} for name, item in spec["assets"].items()}
    spec["captions"]["color"] = "#00ff00"
    with pytest.raises(SpecError) as caught:
        compile(spec, files_of(spec), tmp_path / "out.mp4")
    assert {problem.code for problem in caught.value.problems} == {"brand_color"}
    assert not (tmp_path / "out.mp4").exists()


def test_a_lively_plan_is_not_brand_safe_and_says_why() -> None:
    spec, facts = settled(branded(transition="slide"))
    assert not spec["constraints"]["brand_safe"]
    assert facts["mode"] == "free"
    assert "slide" in facts["why"]


def test_a_font_that_was_removed_from_the_library_is_left_out() -> None:
    plan = branded()
    spec = master_spec(plan, order_of(plan, asset_hashes={"logo": SHA["logo"]}))
    assert "fonts" not in parse_spec(spec).source["brand"]


def test_a_stand_in_needs_nothing_of_the_kit() -> None:
    plan = branded()
    for spec in stand_in_specs(plan, order_of(plan), {}):
        assert parse_spec(spec).brand is None


def over(ground: Path, plan: Plan | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """A master's spec with the light logo, over a film or a picture of our choice."""
    spec = master_spec(plan or branded(), order_of(plan or branded()))
    return settle_brand(
        spec, {name: ground if name.startswith("take") else file for name, file in files_of(spec).items()}
    )


def logo_of(spec: dict[str, Any]) -> dict[str, Any]:
    return next(item for item in spec["overlays"] if item.get("asset") == "logo")


def grounds(path: Path, graph: str) -> Path:
    return make_video(path, "-f", "lavfi", "-i", graph, "-t", "6", "-pix_fmt", "yuv420p")


def test_a_light_logo_over_a_dark_film_stands_in_its_planned_corner_without_help(tmp_path: Path) -> None:
    spec, facts = over(grounds(tmp_path / "dark.mp4", "color=0x182030:s=270x480:r=10"))
    assert logo_of(spec)["place"] == "bottom_right"
    assert "shadow" not in logo_of(spec)
    assert "logo_tone" not in facts


def test_a_light_logo_takes_the_corner_in_which_the_film_is_dark(tmp_path: Path) -> None:
    half = "color=white:s=270x480:r=10,drawbox=x=0:y=0:w=135:h=480:color=0x182030:t=fill"
    spec, facts = over(grounds(tmp_path / "half.mp4", half))
    assert logo_of(spec)["place"].endswith("left")
    assert "shadow" not in logo_of(spec)
    assert "logo_tone" not in facts


def test_a_light_logo_over_a_light_film_gets_a_shadow_and_the_report_says_so(tmp_path: Path) -> None:
    spec, facts = over(grounds(tmp_path / "light.mp4", "color=0xe0e0dc:s=270x480:r=10"))
    assert logo_of(spec)["shadow"]
    assert "soft shadow" in facts["logo_tone"]
    read = parse_spec(spec)
    assert [*breaches(read), *crowding(read, files_of(spec))] == []


DARK_LOGO = MEDIA / "brand" / "logo-dark.png"


def over_with_both(ground: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """A master's spec with a kit whose first logo is light and whose other one is dark."""
    brand = BrandPlan("Aurora", COLOURS, "logo", ("heavy", "light"), "dark")
    plan = branded().with_changes(brand=brand)
    spec = master_spec(plan, order_of(plan, asset_hashes=SHA | {"dark": "e" * 64}))
    known = files_of(spec) | {"logo-other": DARK_LOGO}
    return settle_brand(spec, {name: ground if name.startswith("take") else file for name, file in known.items()})


def shown_logos(spec: dict[str, Any]) -> list[str]:
    return [item["asset"] for item in spec["overlays"] if item["type"] == "image"]


def test_the_kits_other_logo_stands_where_the_first_would_drown(tmp_path: Path) -> None:
    spec, facts = over_with_both(grounds(tmp_path / "light.mp4", "color=0xe0e0dc:s=270x480:r=10"))
    assert shown_logos(spec) == ["logo-other"]
    assert spec["brand"]["logo"]["asset"] == "logo-other"
    assert "logo" not in spec["assets"]
    shown = next(item for item in spec["overlays"] if item["type"] == "image")
    assert (shown["place"], "shadow" in shown) == ("bottom_right", False)
    assert "less than 3 to 1" in facts["logo_version"]
    assert "logo_tone" not in facts
    read = parse_spec(spec)
    assert [*breaches(read), *crowding(read, files_of(spec) | {"logo-other": DARK_LOGO})] == []


def test_the_first_logo_stays_where_it_is_seen(tmp_path: Path) -> None:
    spec, facts = over_with_both(grounds(tmp_path / "dark.mp4", "color=0x182030:s=270x480:r=10"))
    assert shown_logos(spec) == ["logo"]
    assert "logo-other" not in spec["assets"]
    assert "logo_version" not in facts


def test_an_other_logo_that_was_removed_from_the_library_is_left_out() -> None:
    plan = branded().with_changes(brand=BrandPlan("Aurora", COLOURS, "logo", (), "dark"))
    assert "logo-other" not in master_spec(plan, order_of(plan))["assets"]
