"""Admin of providers, by feature."""

from providers.credentials import admin as credentials
from providers.registry import admin as registry

__all__ = ["credentials", "registry"]
