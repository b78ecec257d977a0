"""The voices of a workspace's speech accounts: read from the vendor, kept for an hour, searched here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf.locale import LANG_INFO
from django.core.cache import cache

from genengine.core.correlation import correlation_id
from genengine.workspaces.models import Mode, Workspace
from providers.base import RemoteAdapter
from providers.catalogue import adapters
from providers.credentials.models import ProviderAccount
from providers.credentials.queries import usable_account
from providers.errors import ProviderError
from providers.registry.services import remote_adapter
from providers.voice_values import Voice

KEPT_S = 3600
TROUBLE_KEPT_S = 60  # a vendor that does not answer is not asked again by every click


@dataclass(frozen=True, slots=True)
class Source:
    """A provider whose voices may be listed; ``ready`` says whether the workspace can ask it."""

    provider: str
    label: str
    ready: bool


@dataclass(frozen=True, slots=True)
class VoiceBook:
    """What a vendor listed at a moment; ``trouble`` says why there is nothing."""

    voices: tuple[Voice, ...]
    read_at: datetime
    trouble: str = ""


def sources(*, workspace: Workspace) -> tuple[Source, ...]:
    """Providers that list voices, those that can be asked first."""
    found = [
        Source(name, kind.label, _account(workspace, name)[0])
        for name, kind in adapters().items()
        if issubclass(kind, RemoteAdapter) and kind.lists_voices
    ]
    return tuple(sorted(found, key=lambda source: (not source.ready, source.label)))


def speaking_adapter(*, workspace: Workspace, provider: str) -> RemoteAdapter:
    """The adapter that lists the voices, at the emulator or with the workspace's own key."""
    _, account = _account(workspace, provider)
    return remote_adapter(
        provider=provider,
        workspace=workspace.pk,
        mode=workspace.mode,
        account=account,
        correlation_id=correlation_id(),
    )


def voice_book(*, workspace: Workspace, provider: str, now: datetime) -> VoiceBook:
    """The voices of the workspace's account; a list is kept for an hour, trouble for a minute."""
    key = _key(workspace, provider)
    kept: VoiceBook | None = cache.get(key)
    if kept is not None:
        return kept
    try:
        listed = speaking_adapter(workspace=workspace, provider=provider).voices()
    except ProviderError as error:
        book = VoiceBook((), now, error.message)
    else:
        book = VoiceBook(tuple(sorted(listed, key=lambda voice: voice.name.casefold())), now)
    cache.set(key, book, TROUBLE_KEPT_S if book.trouble else KEPT_S)
    return book


def languages_of(voices: Iterable[Voice]) -> list[str]:
    """The names of all languages that these voices speak, in order."""
    return sorted({language_name(language) for voice in voices for language in voice.languages})


def matching(voices: Iterable[Voice], *, words: str, language: str) -> list[Voice]:
    """Voices whose name, kind or labels hold every word, and that speak the language."""
    wanted = words.casefold().split()
    return [
        voice
        for voice in voices
        if (not language or language in map(language_name, voice.languages))
        and all(word in _text(voice) for word in wanted)
    ]


def language_name(word: str) -> str:
    """A language by its English name, whether the vendor gives a code or a name."""
    info = LANG_INFO.get(word.lower()) or LANG_INFO.get(word.lower().partition("-")[0]) or {}
    return str(info.get("name") or word)


def _text(voice: Voice) -> str:
    return " ".join((voice.name, voice.voice_id, voice.category, *voice.labels.values())).casefold()


def _account(workspace: Workspace, provider: str) -> tuple[bool, ProviderAccount | None]:
    if workspace.mode == Mode.SIMULATED:
        return True, None
    account = usable_account(workspace=workspace, provider=provider)
    return account is not None, account


def _key(workspace: Workspace, provider: str) -> str:
    """Another account, mode or key has a list of its own."""
    _, account = _account(workspace, provider)
    proof = f"{account.pk}:{account.verified_at}" if account else ""
    return "voices:" + sha256(f"{workspace.pk}:{workspace.mode}:{provider}:{proof}".encode()).hexdigest()
