import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.planning.builtin import BuiltinPlanner
from campaigns.planning.durations import fit_durations
from campaigns.planning.text import sentences, shortened, speech_ms, stems
from campaigns.planning.types import (
    LONGEST_SCENE_MS,
    SHORTEST_SCENE_MS,
    AssetRef,
    BriefNotReady,
    BriefValues,
    Storyboard,
)

SCRIPTS = Path(__file__).resolve().parents[3] / "examples" / "media" / "scripts"
CAN = AssetRef("can", "image", "product", "product-can-hero.jpg", "key visual")
RANGE = AssetRef("range", "image", "product", "product-range.jpg", "all three flavours")
SERVE = AssetRef("serve", "image", "scene", "glass-of-ice.jpg", "coffee over ice")
SPIN = AssetRef("spin", "video", "clip", "turntable.mp4")
DOGS = AssetRef("dogs", "image", "b_roll", "two-dogs.jpg", "reaction cutaway")
MOOD = AssetRef("mood", "image", "style_reference", "sunset.jpg")
CUTOUT = AssetRef("cutout", "image", "product", "can-cutout.png", "transparent")


def brief(script: str = "", **values: object) -> BriefValues:
    base = BriefValues(title="Cold coffee", ad_type="product_explainer", script=script, length_ms=15_000)
    return replace(base, **values)  # type: ignore[arg-type]


def plan(script: str = "", **values: object) -> Storyboard:
    return BuiltinPlanner().plan(brief(script, **values))


def example(name: str) -> str:
    return (SCRIPTS / f"{name}.txt").read_text(encoding="utf-8")


def total(board: Storyboard) -> int:
    return sum(scene.duration_ms for scene in board.scenes)


def test_scene_hints_set_times_pictures_words_and_on_screen_text() -> None:
    board = plan(example("explainer_30s_en"), length_ms=30_000)
    assert [s.duration_ms for s in board.scenes] == [4_000, 6_000, 7_000, 6_000, 7_000]
    third = board.scenes[2]
    assert third.visual.startswith("Product hero: the navy can turns slowly")
    assert third.on_screen_text == "120 mg caffeine, 0 g added sugar"
    assert third.script.startswith("No heat.")
    assert third.script.endswith("double espresso.")
    assert [s.camera for s in board.scenes] == ["push-in", "push-in", "orbit", "slide-right", "static"]
    assert [s.role for s in board.scenes] == ["hook", "beat", "beat", "beat", "cta"]
    assert not any("#" in s.script or "[" in s.script for s in board.scenes)


def test_the_same_hints_fill_another_length_in_proportion() -> None:
    board = plan(example("explainer_30s_en"), length_ms=20_000)
    assert total(board) == 20_000
    assert board.scenes[2].duration_ms == pytest.approx(20_000 * 7 / 30, abs=40)


def test_unlike_scripts_give_visibly_unlike_plans() -> None:
    boards = [
        plan(example("ugc_15s_en"), ad_type="ugc_talking_head", tone=("funny", "quick")),
        plan(example("cinematic_15s_en"), ad_type="cinematic_intro", tone=("quiet",)),
        plan("Our shoes are made of apples. They weigh nothing! Run further. Buy a pair today.", title="Apple shoes"),
        plan("- Save on rent\n- Find a flatmate in a day\n- Move in on Friday", title="Room by Friday"),
        plan("ANNA: You sold the car?\nBEN: And bought a bicycle.\nANNA: Show me.", title="Two wheels"),
    ]
    for first, second in itertools.combinations(boards, 2):
        seen = [stems(" ".join(s.visual for s in board.scenes)) for board in (first, second)]
        assert len(seen[0] & seen[1]) < 0.4 * min(len(seen[0]), len(seen[1]))
        assert [s.script for s in first.scenes] != [s.script for s in second.scenes]
        assert [(s.camera, s.duration_ms) for s in first.scenes] != [(s.camera, s.duration_ms) for s in second.scenes]
    assert {s.transition for s in boards[0].scenes} == {"cut"}
    assert "crossfade" in {s.transition for s in boards[1].scenes}
    assert "ANNA speaks" in boards[4].scenes[0].visual


