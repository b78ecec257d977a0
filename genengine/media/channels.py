"""Delivery channels as data: loudness target, true-peak limit, sizes and safe rectangles.

Figures are those of the platforms' own pages where they publish them and agency summaries elsewhere, checked in
November 2026; ``sure`` says which. Rectangles are fractions of the frame (left, top, right, bottom), so that
they hold for every output size of the same ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

RATIO_SIZES = MappingProxyType({"9:16": (1080, 1920), "4:5": (1080, 1350), "1:1": (1080, 1080), "16:9": (1920, 1080)})


@dataclass(frozen=True, slots=True)
class SafeBox:
    """The part of the frame that the platform's own controls leave free, as fractions of width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1) in pixels, rounded inwards to even numbers."""
        x0, y0 = int(width * self.left + 1.999) & ~1, int(height * self.top + 1.999) & ~1
        return x0, y0, int(width * self.right) & ~1, int(height * self.bottom) & ~1


@dataclass(frozen=True, slots=True)
class Channel:
    """One delivery target. Loudness in LUFS (LKFS), peak in dBTP, bitrate in bits per second."""

    key: str
    label: str
    lufs: float
    loudness_tolerance: float
    true_peak_dbtp: float
    ratios: tuple[str, ...]
    safe: MappingProxyType[str, SafeBox]
    min_bit_rate: int | None
    max_bytes: int
    duration_s: tuple[float, float]
    sure: bool

    def safe_box(self, width: int, height: int) -> SafeBox:
        """The safe box of the nearest known ratio."""
        return self.safe.get(nearest_ratio(width, height), DEFAULT_BOX[nearest_ratio(width, height)])


def nearest_ratio(width: int, height: int) -> str:
    """The named ratio closest to ``width / height`` ("9:16", "4:5", "1:1", "16:9")."""
    return min(RATIO_SIZES, key=lambda name: abs(RATIO_SIZES[name][0] / RATIO_SIZES[name][1] - width / height))


def _box(canvas: tuple[int, int], x: int, y: int, w: int, h: int) -> SafeBox:
    return SafeBox(x / canvas[0], y / canvas[1], (x + w) / canvas[0], (y + h) / canvas[1])


_TALL, _FEED, _SQUARE, _WIDE = (
    RATIO_SIZES["9:16"],
    RATIO_SIZES["4:5"],
    RATIO_SIZES["1:1"],
    RATIO_SIZES["16:9"],
)

DEFAULT_BOX = MappingProxyType(
    {
        "9:16": _box(_TALL, 65, 288, 823, 960),
        "4:5": _box(_FEED, 64, 64, 952, 1151),
        "1:1": _box(_SQUARE, 64, 64, 952, 952),
        "16:9": _box(_WIDE, 96, 54, 1728, 972),
    }
)


def _safe(**by_ratio: SafeBox) -> MappingProxyType[str, SafeBox]:
    named = {"tall": "9:16", "feed": "4:5", "square": "1:1", "wide": "16:9"}
    return MappingProxyType(dict(DEFAULT_BOX) | {named[key]: box for key, box in by_ratio.items()})


_SOCIAL = ("9:16", "4:5", "1:1", "16:9")
_MB = 1_000_000

CHANNELS: MappingProxyType[str, Channel] = MappingProxyType(
    {
        channel.key: channel
        for channel in (
            Channel(
                "tiktok",
                "TikTok in-feed",
                -14.0,
                0.5,
                -1.0,
                ("9:16", "1:1", "16:9"),
                _safe(tall=_box(_TALL, 60, 150, 870, 1330)),
                516_000,
                500 * _MB,
                (5, 60),
                False,
            ),
            Channel(
                "instagram_reels",
                "Instagram Reels",
                -14.0,
                0.5,
                -1.0,
                ("9:16",),
                _safe(tall=_box(_TALL, 65, 269, 950, 979)),
                None,
                4000 * _MB,
                (1, 60),
                True,
            ),
            Channel(
                "instagram_feed",
                "Instagram feed",
                -14.0,
                0.5,
                -1.0,
                ("4:5", "1:1"),
                _safe(),
                None,
                4000 * _MB,
                (1, 60),
                False,
            ),
            Channel(
                "youtube_instream",
                "YouTube in-stream",
                -14.0,
                0.5,
                -1.0,
                ("16:9", "9:16", "1:1", "4:5"),
                _safe(wide=SafeBox(0.05, 0.05, 0.95, 0.86)),
                None,
                256_000 * _MB,
                (6, 60),
                False,
            ),
            Channel(
                "youtube_shorts",
                "YouTube Shorts",
                -14.0,
                0.5,
                -1.0,
                ("9:16",),
                _safe(tall=_box(_TALL, 48, 288, 840, 960)),
                None,
                256_000 * _MB,
                (6, 60),
                False,
            ),
            Channel(
                "connected_tv",
                "Connected TV (US)",
                -24.0,
                2.0,
                -2.0,
                ("16:9",),
                _safe(),
                15_000_000,
                500 * _MB,
                (6, 60),
                True,
            ),
            Channel(
                "connected_tv_eu",
                "Connected TV (Europe)",
                -23.0,
                0.5,
                -1.0,
                ("16:9",),
                _safe(),
                15_000_000,
                500 * _MB,
                (6, 60),
                True,
            ),
            Channel(
                "generic",
                "Any channel",
                -14.0,
                0.5,
                -1.0,
                _SOCIAL,
                _safe(),
                None,
                4000 * _MB,
                (0.1, 3600),
                True,
            ),
        )
    }
)
