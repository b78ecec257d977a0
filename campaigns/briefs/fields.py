"""Check the values of a brief, field by field. Each rule says how to fix what it refuses."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.briefs.models import AdType, BrandKit, Campaign, EngineChoice, QualityProfile
from campaigns.briefs.types import FLAGS
from genengine.assets.models import Asset, AssetKind
from genengine.core.money import MICRO
from genengine.media.channels import CHANNELS, RATIO_SIZES
from genengine.workspaces.models import Workspace

LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SCRIPT_LIMIT = 50_000
SHORTEST_MS, LONGEST_MS = 3_000, 300_000
MOST_VARIANTS = 12
MOST_ITEMS = 30
ITEM_LIMIT = 300
HIGHEST_CAP = 1_000_000 * MICRO

Clean = Callable[[Workspace, Any], Any]


class FieldRefused(ValueError):
    """The value is not taken; the text says what to give instead."""


def cleaned(workspace: Workspace, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the accepted values and, for the others, a sentence each."""
    good: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in values.items():
        rule = RULES.get(name)
        if rule is None:
            errors[name] = f"A brief has no field “{name}”."
            continue
        try:
            good[name] = rule(workspace, value)
        except FieldRefused as refused:
            errors[name] = str(refused)
    return good, errors


def text(limit: int, *, lines: bool = False) -> Clean:
    """Accept words up to a length; characters that no screen shows are dropped."""

    def clean(workspace: Workspace, value: Any) -> str:
        if not isinstance(value, str):
            raise FieldRefused("Write words here.")
        plain = CONTROL.sub("", unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")))
        if not lines:
            plain = " ".join(plain.split())
        if len(plain) > limit:
            raise FieldRefused(f"Shorten it: {len(plain):,} characters, {limit:,} are allowed.")
        return plain

    return clean


def one_of(allowed: Mapping[str, str], what: str) -> Clean:
    """Accept a key of a list."""

    def clean(workspace: Workspace, value: Any) -> str:
        if value not in allowed:
            raise FieldRefused(f"Choose a {what}: {', '.join(allowed)}.")
        return str(value)

    return clean


def some_of(allowed: Mapping[str, Any], what: str, *, at_least: int = 0) -> Clean:
    """Accept a list of keys, each once, in the order given."""

    def clean(workspace: Workspace, value: Any) -> list[str]:
        chosen = list(dict.fromkeys(_sequence(value)))
        unknown = [str(item) for item in chosen if item not in allowed]
        if unknown:
            raise FieldRefused(f"There is no {what} “{unknown[0]}”. There are: {', '.join(allowed)}.")
        if len(chosen) < at_least:
            raise FieldRefused(f"Choose at least one {what}.")
        return [str(item) for item in chosen]

    return clean


def phrases(limit: int = ITEM_LIMIT) -> Clean:
    """Accept a list of short texts; empty ones and repetitions are dropped."""
    single = text(limit)

    def clean(workspace: Workspace, value: Any) -> list[str]:
        kept = [item for item in (single(workspace, entry) for entry in _sequence(value)) if item]
        if len(kept) > MOST_ITEMS:
            raise FieldRefused(f"Keep it to {MOST_ITEMS} entries; there are {len(kept)}.")
        return list(dict.fromkeys(kept))

    return clean


def whole(low: int, high: int, message: str) -> Clean:
    """Accept a whole number within bounds."""

    def clean(workspace: Workspace, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise FieldRefused(message)
        return value

    return clean


def row_of(model: type[Any], what: str, *, kind: str = "") -> Clean:
    """Accept a row of this workspace, or its id, or nothing."""

    def clean(workspace: Workspace, value: Any) -> Any:
        if value in (None, ""):
            return None
        rows = model.objects.of(workspace)
        if kind:
            rows = rows.filter(kind=kind)
        row = rows.filter(pk=_uuid(getattr(value, "pk", value))).first()
        if row is None:
            raise FieldRefused(f"This {what} does not exist here; choose one of the list or add it.")
        return row

    return clean


def language(workspace: Workspace, value: Any) -> str:
    """Accept a language code."""
    if not isinstance(value, str) or not LANGUAGE.match(value):
        raise FieldRefused("Give a language code such as en, es or pt-BR.")
    return value


def languages(workspace: Workspace, value: Any) -> list[str]:
    """Accept a list of language codes."""
    return list(dict.fromkeys(language(workspace, item) for item in _sequence(value)))


def scripts(workspace: Workspace, value: Any) -> dict[str, str]:
    """Accept a script for each language code."""
    if not isinstance(value, Mapping):
        raise FieldRefused("Give one script for each language code.")
    words = text(SCRIPT_LIMIT, lines=True)
    return {language(workspace, code): words(workspace, script) for code, script in value.items()}


def voiceovers(workspace: Workspace, value: Any) -> dict[str, str]:
    """Accept an audio asset for each language code."""
    if not isinstance(value, Mapping):
        raise FieldRefused("Give one recording for each language code.")
    recording = row_of(Asset, "recording", kind=AssetKind.AUDIO)
    found = {language(workspace, code): recording(workspace, asset) for code, asset in value.items()}
    return {code: str(asset.pk) for code, asset in found.items() if asset is not None}


def moment(workspace: Workspace, value: Any) -> datetime | None:
    """Accept an aware time, or nothing for no deadline."""
    if value in (None, ""):
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise FieldRefused("Give a date and a time with its time zone, or leave it empty for no deadline.")
    return value


def yes_or_no(workspace: Workspace, value: Any) -> bool:
    """Accept a truth value."""
    if not isinstance(value, bool):
        raise FieldRefused("Say yes or no.")
    return value


RULES: dict[str, Clean] = {
    "title": text(200),
    "campaign": row_of(Campaign, "campaign"),
    "ad_type": one_of(dict(AdType.choices), "kind of ad"),
    "script": text(SCRIPT_LIMIT, lines=True),
    "key_messages": phrases(),
    "call_to_action": text(120),
    "brand_kit": row_of(BrandKit, "brand kit"),
    "audience": text(300),
    "channel": one_of({c.key: c.label for c in CHANNELS.values()}, "channel"),
    "language": language,
    "alternate_languages": languages,
    "alternate_scripts": scripts,
    "tone": phrases(60),
    "required_elements": phrases(),
    "forbidden_elements": phrases(),
    "compliance_flags": some_of(FLAGS, "compliance flag"),
    "length_ms": whole(SHORTEST_MS, LONGEST_MS, "Give a length between 3 and 300 seconds."),
    "ratios": some_of(RATIO_SIZES, "aspect ratio", at_least=1),
    "variants": whole(1, MOST_VARIANTS, f"Choose 1 to {MOST_VARIANTS} variants."),
    "quality_profile": one_of(dict(QualityProfile.choices), "quality profile"),
    "engine_policy": one_of(dict(EngineChoice.choices), "place to render"),
    "captions": one_of({"burned": "", "sidecar": ""}, "kind of captions"),
    "cap_micro": whole(0, HIGHEST_CAP, "Give a budget between 0 and 1,000,000."),
    "deadline_at": moment,
    "music": row_of(Asset, "music", kind=AssetKind.AUDIO),
    "voiceovers": voiceovers,
    "restricted": yes_or_no,
}


def _sequence(value: Any) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise FieldRefused("Give a list.")
    return list(value)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