@pytest.mark.parametrize(
    "script",
    [
        "مرحبا بكم في قهوة الشفق. باردة ولذيذة؟ نعم! اطلبها الآن.",
        "今日は。冷たいコーヒーです！18時間かけて作ります。今すぐどうぞ。",
        "กาแฟสกัดเย็นของเรา ใช้เวลาสิบแปดชั่วโมง สั่งเลยวันนี้",
        'Say "hi" to %{name}: 100% 🎉🎉 it\'s {{ free }} & <b>bold</b>\nC:\\temp; drop table – $(rm) `x`',
        "One.",
        "word " * 4,
    ],
)
def test_text_of_any_script_is_data_and_arrives_as_it_was_written(script: str) -> None:
    board = plan(script)
    assert total(board) == 15_000
    assert 2 <= len(board.scenes) <= 10
    said = "".join("".join(s.script.split()) for s in board.scenes)
    assert said == "".join(script.split())


def test_an_empty_script_says_what_to_write_unless_there_are_key_messages() -> None:
    for script in ("", " \n\t", "# only a comment\n", "\x00"):
        with pytest.raises(BriefNotReady, match="Write at least one sentence"):
            plan(script)
    board = plan("", key_messages=("Steeped for eighteen hours", "No added sugar"))
    assert "Steeped for eighteen hours" in [s.script for s in board.scenes]


@pytest.mark.parametrize("length_ms", [3_000, 4_000, 6_000, 10_000, 15_000, 20_000, 30_000, 59_967, 165_000, 300_000])
@pytest.mark.parametrize("name", ["ugc_15s_en", "brand_film_long_en", "explainer_short_fr"])
def test_scenes_fill_the_length_exactly_with_cuts_on_frames(name: str, length_ms: int) -> None:
    board = plan(example(name), length_ms=length_ms)
    assert total(board) == length_ms
    at = 0
    for scene in board.scenes[:-1]:
        at += scene.duration_ms
        assert abs(at * 30 / 1000 - round(at * 30 / 1000)) < 0.02
    assert all(SHORTEST_SCENE_MS - 34 <= s.duration_ms <= LONGEST_SCENE_MS + 34 for s in board.scenes)


def test_a_long_script_in_a_short_ad_is_shortened_and_a_longer_cut_suggested() -> None:
    board = plan(example("brand_film_long_en"), length_ms=30_000)
    assert len(board.scenes) == 8
    notes = " ".join(board.notes)
    assert "a cut of 160 s would hold all of it" in notes
    assert "Shortened" in notes
    for scene in board.scenes:
        assert speech_ms(scene.script) <= scene.duration_ms * 2


def test_a_long_script_in_a_long_ad_is_split_and_keeps_every_word() -> None:
    board = plan(example("brand_film_long_en"), length_ms=165_000)
    assert len(board.scenes) > 20
    said = " ".join(s.script for s in board.scenes)
    assert "You can hear a good bean, long before you can taste it." in said
    assert "Aurora Cold Brew. Wake up slowly." in said
    assert not any("Shortened" in note for note in board.notes)


def test_required_elements_are_placed_in_a_named_scene_or_refused_with_the_reason() -> None:
    board = plan(
        example("explainer_30s_en"),
        length_ms=30_000,
        logo_id="logo",
        required=(
            "Logo in the last 3 seconds",
            "Can visible in the first 5 seconds",
            "Text: No added sugar",
            "Disclosure: Ad",
            "Hook text in the first 2 seconds",
            "One beat of silence before the can opens",
            "A blue bicycle",
        ),
    )
    notes = "\n".join(board.notes)
    assert "Required “Logo in the last 3 seconds” is in scene 5" in notes
    assert "can visible" in board.scenes[0].visual.lower()
    assert any("No added sugar" in s.on_screen_text for s in board.scenes)
    assert board.disclosures == ("Ad",)
    assert board.scenes[0].on_screen_text
    assert "silence before the can opens” is not in the plan" in notes
    assert any("A blue bicycle" in s.visual for s in board.scenes)
    assert notes.count("Required “") == 7
    without = plan(example("explainer_30s_en"), required=("Logo in the last 3 seconds",))
    assert any("the brand kit has no logo" in note for note in without.notes)


def test_a_logo_alone_gets_a_scene_without_any_picture() -> None:
    board = plan(
        example("cinematic_15s_en"),
        ad_type="cinematic_intro",
        logo_id="logo",
        assets=(CAN, RANGE),
        required=("Logo alone on navy for the last 2 seconds",),
    )
    assert board.scenes[-1].references == ()
    assert board.scenes[-1].visual.startswith("Logo alone on navy")


