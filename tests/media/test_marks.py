"""Disclosures: never cut, never covered."""

from typing import Any

import pytest

from genengine.media import parse_spec
from genengine.media.compose.graphics import draw, graphics
from genengine.media.text.layout import Block

LONG = "Ad · AI-generated person · Contains caffeine · Offer ends on 31 December, see the terms on the site"


def layers(ratio: tuple[int, int], label: str) -> dict[str, Any]:
    spec = parse_spec(
        {
            "version": "1.0",
            "output": {"width": ratio[0], "height": ratio[1], "channel": "tiktok"},
            "segments": [{"type": "text", "headline": "x", "duration_frames": 30}],
            "overlays": [
                {
                    "type": "text",
                    "text": "A headline",
                    "start_frame": 0,
                    "end_frame": 30,
                    "style": "headline",
                    "place": "top",
                }
            ],
            "marks": {"simulated": True, "ai_label": label},
        }
    )
    return {g.text: draw(g, spec, {}) for g in graphics(spec, {})}


@pytest.mark.parametrize("ratio", [(1080, 1920), (1080, 1350), (1080, 1080), (1920, 1080)])
def test_a_long_disclosure_is_drawn_whole_and_the_headline_begins_below_it(
    ratio: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genengine.media.compose import graphics as module

    fitted: list[Block] = []
    original = module.fit

    def spy(*args: Any, **options: Any) -> Block:
        fitted.append(original(*args, **options))
        return fitted[-1]

    monkeypatch.setattr(module, "fit", spy)
    drawn = layers(ratio, LONG)
    assert all(not block.rest for block in fitted)
    mark, headline = drawn[f"SIMULATED · {LONG}"], drawn["A headline"]
    assert headline.boxes[0].rows.start >= mark.boxes[0].rows.stop
