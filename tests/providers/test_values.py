"""Fitting a request to a card says aloud what it changes and never cuts a scene short silently."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from providers.values import (
    Facts,
    Feature,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    PerSecond,
    SecondsRange,
    Task,
    allowed_duration,
    snap_request,
)

CARD = ModelCard(
    id="m",
    version="1",
    label="Model M",
    tasks=frozenset({Task.TEXT_TO_VIDEO}),
    price=PerSecond(Decimal("0.1"), tiers={"1080p": Decimal("0.2")}),
    speed_s_per_s=10,
    quality=5,
    facts=Facts.DOC,
    prices_as_of=date(2026, 11, 1),
    durations=(5, 10),
    ratios=("16:9", "9:16", "1:1"),
    resolutions=("720p", "1080p"),
    max_prompt_chars=60,
)
ASKED = GenerationRequest(Task.TEXT_TO_VIDEO, "m", "A cup", duration_s=5, ratio="16:9", resolution="720p")


def test_a_request_that_fits_is_left_alone_and_says_nothing() -> None:
    assert snap_request(CARD, ASKED) == (ASKED, ())


@pytest.mark.parametrize(("asked", "made"), [(3.2, 5), (5, 5), (5.1, 10), (12, 10)])
def test_a_length_is_rounded_up_except_past_the_longest(asked: float, made: float) -> None:
    fitted, notes = snap_request(CARD, replace(ASKED, duration_s=asked))
    assert fitted.duration_s == made
    assert bool(notes) == (asked != made)


@given(asked=st.floats(0.1, 14.9))
def test_a_range_never_gives_less_than_asked(asked: float) -> None:
    card = replace(CARD, durations=SecondsRange(3, 15))
    made = allowed_duration(card, asked)
    assert asked <= made <= 15
    assert made == int(made)
    assert made == 3 or made - asked < 1


@pytest.mark.parametrize(("asked", "made"), [("4:5", "1:1"), ("21:9", "16:9"), ("2:3", "9:16")])
def test_a_ratio_goes_to_the_nearest_shape(asked: str, made: str) -> None:
    fitted, notes = snap_request(CARD, replace(ASKED, ratio=asked))
    assert fitted.ratio == made
    assert asked in notes[0]


def test_a_resolution_goes_up_before_it_goes_down() -> None:
    assert snap_request(CARD, replace(ASKED, resolution="480p"))[0].resolution == "720p"
    assert snap_request(CARD, replace(ASKED, resolution="4k"))[0].resolution == "1080p"


def test_what_to_avoid_is_written_into_the_prompt_when_there_is_no_field_for_it() -> None:
    fitted, notes = snap_request(CARD, replace(ASKED, negative_prompt="text, logos"))
    assert fitted.prompt == "A cup Avoid: text, logos."
    assert fitted.negative_prompt == ""
    assert notes


def test_a_long_prompt_is_cut_at_a_word_and_said() -> None:
    fitted, notes = snap_request(CARD, replace(ASKED, prompt="word " * 40))
    assert len(fitted.prompt) <= 60
    assert fitted.prompt.endswith("word")
    assert "cut" in notes[-1]


def test_a_seed_is_dropped_aloud_where_it_means_nothing() -> None:
    fitted, notes = snap_request(CARD, replace(ASKED, seed=4))
    assert fitted.seed is None
    assert "seed" in notes[0]
    keeps = replace(CARD, supports=frozenset({Feature.SEED}))
    assert snap_request(keeps, replace(ASKED, seed=4))[0].seed == 4


def test_another_task_or_a_file_it_does_not_take_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        snap_request(CARD, replace(ASKED, task=Task.LIP_SYNC))
    picture = InputAsset(InputRole.FIRST_FRAME, Path("x.jpg"), "image/jpeg", "0" * 64)
    with pytest.raises(InvalidRequest):
        snap_request(CARD, replace(ASKED, inputs=(picture,)))


def test_the_digest_counts_what_the_vendor_sees_and_not_where_files_lie() -> None:
    picture = InputAsset(InputRole.FIRST_FRAME, Path("a.jpg"), "image/jpeg", "0" * 64)
    one, moved = (replace(ASKED, inputs=(replace(picture, path=Path(name)),)) for name in ("a", "b"))
    assert one.digest() == moved.digest()
    assert one.digest() != replace(one, prompt="A mug").digest()


def test_a_tier_changes_the_price() -> None:
    assert CARD.price.total(seconds=Decimal(5), tier="1080p") == Decimal("1.0")
    assert CARD.price.total(seconds=Decimal(5), tier="720p") == Decimal("0.5")