def test_forbidden_elements_are_kept_out_and_contradictions_are_said() -> None:
    board = plan("Steam rises from the cup. Order today.", forbidden=("Steam", "Children"), forbidden_words=("cup",))
    assert board.avoid == ("Steam", "Children")
    assert any("Forbidden “Steam” is named in scene 1" in note for note in board.notes)
    assert any("never uses “cup”" in note for note in board.notes)


def test_each_product_is_shown_and_nothing_repeats_while_something_is_unused() -> None:
    assets = (CAN, RANGE, SERVE, SPIN, DOGS, MOOD, CUTOUT)
    board = plan(example("explainer_30s_en"), length_ms=30_000, assets=assets)
    used = [ref for scene in board.scenes for ref in scene.references]
    assert {"can", "range", "spin"} <= set(used)
    assert "mood" not in used
    assert "cutout" not in used
    assert all(scene.references for scene in board.scenes)
    assert len({scene.references[0] for scene in board.scenes}) == 5
    assert "range" in board.scenes[3].references  # “Three cans side by side” is the picture of all three flavours
    assert any("cut-out" in note for note in board.notes)


def test_more_products_than_scenes_share_the_scenes_that_fit_them() -> None:
    many = tuple(AssetRef(f"p{i}", "image", "product", f"flavour-{i}.jpg") for i in range(6))
    board = plan("One sentence here. Another sentence there. A third one closes.", length_ms=6_000, assets=many)
    assert len(board.scenes) < 6
    assert {ref for scene in board.scenes for ref in scene.references} == {asset.id for asset in many}


def test_few_pictures_are_shared_without_a_neighbour_showing_the_same() -> None:
    board = plan(example("explainer_30s_en"), length_ms=30_000, assets=(CAN, RANGE))
    firsts = [scene.references[0] for scene in board.scenes]
    assert all(a != b for a, b in itertools.pairwise(firsts))


def test_hook_key_messages_and_call_to_action_stand_on_screen() -> None:
    board = plan(
        "We rode all night. The road was empty. Then the sun came up.",
        title="Ride at night",
        key_messages=("Lights that last forty hours",),
        call_to_action="Book a test ride",
    )
    assert board.scenes[0].on_screen_text == "Ride at night"
    assert "Lights that last forty hours" in [s.on_screen_text for s in board.scenes]
    assert board.scenes[-1].on_screen_text == "Book a test ride"


def test_other_languages_lie_over_the_same_scenes() -> None:
    board = plan(
        example("explainer_30s_en"),
        length_ms=30_000,
        alternate_languages=("es", "fr"),
        alternate_scripts={"es": example("explainer_30s_es")},
        voiceovers={"en": "voice-en", "es": "voice-es"},
    )
    english, spanish = board.locales
    assert (english.code, english.voice_asset_id) == ("en", "voice-en")
    assert spanish.voice_asset_id == "voice-es"
    assert spanish.scripts["s1"] == "Las mañanas van deprisa. El buen café, no."
    assert spanish.scripts["s3"].endswith("expreso doble.")
    assert spanish.on_screen["s5"] == "Pide tu primer pack de seis"
    assert any("no fr script" in note.lower() for note in board.notes)


def test_the_same_brief_always_gives_the_same_plan() -> None:
    values = {"length_ms": 30_000, "assets": (CAN, RANGE, SPIN)}
    assert plan(example("explainer_30s_en"), **values) == plan(example("explainer_30s_en"), **values)


def test_lengths_that_are_kept_stay_and_the_rest_is_shared_exactly() -> None:
    fitted = fit_durations([4_000, 4_000, 4_000], 15_000, fixed={1: 7_000})
    assert fitted[1] == 7_000
    assert sum(fitted) == 15_000
    assert sum(fit_durations([1, 1_000_000, 1], 10_000)) == 10_000
    with pytest.raises(ValueError, match="no time"):
        fit_durations([1, 1], 5_000, fixed={0: 6_000})


def test_sentences_end_where_they_end_in_each_script() -> None:
    assert sentences("It costs 0.5 l. Really? Yes!") == ["It costs 0.5 l.", "Really?", "Yes!"]
    assert sentences("今日は。元気？はい！") == ["今日は。", "元気？", "はい！"]
    assert sentences("نعم؟ لا.") == ["نعم؟", "لا."]
    assert shortened("One two three. Four five six seven eight.", 2_000) == "One two three."
