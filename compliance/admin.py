"""Admin of compliance, by feature."""

from compliance.trail import admin as trail

__all__ = ["trail"]
