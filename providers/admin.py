"""Admin of providers, by feature."""

from providers.credentials import admin as credentials
from providers.health import admin as health
from providers.registry import admin as registry

__all__ = ["credentials", "health", "registry"]
