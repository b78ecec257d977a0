"""The ground behind a picture that is shown whole."""

from __future__ import annotations

import numpy as np

from genengine.media.compose.canvas import fitted
from genengine.media.compose.pictures import load_rgb
from genengine.media.spec.model import Fit
from tests.media.support import RANGE


def test_no_second_outline_of_a_wide_product_photo_is_seen_behind_it() -> None:
    """No edge in the ground: over a tenth of the width its brightness changes by a few steps of 255."""
    whole = fitted(load_rgb(RANGE), (360, 640), Fit(mode="blurred_fill"), 1.0)
    ground = whole[:140].astype(float).mean(axis=2)
    assert np.abs(ground[:, 36:] - ground[:, :-36]).max() < 25
