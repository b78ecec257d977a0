"""The app's models, gathered for Django."""

from providers.credentials.models import ProviderAccount
from providers.registry.models import CardRevision, ModelTest
from providers.traffic.models import Circuit, LimitRevision, Signal, Throttle

__all__ = ["CardRevision", "Circuit", "LimitRevision", "ModelTest", "ProviderAccount", "Signal", "Throttle"]
