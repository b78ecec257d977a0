"""Words as bitmaps: runs, fitting, fallback, and pixels."""

from __future__ import annotations

import numpy as np
import pytest

from genengine.media.text.draw import Ink, draw_block
from genengine.media.text.fonts import chain
from genengine.media.text.layout import cards, clean, fit, minimum_size
from genengine.media.text.runs import clusters, visual_runs

SAMPLES = {
    "latin": "Steeped for eighteen hours",
    "cyrillic": "Холодный кофе",
    "greek": "Κρύος καφές",
    "arabic": "قهوة باردة مع الحليب",
    "hebrew": "קפה קר בבוקר",
    "thai": "กาแฟเย็นทุกเช้า",
    "devanagari": "ठंडी कॉफ़ी हर सुबह",
    "chinese": "冷萃咖啡",
    "japanese": "水出しコーヒー",
    "korean": "콜드브루 커피",
    "emoji": "Yes ☕ 👩🏽‍🚀 🇫🇷",
    "signs": "50% off: {now} 'quoted' \\n %{x} <b>",
}


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES.keys())
def test_every_script_has_glyphs_and_is_drawn(text: str) -> None:
    fonts = chain(text=text)
    assert fonts.missing(text) == []
    block = fit(text, fonts, width=700, height=200, size=60, smallest=20)
    assert block.rest == ""
    assert np.asarray(draw_block(block, Ink()))[..., 3].max() == 255


def test_a_character_nobody_has_is_reported() -> None:
    assert chain().missing("a\U00012000b") == ["\U00012000"]


def test_right_to_left_text_is_ordered_for_the_eye() -> None:
    runs = visual_runs("שלום world 123 עולם", chain())
    assert [run.text.strip() for run in runs if run.text.strip()] == ["עולם", "world 123", "שלום"]
    assert [run.rtl for run in runs if run.text.strip()] == [True, False, True]


def test_arabic_letters_are_joined_by_shaping() -> None:
    fonts = chain(text="ب")
    alone = sum(fit(char, fonts, width=900, height=90, size=60, smallest=60).width for char in "ببب")
    assert fit("ببب", fonts, width=900, height=90, size=60, smallest=60).width < alone * 0.75


def test_joined_emoji_and_flags_stay_one_cluster() -> None:
    assert clusters("a👩🏽‍🚀🇫🇷é") == ["a", "👩🏽‍🚀", "🇫🇷", "é"]


def test_a_block_keeps_whole_words_and_at_most_two_lines() -> None:
    text = "One twenty milligrams of caffeine and no added sugar"
    block = fit(text, chain(), width=500, height=400, size=60, smallest=18)
    assert len(block.lines) <= 2
    assert " ".join(line.text for line in block.lines) == text
    assert max(line.width for line in block.lines) <= 500


def test_what_does_not_fit_becomes_the_next_card_and_no_word_is_lost() -> None:
    text = " ".join(f"word{number}" for number in range(60))
    box = {"width": 400, "height": 120, "size": 40, "smallest": 30}
    shown = cards(text, chain(), **box)
    assert len(shown) > 2
    assert " ".join(shown) == text
    for part in shown:
        assert fit(part, chain(), **box).size >= 30


def test_a_single_endless_word_is_cut_instead_of_leaving_the_box() -> None:
    block = fit("x" * 200, chain(), width=300, height=100, size=40, smallest=30)
    assert all(line.width <= 300 for line in block.lines)
    assert block.rest


@pytest.mark.parametrize("height", [64, 320, 1080, 1350, 1920])
def test_the_smallest_letters_are_at_least_2_2_percent_of_the_frame(height: int) -> None:
    assert minimum_size(height) >= height * 0.022


def test_control_characters_vanish_and_signs_stay() -> None:
    assert clean("a\x00b\x1b[31m  c\r\n\r\nd %{} \\N") == "ab[31m c\nd %{} \\N"


def test_an_outline_surrounds_the_letters() -> None:
    block = fit("Hi", chain(), width=300, height=100, size=60, smallest=60)
    pixels = np.asarray(draw_block(block, Ink(color=(255, 255, 255), outline=0.1, outline_color=(0, 0, 0))))
    solid = pixels[pixels[..., 3] == 255][:, :3]
    assert (solid.max(axis=1) < 40).any()
    assert (solid.min(axis=1) > 215).any()


def test_a_line_ends_at_a_blank_and_not_inside_a_hyphenated_word() -> None:
    """At this width the first line could hold "Made with AI-", and the blank before it is the better place."""
    fonts = chain(text="x")
    for words in ("Made with AI-generated pictures and voices", "Ask for our well-known six-pack today"):
        for width in range(260, 700, 20):
            block = fit(words, fonts, width=width, height=400, size=40, smallest=20, max_lines=5)
            assert [line.text for line in block.lines if line.text.endswith("-")] == [], width


def test_a_hyphenated_word_wider_than_the_box_ends_its_line_at_the_hyphen() -> None:
    word = "Donaudampfschifffahrts-Gesellschaft"
    block = fit(word, chain(text=word), width=520, height=400, size=40, smallest=36)
    assert [line.text for line in block.lines] == ["Donaudampfschifffahrts-", "Gesellschaft"]
