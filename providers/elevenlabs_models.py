"""What ElevenLabs offers here: the cards of its models, prices as listed in 2026-06."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from providers.values import (
    Facts,
    Feature,
    InputRole,
    ModelCard,
    PerCall,
    PerSecond,
    PerThousandCharacters,
    Rate,
    SecondsRange,
    Task,
)

PRICED = date(2026, 6, 1)
CREDIT = Rate("el-char", Decimal("0.0001"), PRICED)
SOUND = frozenset({InputRole.AUDIO})


def _speech(model: str, label: str, price: str, limit: int, speed: float, quality: int) -> ModelCard:
    return ModelCard(
        id=model,
        version=model,
        label=label,
        tasks=frozenset({Task.TEXT_TO_SPEECH}),
        supports=frozenset({Feature.SEED}),
        max_prompt_chars=limit,
        price=PerThousandCharacters(Decimal(price)),
        rate=CREDIT,
        speed_s_per_s=speed,
        quality=quality,
        facts=Facts.DOC,
        prices_as_of=PRICED,
    )


MODELS = (
    _speech("eleven_multilingual_v2", "ElevenLabs Multilingual v2", "0.10", 10_000, 0.4, 8),
    _speech("eleven_v3", "ElevenLabs v3", "0.10", 3_000, 0.6, 9),
    _speech("eleven_flash_v2_5", "ElevenLabs Flash v2.5", "0.05", 40_000, 0.1, 7),
    ModelCard(
        id="eleven_text_to_sound_v2",
        version="eleven_text_to_sound_v2",
        label="ElevenLabs sound effects",
        tasks=frozenset({Task.SOUND_EFFECT}),
        durations=SecondsRange(0.5, 30, 0.1),
        max_prompt_chars=450,
        price=PerCall(Decimal("0.12")),
        rate=CREDIT,
        speed_s_per_s=0.8,
        quality=7,
        facts=Facts.DOC,
        prices_as_of=PRICED,
    ),
    ModelCard(
        id="music_v2",
        version="music_v2",
        label="ElevenLabs Music v2",
        tasks=frozenset({Task.MUSIC}),
        durations=SecondsRange(10, 300, 0.001),  # the vendor takes 3 to 600 s; a bed is neither
        max_prompt_chars=2_000,
        price=PerSecond(Decimal("0.005")),
        rate=CREDIT,
        speed_s_per_s=0.5,
        quality=8,
        facts=Facts.UNSURE,
        unverified=True,
        prices_as_of=PRICED,
    ),
    ModelCard(
        id="scribe_v2",
        version="scribe_v2",
        label="ElevenLabs Scribe v2",
        tasks=frozenset({Task.SPEECH_TO_TEXT}),
        durations=SecondsRange(0.1, 36_000, 0.001),
        input_roles=SOUND,
        price=PerSecond(Decimal("0.000062")),
        rate=CREDIT,
        speed_s_per_s=0.1,
        quality=8,
        facts=Facts.DOC,
        prices_as_of=PRICED,
    ),
    ModelCard(
        id="elevenlabs-dubbing",
        version="v1",
        label="ElevenLabs dubbing",
        tasks=frozenset({Task.DUBBING}),
        durations=SecondsRange(1, 9_000, 0.001),
        input_roles=SOUND | {InputRole.VIDEO},
        price=PerSecond(Decimal("0.0055")),
        rate=CREDIT,
        speed_s_per_s=2.0,
        quality=7,
        facts=Facts.DOC,
        prices_as_of=PRICED,
        supports=frozenset({Feature.CANCEL}),
    ),
)
