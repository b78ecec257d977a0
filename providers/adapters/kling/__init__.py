"""Kling AI: clips, lip-sync and extension over its new design and the legacy one."""

from providers.adapters.kling.adapter import KlingAdapter as KlingAdapter
