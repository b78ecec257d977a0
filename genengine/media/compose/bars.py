"""How high a plain bar for words must be: values in, a share of the frame's height out. Nothing is drawn or read."""

from __future__ import annotations

from genengine.media.channels import CHANNELS

LINES, LEADING = 2, 1.22
PADDING = 0.42
"""Of the letters' size, above and below them: what the plate of words takes."""

AIR = 0.014
"""Of the frame's height, between words and the picture below the bar."""


def bar_for_words(width: int, height: int, channel: str, size: float) -> float:
    """The share of a frame of ``width`` × ``height`` pixels that a bar takes for two lines of letters, which are
    ``size`` of its height, from the top of the channel's safe zone."""
    words = size * (LINES * LEADING + 2 * PADDING)
    return round(CHANNELS[channel].safe_box(width, height).top + words + AIR, 3)
