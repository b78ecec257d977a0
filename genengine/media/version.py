"""The engine's version: part of every cache key, so raise it whenever the same spec would give other pixels."""

ENGINE_VERSION = "1.4.0"
SPEC_VERSION = "1.0"
