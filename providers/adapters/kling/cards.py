"""KlingAI's model cards: limits, list prices and where each fact comes from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from providers.values import Facts, Feature, InputRole, ModelCard, PerSecond, Rate, SecondsRange, Task

UNIT = Rate("kl-unit", Decimal("0.14"), date(2026, 9, 1))
BOTH_TASKS = frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO})
FRAMES = frozenset({InputRole.FIRST_FRAME, InputRole.LAST_FRAME})
FOUND = frozenset({Feature.WEBHOOK, Feature.FIND_BY_KEY})
COMMON = FOUND | {Feature.LAST_FRAME}
RATIOS = ("16:9", "9:16", "1:1")
OMNI, MULTI, EXTEND, LIP_SYNC = "kling-3.0-omni", "kling-1.6", "kling-extend", "kling-lip-sync"
PRICED = date(2026, 9, 1)


def _price(base: str, **tiers: str) -> PerSecond:
    named = {name.lstrip("_").replace("_audio", "+audio"): Decimal(value) for name, value in tiers.items()}
    return PerSecond(Decimal(base), "USD", named)


CLIPS = (
    ModelCard(
        id="kling-3.0",
        version="kling-3.0",
        label="KlingAI 3.0",
        tasks=BOTH_TASKS,
        durations=SecondsRange(3, 15),
        ratios=RATIOS,
        resolutions=("720p", "1080p", "4k"),
        supports=COMMON | {Feature.NATIVE_AUDIO},
        input_roles=FRAMES,
        max_prompt_chars=2500,
        price=_price(
            "0.112",
            _720p="0.084",
            _1080p="0.112",
            _4k="0.42",
            _720p_audio="0.126",
            _1080p_audio="0.168",
            _4k_audio="0.42",
        ),
        rate=UNIT,
        speed_s_per_s=23.0,
        quality=9,
        facts=Facts.DOC,
        prices_as_of=date(2026, 9, 1),
    ),
    ModelCard(
        id="kling-3.0-turbo",
        version="kling-3.0-turbo",
        label="KlingAI 3.0 Turbo",
        tasks=BOTH_TASKS,
        durations=SecondsRange(3, 15),
        ratios=RATIOS,
        resolutions=("720p", "1080p"),
        supports=COMMON,
        input_roles=FRAMES,
        max_prompt_chars=2500,
        price=_price("0.14", _720p="0.112", _1080p="0.14"),
        rate=UNIT,
        speed_s_per_s=10.0,
        quality=8,
        facts=Facts.CODE,
        unverified=True,
        prices_as_of=date(2026, 9, 1),
    ),
    ModelCard(
        id="kling-2.6",
        version="kling-2.6",
        label="KlingAI 2.6",
        tasks=BOTH_TASKS,
        durations=(5, 10),
        ratios=RATIOS,
        resolutions=("720p", "1080p"),
        supports=COMMON,
        input_roles=FRAMES,
        price=_price("0.07", _720p="0.042", _1080p="0.07"),
        rate=UNIT,
        speed_s_per_s=18.0,
        quality=7,
        facts=Facts.DOC,
        prices_as_of=date(2026, 9, 1),
    ),
    ModelCard(
        id="kling-2.5-turbo",
        version="kling-2.5-turbo",
        label="KlingAI 2.5 Turbo",
        tasks=BOTH_TASKS,
        durations=(5, 10),
        ratios=RATIOS,
        resolutions=("720p", "1080p"),
        supports=COMMON,
        input_roles=FRAMES,
        price=_price("0.07", _720p="0.042", _1080p="0.07"),
        rate=UNIT,
        speed_s_per_s=10.0,
        quality=6,
        facts=Facts.CODE,
        unverified=True,
        prices_as_of=date(2026, 9, 1),
    ),
)

OPERATIONS = (
    ModelCard(
        id=OMNI,
        version="kling-3.0-omni",
        label="KlingAI 3.0 Omni",
        tasks=frozenset({Task.REFERENCES_TO_VIDEO}),
        durations=SecondsRange(3, 15),
        ratios=RATIOS,
        resolutions=("720p", "1080p", "4k"),
        supports=FOUND | {Feature.NATIVE_AUDIO, Feature.REFERENCE_IMAGES},
        input_roles=frozenset({InputRole.REFERENCE}),
        max_references=4,
        price=_price(
            "0.112",
            _720p="0.084",
            _1080p="0.112",
            _4k="0.42",
            _720p_audio="0.112",
            _1080p_audio="0.14",
            _4k_audio="0.42",
        ),
        rate=UNIT,
        speed_s_per_s=25.0,
        quality=9,
        facts=Facts.CODE,
        unverified=True,
        prices_as_of=PRICED,
        notes="Needs an API key.",
    ),
    ModelCard(
        id=MULTI,
        version="kling-v1-6",
        label="KlingAI 1.6 from several pictures",
        tasks=frozenset({Task.REFERENCES_TO_VIDEO}),
        durations=(5, 10),
        ratios=RATIOS,
        resolutions=("720p",),
        supports=FOUND | {Feature.NEGATIVE_PROMPT, Feature.REFERENCE_IMAGES},
        input_roles=frozenset({InputRole.REFERENCE}),
        max_references=4,
        price=PerSecond(Decimal("0.056")),
        rate=UNIT,
        speed_s_per_s=30.0,
        quality=5,
        facts=Facts.DOC,
        unverified=True,
        prices_as_of=PRICED,
        notes="Its price at 1080p is not known for sure, so it is not offered.",
    ),
    ModelCard(
        id=EXTEND,
        version="video-extend",
        label="KlingAI extension",
        tasks=frozenset({Task.VIDEO_EXTEND}),
        durations=(5,),
        supports=FOUND | {Feature.NEGATIVE_PROMPT},
        price=PerSecond(Decimal("0.056")),
        rate=UNIT,
        speed_s_per_s=30.0,
        quality=5,
        facts=Facts.CODE,
        unverified=True,
        prices_as_of=PRICED,
        notes="Adds 4 to 5 seconds to a film of KlingAI 1.0 to 1.6; the price is that of 1.6 at 720p.",
    ),
    ModelCard(
        id=LIP_SYNC,
        version="advanced-lip-sync",
        label="KlingAI lip-sync",
        tasks=frozenset({Task.LIP_SYNC}),
        durations=SecondsRange(2, 60, 0.001),
        supports=FOUND,
        input_roles=frozenset({InputRole.AUDIO}),
        max_prompt_chars=0,
        price=PerSecond(Decimal("0.014")),
        rate=UNIT,
        speed_s_per_s=30.0,
        quality=7,
        facts=Facts.CODE,
        unverified=True,
        prices_as_of=PRICED,
        notes="Charged for every five seconds begun; the film is named by video_id or video_url.",
    ),
)
