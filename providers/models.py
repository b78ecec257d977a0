"""The app's models, gathered for Django."""

from providers.credentials.models import ProviderAccount
from providers.registry.models import CardRevision, ModelTest

__all__ = ["CardRevision", "ModelTest", "ProviderAccount"]
