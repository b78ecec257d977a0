"""Every provider that is built in, by name, and every model card. A new provider is one import and one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from providers.adapters.comfyui import ComfyUIAdapter
from providers.adapters.elevenlabs import ElevenLabsAdapter
from providers.adapters.fal import FalAdapter
from providers.adapters.gemini import GeminiAdapter
from providers.adapters.heygen import HeyGenAdapter
from providers.adapters.kling import KlingAdapter
from providers.adapters.local import LocalEngine
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.replicate import ReplicateAdapter
from providers.adapters.runway import RunwayAdapter
from providers.adapters.stability import StabilityAdapter
from providers.adapters.veo import VeoAdapter
from providers.base import ProviderAdapter, RemoteAdapter
from providers.values import ModelCard

BUILT_IN: tuple[type[ProviderAdapter], ...] = (
    LocalEngine,
    HeyGenAdapter,
    KlingAdapter,
    RunwayAdapter,
    VeoAdapter,
    ReplicateAdapter,
    FalAdapter,
    ElevenLabsAdapter,
    StabilityAdapter,
    GeminiAdapter,
    OpenAIAdapter,
    ComfyUIAdapter,
)


class UnknownProvider(LookupError):
    """No provider of this name is built in."""


class UnknownModel(LookupError):
    """No model of this id is on any card."""


@cache
def adapters() -> Mapping[str, type[ProviderAdapter]]:
    """Adapter classes by their stable name."""
    return {kind.name: kind for kind in BUILT_IN}


def adapter_class(name: str) -> type[ProviderAdapter]:
    """The adapter of this name."""
    try:
        return adapters()[name]
    except KeyError:
        raise UnknownProvider(f"There is no provider {name!r}; there are {', '.join(sorted(adapters()))}.") from None


def remote_class(name: str) -> type[RemoteAdapter]:
    """The adapter of this name, which must be one over HTTP."""
    kind = adapter_class(name)
    if not issubclass(kind, RemoteAdapter):
        raise UnknownProvider(f"{kind.label} runs on this machine; it has no account and no address.")
    return kind


@cache
def cards() -> tuple[ModelCard, ...]:
    """All model cards, each with the name of its provider."""
    return tuple(replace(card, provider=kind.name) for kind in BUILT_IN for card in kind.models)


@cache
def _cards_by_id() -> Mapping[str, ModelCard]:
    return {card.id: card for card in cards()}


def get_card(model_id: str) -> ModelCard:
    """The card of a model; ids are unique over all providers."""
    try:
        return _cards_by_id()[model_id]
    except KeyError:
        raise UnknownModel(f"No provider has the model {model_id!r}.") from None
