"""Admin of providers, by feature."""

from providers.credentials import admin as credentials

__all__ = ["credentials"]
