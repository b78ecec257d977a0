"""Colours as people see them: CIE Lab (D65) and the CIEDE2000 difference.

Source: G. Sharma, W. Wu, E. N. Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 30 (2005).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_POW7 = 25.0**7


def lab(rgb: NDArray[np.uint8] | tuple[int, int, int]) -> Values:
    """sRGB bytes (… × 3) as L*, a*, b*."""
    unit = np.asarray(rgb, np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def chroma(values: Values) -> Values:
    """How far from grey, C*."""
    return np.hypot(values[..., 1], values[..., 2])


def ciede2000(one: Values, other: Values) -> Values:
    """ΔE₀₀ of two arrays of Lab colours; about 1 is just visible side by side, 2.3 on its own."""
    mean = (chroma(one) + chroma(other)) / 2
    g = 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + _POW7)))
    a1, a2 = one[..., 1] * (1 + g), other[..., 1] * (1 + g)
    c1, c2 = np.hypot(a1, one[..., 2]), np.hypot(a2, other[..., 2])
    h1, h2 = _hue(a1, one[..., 2]), _hue(a2, other[..., 2])
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    l_mean, c_mean = (one[..., 0] + other[..., 0]) / 2, (c1 + c2) / 2
    h_mean = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    weight = _hue_weight(h_mean)
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * weight
    spin = 2 * np.sqrt(c_mean**7 / (c_mean**7 + _POW7)) * np.sin(np.radians(60 * np.exp(-(((h_mean - 275) / 25) ** 2))))
    light, colour, hue = (other[..., 0] - one[..., 0]) / s_l, (c2 - c1) / s_c, d_hue / s_h
    return np.sqrt(light**2 + colour**2 + hue**2 - spin * colour * hue)


def _hue(a: Values, b: Values) -> Values:
    return np.degrees(np.arctan2(b, a)) % 360


def _hue_weight(hue: Values) -> Values:
    return (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
