"""Which providers and models there are, and how one is reached for a workspace."""

from providers.catalogue import (
    UnknownModel,
    UnknownProvider,
    adapter_class,
    adapters,
    cards,
    get_card,
    remote_class,
)

__all__ = ["UnknownModel", "UnknownProvider", "adapter_class", "adapters", "cards", "get_card", "remote_class"]
