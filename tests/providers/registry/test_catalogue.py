"""The catalogue: unique names and ids, cards that routing can trust to be whole."""

from __future__ import annotations

import pytest

from providers.registry import UnknownModel, UnknownProvider, adapter_class, adapters, cards, get_card, remote_class
from providers.values import Feature, Free, ModelCard, SecondsRange, Task

VIDEO = {Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}


def test_every_model_id_is_unique_and_found() -> None:
    ids = [card.id for card in cards()]
    assert len(ids) == len(set(ids))
    assert get_card("kling-3.0").provider == "kling"
    assert get_card("local").provider == "local"


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_a_card_is_whole(card: ModelCard) -> None:
    assert card.provider in adapters()
    assert card.tasks
    assert card.label
    assert card.version
    assert 1 <= card.quality <= 10
    assert card.speed_s_per_s > 0
    assert len(card.price.currency) <= 8
    if card.rate:
        assert len(card.rate.unit) <= 8
    if card.tasks & VIDEO:
        assert card.ratios
        assert card.resolutions
        assert card.durations
    if not isinstance(card.price, Free):
        assert card.price.amount > 0
        for tier in card.price.tiers:
            assert not card.resolutions or tier.partition("+")[0] in card.resolutions
    if isinstance(card.durations, SecondsRange):
        assert 0 < card.durations.low < card.durations.high
    assert (Feature.LAST_FRAME in card.supports) == ("last_frame" in card.input_roles)


def test_unknown_names_say_what_there_is() -> None:
    with pytest.raises(UnknownProvider, match="kling"):
        adapter_class("nobody")
    with pytest.raises(UnknownModel):
        get_card("nothing-1")
    with pytest.raises(UnknownProvider, match="this machine"):
        remote_class("local")
