"""Admin of providers, by feature."""

from providers.credentials import admin as credentials
from providers.health import admin as health
from providers.registry import admin as registry
from providers.traffic import admin as traffic

__all__ = ["credentials", "health", "registry", "traffic"]
