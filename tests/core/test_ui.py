"""How pages write money, lengths and moments."""

from datetime import timedelta

import pytest
from django.utils import timezone

from genengine.core.templatetags import ui


@pytest.mark.parametrize(
    ("micro", "words"),
    [(2_340_000, "+$2.34"), (-500_000, "−$0.50"), (0, "±$0.00"), (None, "–"), (1_000, "+$0.0010")],
)
def test_a_difference_of_money_always_has_a_sign(micro: int | None, words: str) -> None:
    assert ui.signed_money(micro) == words


@pytest.mark.parametrize(("ms", "words"), [(4000, "4 s"), (2500, "2.5 s"), (33, "0.03 s"), (None, "–")])
def test_a_length_is_written_without_useless_zeros(ms: int | None, words: str) -> None:
    assert ui.seconds(ms) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [(40, "40 s"), (125, "2 min 5 s"), (600, "10 min"), (5400, "1 h 30 min"), (timedelta(hours=2), "2 h")],
)
def test_a_wait_is_written_as_people_say_it(length: float | timedelta, words: str) -> None:
    assert ui.span(length) == words


def test_a_moment_is_written_relative_to_now() -> None:
    now = timezone.now()
    assert ui.ago(now) == "just now"
    assert ui.ago(now - timedelta(minutes=5)) == "5 min ago"
    assert ui.ago(None) == "–"


def test_a_share_never_leaves_the_meter() -> None:
    assert ui.share(5, 10) == "50.000%"
    assert ui.share(20, 10) == "100.000%"
    assert ui.share(-1, 10) == "0.000%"
    assert ui.share(1, 0) == "0.000%"


def test_an_icon_without_a_label_is_silent_and_escapes_the_one_it_has() -> None:
    assert 'aria-hidden="true"' in ui.icon("play")
    assert "&lt;b&gt;" in ui.icon("play", "<b>")


def test_the_letter_of_a_variant_is_not_written_twice() -> None:
    assert ui.without_key("A · Local engine", "A") == "Local engine"
    assert ui.without_key("My name", "A") == "My name"
