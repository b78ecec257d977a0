"""The RenderSpec of a master, as values."""

from pathlib import Path

import pytest

from genengine.media import Framing, parse_spec
from genengine.media.framing import Box
from jobs.execution.composition import MasterOrder, TakeRef, caption_cues, frame_at, master_spec, slot_starts
from jobs.execution.framing import TakeFile, frame_takes, framing_facts
from jobs.plan import BrandPlan, LocalePlan, Plan
from tests.factories.jobs import make_plan
from tests.media.support import TURNTABLE

SHA = "a" * 64


def order(plan: Plan, **changes: object) -> MasterOrder:
    values = {
        "ratio": "9:16",
        "locale": plan.locales[0].code,
        "takes": [TakeRef(s.key, SHA) for s in plan.scenes],
        "simulated": True,
        "asset_hashes": {"logo": SHA, "bed": SHA, "voice": SHA},
    }
    return MasterOrder(**{**values, **changes})  # type: ignore[arg-type]


def whole(**changes: object) -> Plan:
    return make_plan(
        brand=BrandPlan("Aurora", {}, "logo"), bed_asset_id="bed", locales=(LocalePlan("en", voice_asset_id="voice"),),
        **changes,
    )  # fmt: skip


@pytest.mark.parametrize("ratio", ["9:16", "4:5", "1:1", "16:9"])
@pytest.mark.parametrize("channel", ["tiktok", "youtube_instream", "connected_tv", "generic"])
def test_every_ratio_and_channel_gives_a_spec_that_the_compiler_accepts(ratio: str, channel: str) -> None:
    plan = whole(channel=channel)
    spec = parse_spec(master_spec(plan, order(plan, ratio=ratio)))
    assert spec.duration_frames == 180
    assert spec.marks.simulated


def test_slots_are_rounded_from_their_own_absolute_time() -> None:
    plan = make_plan(scenes=7, scene_ms=1117)
    starts = slot_starts(plan.scenes)
    assert starts == [frame_at(n * 1117) for n in range(8)]


def test_a_missing_scene_closes_up() -> None:
    plan = whole()
    spec = master_spec(plan, order(plan, takes=[TakeRef("s1", SHA), TakeRef("s3", SHA)]))
    assert spec["duration_frames"] == 120
    assert [c["text"] for c in spec["captions"]["cues"]] == ["Words of s1.", "Words of s3."]


def test_a_locale_brings_its_own_words_and_voice() -> None:
    plan = make_plan(locales=(LocalePlan("en"), LocalePlan("es", {"s1": "Palabras."}, {"s1": "Hola"}, "voice")))
    spec = master_spec(plan, order(plan, locale="es"))
    assert spec["captions"]["cues"][0]["text"] == "Palabras."
    assert spec["audio"]["voice"] == [{"asset": "voice", "start_frame": 0}]
    assert [o["text"] for o in spec["overlays"]] == ["Hola"]
    assert next(c.text for c in caption_cues(plan, "en", plan.scenes)) == "Words of s1."


def test_text_from_people_stays_text() -> None:
    nasty = '50 % off: {drawtext} \'; rm -rf \\ "quotes" 😀'
    plan = make_plan(scenes=1)
    plan = plan.with_changes(scenes=(plan.scenes[0].__class__(**{**vars(plan.scenes[0]), "script": nasty}),))
    spec = parse_spec(master_spec(plan, order(plan)))
    assert " ".join(" ".join(c.text for c in spec.captions.cues).split()) == nasty


def test_the_logo_closes_the_ad_and_leads_a_text_card() -> None:
    plan = whole()
    assert master_spec(plan, order(plan))["overlays"][-1]["place"] == "bottom_right"
    carded = master_spec(plan, order(plan, cards=frozenset({"s3"})))
    assert carded["overlays"][-1]["place"] == "top"
    assert carded["overlays"][-1]["end_frame"] == carded["duration_frames"]


def test_a_take_fills_the_frame_as_its_framing_says_and_words_keep_off_the_subject() -> None:
    plan = make_plan(locales=(LocalePlan("en", {}, {"s1": "Cold for a day", "s2": "Ours"}),))
    high = Framing("crop", 0.3, 0.5, 0.98, subject=Box(0.2, 0.02, 0.8, 0.4))
    low = Framing("blurred_fill", 0.5, 0.5, 1.0, subject=Box(0.2, 0.6, 0.8, 1.0))
    spec = master_spec(plan, order(plan, framings={"s1": high, "s2": low}))
    parse_spec(spec)
    fits = [segment["fit"] for segment in spec["segments"]]
    assert fits == [
        {"mode": "crop", "focus": {"x": 0.3, "y": 0.5}},
        {"mode": "blurred_fill", "focus": {"x": 0.5, "y": 0.5}},
        {"mode": "crop"},
    ]
    assert [o["place"] for o in spec["overlays"] if o["type"] == "text"] == ["bottom", "top"]
    lows = [segment.get("subject", {}).get("bottom") for segment in spec["segments"]]
    assert lows == [0.4, 1.0, None], "captions are not told what to keep clear of"


def test_a_text_card_is_never_cropped_and_a_product_take_is_shown_whole(tmp_path: Path) -> None:
    card = TakeFile("s1", tmp_path / "never-opened.mp4", 1080, 1920, shown_s=1.0, is_card=True)
    film = TakeFile("s2", TURNTABLE, 1080, 1920, shown_s=1.0)
    framings = frame_takes([card, film], "16:9")
    assert [framings[scene].mode for scene in ("s1", "s2")] == ["blurred_fill", "blurred_fill"]
    assert "subject" in framing_facts(framings)["s2"]["why"]
    assert frame_takes([card, film], "9:16") == {}
