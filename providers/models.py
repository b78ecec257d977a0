"""The app's models, gathered for Django."""

from providers.credentials.models import ProviderAccount

__all__ = ["ProviderAccount"]
